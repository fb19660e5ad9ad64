"""Standing and count on the case page, and one chromosome across a case's cells."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from cases.actions.record_count import record_count
from cases.actions.set_cell_standing import set_cell_standing
from cases.models import Karyogram, Metaphase
from tests.cases.conftest import add_cell
from tests.conftest import chromosome

pytestmark = pytest.mark.django_db


@pytest.fixture
def cells(accepted: Any, case: Any, technologist: Any) -> list[Any]:
    """1 karyotyped, 2 counted with a doubt, 3 excluded, 4 new."""
    first = accepted.metaphase
    made = [first, *(add_cell(case, first.image, page) for page in (1, 2, 3))]
    record_count(user=technologist, metaphase_id=made[1].pk, ticks=[[5, 5]] * 46, sure=False, base_version=0)
    set_cell_standing(user=technologist, metaphase_id=made[2].pk, standing="excluded", reason="Out of focus")
    return made


def shown(text: str) -> list[str]:
    return re.findall(r">Cell (\d+)</a>", text)


def test_the_case_page_says_what_was_done_with_each_cell_and_filters_by_it(
    cells: list[Any], case: Any, as_user: Any, technologist: Any
) -> None:
    client = as_user(technologist)
    page = client.get(reverse("case", args=[case.pk])).content.decode()
    assert shown(page) == ["1", "2", "3", "4"]
    assert "counted 46, karyogram 5" in page and "Out of focus" in page and "not sure" in page
    words = re.findall(r'id="standing-\w+"[^>]*>([^<]+)<', page)
    assert words == ["All 4", "New 1", "Counted 1", "Karyotyped 1", "Excluded 1"]
    assert f"{reverse('cell', args=[cells[3].pk])}?count" in page  # counting goes on where nobody has counted
    every = ["1", "2", "3", "4"]
    for standing, ordinals in (("excluded", ["3"]), ("karyotyped", ["1"]), ("analysed", []), ("nonsense", every)):
        for name in ("case", "case-cells"):
            answer = client.get(reverse(name, args=[case.pk]), {"standing": standing})
            assert shown(answer.content.decode()) == ordinals, (name, standing)
    again = client.post(
        reverse("cell-cancel", args=[cells[2].pk]),
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver/cases/{case.pk}/?standing=excluded"},
    )
    assert shown(again.content.decode()) == ["3"]


def test_cells_that_are_likely_to_need_the_least_come_first_when_asked(
    case: Any, karyogram: Any, as_user: Any, technologist: Any
) -> None:
    first = karyogram.metaphase
    cells = [first, *(add_cell(case, first.image, page) for page in (1, 2, 3, 4))]
    for cell, needs in zip(cells, (0.3, 0.2, 0.1, 0.0), strict=False):
        Karyogram.objects.filter(metaphase=cell).update(expected_corrections=needs)
    Karyogram.objects.filter(metaphase=cells[4]).delete()  # not analysed
    set_cell_standing(user=technologist, metaphase_id=cells[3].pk, standing="excluded", reason="Out of focus")
    client = as_user(technologist)

    def order(**query: str) -> list[str]:
        found = {shown_in(client.get(reverse(name, args=[case.pk]), query)) for name in ("case", "case-cells")}
        assert len(found) == 1
        return list(found.pop())

    def shown_in(answer: Any) -> tuple[str, ...]:
        return tuple(shown(answer.content.decode()))

    assert order() == order(order="nonsense") == ["1", "2", "3", "4", "5"]
    surest = ["3", "2", "1", "4", "5"]  # 4 is excluded
    assert order(order="surest") == surest
    assert order(order="surest", standing="new") == ["3", "2", "1", "5"]
    page = client.get(reverse("case", args=[case.pk]), {"order": "surest", "standing": "new"}).content.decode()
    # Filters keep the order, orders the filter, and what the page asks for again keeps both.
    assert 'id="standing-all" href="/cases/' in page and f"/cases/{case.pk}/?order=surest" in page
    assert f"/cases/{case.pk}/?standing=new" in page and "cells/?standing=new&amp;order=surest" in page
    again = client.post(
        reverse("cell-cancel", args=[cells[2].pk]),
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver/cases/{case.pk}/?order=surest"},
    )
    assert list(shown_in(again)) == surest
    Metaphase.objects.filter(pk=cells[2].pk).update(accepted_at=timezone.now(), accepted_by=technologist)
    assert order(order="surest") == ["2", "1", "3", "4", "5"]  # a person has answered for 3


def test_without_a_karyogram_there_is_no_order_to_choose(
    case: Any, metaphase: Any, as_user: Any, colleague: Any
) -> None:
    other = add_cell(case, metaphase.image, 1)
    page = reverse("case", args=[case.pk])
    assert "Surest first" in as_user(colleague).get(page).content.decode()
    Karyogram.objects.filter(metaphase=other).delete()
    assert "Surest first" not in as_user(colleague).get(page).content.decode()


def test_excluded_cells_are_no_part_of_the_result(cells: list[Any], case: Any, as_user: Any, supervisor: Any) -> None:
    page = as_user(supervisor).get(reverse("case", args=[case.pk])).content.decode()
    assert "1 cell excluded, not shown here." in page
    facts = dict(re.findall(r"<dt>([a-z ]+)</dt><dd>(\d+)</dd>", page))
    assert (facts["counted"], facts["analysed"], facts["karyotyped"], facts["doubts left"]) == ("2", "1", "1", "3")
    assert re.findall(r'class="what">(\d+)<', page) == ["5", "46"]


def test_one_chromosome_across_the_karyotyped_cells(
    cells: list[Any], case: Any, as_user: Any, technologist: Any
) -> None:
    client = as_user(technologist)

    def across(**query: str) -> str:
        return str(client.get(reverse("case-across", args=[case.pk]), query).content.decode())

    page = across(**{"class": "1"})
    cell = reverse("cell", args=[cells[0].pk])
    assert re.findall(rf'href="{cell}#(c\d+)"', page) == ["c01", "c02"]
    assert reverse("cell", args=[cells[1].pk]) not in page  # nobody accepted that one
    assert 'aria-label="Cell 1, chromosome 1, copy 2"' in page
    everything = across(**{"class": "8", "cells": "all"})
    assert len(re.findall(r'class="across-one doubtful"', everything)) == 3 and "1 in 3 cells" in everything
    assert reverse("cell", args=[cells[2].pk]) not in everything  # excluded
    assert across(**{"class": "2"}).count(">none<") == 1
    for wrong in ("0", "23", "debris", "", "<script>"):
        assert client.get(reverse("case-across", args=[case.pk]), {"class": wrong}).status_code == 404


def test_one_scale_for_all(cells: list[Any], case: Any, as_user: Any, technologist: Any) -> None:
    karyogram = Karyogram.objects.get(metaphase=cells[1])
    rings = [[[10, 10], [24, 10], [24, 34], [10, 34]]]
    karyogram.document["chromosomes"][0] = chromosome("c01", "1", 0, rings=rings)
    karyogram.save()
    page = as_user(technologist).get(reverse("case-across", args=[case.pk]), {"class": "1", "cells": "all"})
    heights = [int(found) for found in re.findall(r'width="\d+" height="(\d+)"', page.content.decode())]
    assert sorted(set(heights)) == [heights[2], heights[0]] and heights[0] == pytest.approx(2 * heights[2], abs=1)


def test_a_chromosomes_picture_is_its_own_pixels(
    cells: list[Any], as_user: Any, technologist: Any, stranger: Any
) -> None:
    address = reverse("chromosome-picture", args=[cells[0].pk, "c01", 1])
    answer = as_user(technologist).get(address)
    assert answer.status_code == 200 and "immutable" in answer.headers["Cache-Control"]
    picture = Image.open(io.BytesIO(answer.content)).convert("RGBA")
    assert picture.size == pytest.approx((14 * 3, 48 * 3), abs=2)
    assert picture.getpixel((21, 72))[3] == 255
    newest = as_user(technologist).get(reverse("chromosome-picture", args=[cells[0].pk, "c01", 7]))
    assert newest.headers["Cache-Control"] == "no-store"
    assert as_user(technologist).get(reverse("chromosome-picture", args=[cells[0].pk, "c99", 1])).status_code == 404
    assert as_user(stranger).get(address).status_code == 404


def test_without_a_karyotyped_cell_it_says_how_one_comes_about(
    case: Any, karyogram: Any, as_user: Any, technologist: Any
) -> None:
    page = as_user(technologist).get(reverse("case-across", args=[case.pk])).content.decode()
    assert "No karyotyped cell yet" in page and "Show what the models propose for 1 cell." in page

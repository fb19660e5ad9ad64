"""Lists: filters in the address, keyset pages, and the same number of queries however long they are."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db
TODAY = datetime.date.today()


@pytest.fixture
def many(lab: Any, patient: Any, technologist: Any) -> Any:
    from cases.models import Case, Patient

    def make(number: int, **changes: Any) -> list[Any]:
        first = Case.objects.count()
        patients = Patient.objects.bulk_create(
            Patient(laboratory=lab, identifier=f"P-{first + i:04d}", family_name=f"Name{first + i:04d}")
            for i in range(number)
        )
        return Case.objects.bulk_create(
            Case(
                **{
                    "laboratory": lab,
                    "patient": patients[i],
                    "accession_number": f"N-{first + i:04d}",
                    "specimen": "blood",
                    "received_on": TODAY,
                    "due_on": TODAY + datetime.timedelta(days=first + i),
                    "assignee": technologist,
                    **changes,
                }
            )
            for i in range(number)
        )

    return make


@pytest.mark.parametrize("name", ["worklist", "case-list", "patient-list"])
def test_ten_queries_whether_three_rows_or_sixty(
    name: str, many: Any, as_user: Any, supervisor: Any, django_assert_max_num_queries: Any
) -> None:
    client = as_user(supervisor)
    for number in (3, 57):
        many(number, assignee=supervisor)
        many(number, state="submitted")
        with django_assert_max_num_queries(10):
            assert client.get(reverse(name)).status_code == 200


def test_no_list_reads_a_karyogram_document(
    as_user: Any, technologist: Any, karyogram: Any, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(
        connection,
    ) as queries:
        as_user(technologist).get("/")
        as_user(technologist).get(reverse("case-list"))
    assert not [query["sql"] for query in queries if '"document"' in query["sql"]]


def test_the_case_page_costs_the_same_for_one_cell_and_for_twelve(
    case: Any, karyogram: Any, as_user: Any, technologist: Any, django_assert_max_num_queries: Any
) -> None:
    from cases.models import Karyogram, Metaphase

    url = reverse("case", args=[case.pk])
    client = as_user(technologist)
    client.get(url)
    for i in range(2, 13):
        cell = Metaphase.objects.create(
            case=case, image=karyogram.metaphase.image, page=i, ordinal=i, original_name=f"{i}.png", width=9, height=9
        )
        Karyogram.objects.create(metaphase=cell, document=karyogram.document, proposal=karyogram.document, count=5)
    with django_assert_max_num_queries(14):
        page = client.get(url).content.decode()
    assert "Cell 12" in page


def test_next_and_previous_walk_every_case_once(many: Any, as_user: Any, technologist: Any) -> None:
    many(120)
    client = as_user(technologist)
    seen: list[str] = []
    query, back = "", ""
    for _ in range(5):
        page = client.get(reverse("case-list") + query).context["page"]
        seen += [case.accession_number for case in page.rows]
        back = page.previous
        if not page.next:
            break
        query = page.next
    assert len(seen) == 120 == len(set(seen))
    assert [case.accession_number for case in client.get(reverse("case-list") + back).context["page"].rows] == seen[
        50:100
    ]


def test_the_worklist_is_ordered_by_due_date_and_those_without_one_come_last(
    many: Any, as_user: Any, technologist: Any
) -> None:
    many(1, due_on=None)
    many(1, due_on=TODAY + datetime.timedelta(days=4))
    many(1, due_on=TODAY - datetime.timedelta(days=1))
    rows = as_user(technologist).get("/").context["work"].rows
    assert [case.accession_number for case in rows] == ["N-0002", "N-0001", "N-0000"]
    page = as_user(technologist).get("/").content.decode()
    assert "1 day overdue" in page and "due in 4 days" in page and "no due date" in page


def test_filters_live_in_the_address_and_survive_paging(many: Any, as_user: Any, technologist: Any) -> None:
    many(60, state="signed")
    many(5)
    client = as_user(technologist)
    first = client.get(reverse("case-list"), {"state": "signed", "q": "name"})
    assert len(first.context["page"].rows) == 50
    assert "state=signed" in first.context["page"].next and "q=name" in first.context["page"].next
    assert '<option value="signed" selected>' in first.content.decode()
    second = client.get(reverse("case-list") + first.context["page"].next)
    assert {case.state for case in second.context["page"].rows} == {"signed"} and len(second.context["page"].rows) == 10


def test_a_broken_cursor_gets_the_first_page(many: Any, as_user: Any, technologist: Any) -> None:
    many(2)
    answer = as_user(technologist).get(reverse("case-list"), {"from": "nonsense"})
    assert answer.status_code == 200 and len(answer.context["page"].rows) == 2


def test_the_review_queue_comes_first_and_only_for_supervisors(
    many: Any, as_user: Any, technologist: Any, supervisor: Any
) -> None:
    many(1, state="submitted")
    page = as_user(supervisor).get("/").content.decode()
    assert page.index("Awaiting review") < page.index("In progress") and "N-0000" in page
    assert "N-0000" not in as_user(technologist).get("/").content.decode()


def test_whose_cases(many: Any, as_user: Any, technologist: Any, colleague: Any) -> None:
    many(1)
    many(1, assignee=colleague)
    many(1, assignee=None)
    client = as_user(technologist)

    def shown(whose: str) -> set[str]:
        return {case.accession_number for case in client.get("/", {"whose": whose}).context["work"].rows}

    assert shown("mine") == shown("nonsense") == {"N-0000"}
    assert shown("free") == {"N-0002"}
    assert shown("all") == {"N-0000", "N-0001", "N-0002"}


def test_empty_pages_say_what_to_do_first(as_user: Any, technologist: Any) -> None:
    client = as_user(technologist)
    assert "Open a case when a specimen arrives" in client.get("/").content.decode()
    assert "A case begins with" in client.get(reverse("case-list")).content.decode()
    assert "No patients yet" in client.get(reverse("patient-list")).content.decode()
    assert "No case matches" in client.get(reverse("case-list"), {"q": "zzz"}).content.decode()

"""Counts and standings: what is stored, what is refused, what the audit log says, and how a case adds up."""

from __future__ import annotations

from typing import Any

import pytest

from cases import selectors
from cases.actions.accept_karyogram import accept_karyogram
from cases.actions.record_count import record_count
from cases.actions.reopen_karyogram import reopen_karyogram
from cases.actions.set_cell_standing import set_cell_standing
from cases.actions.submit_case import submit_case
from cases.domain import standing, ticks
from cases.models import CellCount, Metaphase
from cases.reports.pdf import render_pdf
from karyosite.audit.models import AuditEntry
from karyosite.audit.record import broken_links
from karyosite.errors import Conflict, Invalid
from tests.cases.conftest import add_cell
from tests.cases.test_pdf import words

pytestmark = pytest.mark.django_db
FIVE = [[17.0, 34.0], [41.0, 34.0], [65.0, 34.0], [89.0, 34.0], [113.0, 34.0]]


def newest(metaphase: Any) -> Metaphase:
    return Metaphase.objects.select_related("tally", "karyogram").get(pk=metaphase.pk)


def test_a_count_is_its_ticks_and_makes_the_cell_counted(metaphase: Any, technologist: Any, lab: Any) -> None:
    record_count(user=technologist, metaphase_id=metaphase.pk, ticks=[[1, 2], [3.26, 4]], sure=False, base_version=0)
    cell = newest(metaphase)
    assert (cell.chromosome_count, cell.standing, cell.tally.sure) == (2, "counted", False)
    assert cell.tally.ticks == [[1.0, 2.0], [3.3, 4.0]] and cell.tally.counted_by_name == "Tess Okafor"
    said = list(AuditEntry.objects.filter(laboratory=lab).order_by("number").values_list("verb", "summary"))
    assert said[-2:] == [
        ("cell.counted", "Cell 1: 2 chromosomes counted, not sure."),
        ("cell.standing", "Cell 1: counted."),
    ]
    assert broken_links(lab) == []


def test_the_same_count_sent_twice_is_stored_once(metaphase: Any, technologist: Any) -> None:
    for _ in range(2):
        record_count(user=technologist, metaphase_id=metaphase.pk, ticks=FIVE, sure=True, base_version=0)
    assert newest(metaphase).tally.version == 1
    assert AuditEntry.objects.filter(verb="cell.counted").count() == 1


def test_nobody_overwrites_a_count_that_they_have_not_seen(metaphase: Any, technologist: Any, colleague: Any) -> None:
    record_count(user=colleague, metaphase_id=metaphase.pk, ticks=FIVE, sure=True, base_version=0)
    with pytest.raises(Conflict) as refused:
        record_count(user=technologist, metaphase_id=metaphase.pk, ticks=FIVE[:4], sure=True, base_version=0)
    assert refused.value.code == "stale-count" and refused.value.extra["ticks"] == FIVE
    assert "Cole Lindqvist counted 5" in refused.value.sentence
    record_count(user=technologist, metaphase_id=metaphase.pk, ticks=FIVE[:4], sure=True, base_version=1)
    assert newest(metaphase).chromosome_count == 4
    assert AuditEntry.objects.filter(verb="cell.counted").last().old["number"] == 5


@pytest.mark.parametrize(
    "bad",
    [
        "ticks", [[1]], [[1, 2, 3]], [["1", 2]], [[True, 2]], [[float("nan"), 2]], [[float("inf"), 2]], [[-1, 2]],
        [[321, 2]], [[1, 241]], [[1, 1]] * 401, [None],
    ],
)  # fmt: skip
def test_ticks_that_are_none_are_refused(bad: Any, metaphase: Any, technologist: Any) -> None:
    with pytest.raises(Invalid) as refused:
        record_count(user=technologist, metaphase_id=metaphase.pk, ticks=bad, sure=True, base_version=0)
    assert refused.value.sentence.endswith(".")
    assert not CellCount.objects.exists() and newest(metaphase).standing == "new"


def test_an_accepted_karyogram_makes_the_cell_karyotyped_and_gives_its_count(karyogram: Any, technologist: Any) -> None:
    cell = karyogram.metaphase
    assert (newest(cell).standing, newest(cell).chromosome_count) == ("new", None)
    accept_karyogram(user=technologist, metaphase_id=cell.pk, base_version=1)
    assert (newest(cell).standing, newest(cell).chromosome_count) == ("karyotyped", 5)
    record_count(user=technologist, metaphase_id=cell.pk, ticks=FIVE[:4], sure=True, base_version=0)
    assert (newest(cell).standing, newest(cell).chromosome_count, newest(cell).count_differs) == ("karyotyped", 4, True)
    reopen_karyogram(user=technologist, metaphase_id=cell.pk, base_version=1)
    assert newest(cell).standing == "counted"


def test_exclusion_needs_a_reason_and_withdraws_acceptance(karyogram: Any, technologist: Any) -> None:
    cell = karyogram.metaphase
    accept_karyogram(user=technologist, metaphase_id=cell.pk, base_version=1)
    with pytest.raises(Invalid, match="why this cell is excluded"):
        set_cell_standing(user=technologist, metaphase_id=cell.pk, standing="excluded", reason="  ")
    set_cell_standing(user=technologist, metaphase_id=cell.pk, standing="excluded", reason="Out of focus")
    assert (newest(cell).standing, newest(cell).accepted_at) == ("excluded", None)
    entry = AuditEntry.objects.filter(verb="cell.standing").last()
    assert (entry.reason, entry.old["standing"]) == ("Out of focus", "karyotyped")
    with pytest.raises(Conflict, match="Take it back"):
        accept_karyogram(user=technologist, metaphase_id=cell.pk, base_version=1)
    record_count(user=technologist, metaphase_id=cell.pk, ticks=FIVE, sure=True, base_version=0)
    assert newest(cell).standing == "excluded"  # counting does not bring a cell back unsaid
    set_cell_standing(user=technologist, metaphase_id=cell.pk, standing="counted")
    assert (newest(cell).standing, newest(cell).exclusion_reason) == ("counted", "")


def test_standings_that_cannot_be_set(metaphase: Any, technologist: Any) -> None:
    for wanted, kind in (("karyotyped", Invalid), ("scored", Invalid), ("analysed", Conflict), ("counted", Conflict)):
        with pytest.raises(kind):
            set_cell_standing(user=technologist, metaphase_id=metaphase.pk, standing=wanted)
    assert not AuditEntry.objects.filter(verb="cell.standing").exists()


def test_back_to_new_takes_the_count_away_and_the_log_keeps_it(metaphase: Any, technologist: Any) -> None:
    record_count(user=technologist, metaphase_id=metaphase.pk, ticks=FIVE, sure=True, base_version=0, analysed=True)
    assert newest(metaphase).standing == "analysed"
    set_cell_standing(user=technologist, metaphase_id=metaphase.pk, standing="new")
    assert newest(metaphase).chromosome_count is None and newest(metaphase).standing == "new"
    assert AuditEntry.objects.filter(verb="cell.standing").last().old["ticks"] == FIVE


def test_a_case_under_review_takes_no_count(submitted: Any, accepted: Any, technologist: Any) -> None:
    for act, given in (
        (record_count, {"ticks": FIVE, "sure": True, "base_version": 0}),
        (set_cell_standing, {"standing": "excluded", "reason": "late"}),
    ):
        with pytest.raises(Conflict, match="under review"):
            act(user=technologist, metaphase_id=accepted.pk, **given)


def test_a_report_says_what_was_counted(accepted: Any, case: Any, technologist: Any, tmp_path: Any) -> None:
    counted, excluded = (add_cell(case, accepted.image, page) for page in (1, 2))
    record_count(user=technologist, metaphase_id=counted.pk, ticks=FIVE[:4], sure=False, base_version=0)
    set_cell_standing(user=technologist, metaphase_id=excluded.pk, standing="excluded", reason="Out of focus")
    said = submit_case(user=technologist, case_id=case.pk, result="46,XX[2]").snapshot
    assert {name: said["counting"][name] for name in ("cells", "counted", "karyotyped", "excluded")} == {
        "cells": 3, "counted": 2, "karyotyped": 1, "excluded": 1,
    }  # fmt: skip
    assert said["counting"]["distribution"] == [[4, 1], [5, 1]]
    left = {row["ordinal"]: row for row in said["cells_left_out"]}
    assert (left[2]["standing"], left[2]["count"]["number"], left[2]["count"]["sure"]) == ("counted", 4, False)
    assert (left[3]["standing"], left[3]["reason"]) == ("excluded", "Out of focus")
    text = words(render_pdf(case.reports.get()), tmp_path)
    assert "2 cells counted, 1 analysed, 1 karyotyped." in text and "out of focus (1)" in text


def test_cells_are_found_by_their_standing(accepted: Any, case: Any, technologist: Any) -> None:
    cells = [add_cell(case, accepted.image, page) for page in (1, 2, 3)]
    record_count(user=technologist, metaphase_id=cells[0].pk, ticks=FIVE, sure=True, base_version=0)
    set_cell_standing(user=technologist, metaphase_id=cells[1].pk, standing="excluded", reason="Out of focus")
    for wanted, ordinals in (
        ("karyotyped", [1]), ("counted", [2]), ("excluded", [3]), ("new", [4]), ("analysed", []), ("nonsense", []),
        ("", [1, 2, 3, 4]),
    ):  # fmt: skip
        found = list(selectors.metaphases(technologist, case, standing=wanted))
        assert [cell.ordinal for cell in found] == ordinals, wanted
        assert not wanted or all(cell.standing == wanted for cell in found)


def test_a_case_adds_up_cumulatively_without_its_excluded_cells() -> None:
    facts = [
        *[standing.CellFacts("counted", 46) for _ in range(4)],
        standing.CellFacts("analysed", 46),
        standing.CellFacts("karyotyped", 46),
        standing.CellFacts("karyotyped", 45, sure=False, differs=True),
        standing.CellFacts("excluded", 31, sure=False, reason="Out of focus"),
        standing.CellFacts("new"),
    ]
    found = standing.in_sum(facts)
    assert (found.cells, found.counted, found.analysed, found.karyotyped, found.excluded) == (9, 7, 3, 2, 1)
    assert found.distribution == {46: 6, 45: 1}
    assert standing.in_words(found) == [
        "7 cells counted, 3 analysed, 2 karyotyped.",
        "46 chromosomes in 6 cells, 45 in 1 cell.",
        "Count not certain in 1 cell.",
        "Count and karyogram differ in 1 cell.",
        "1 cell excluded: out of focus (1).",
    ]


def test_a_tick_lies_on_its_chromosome() -> None:
    """A bent chromosome's centre of mass is beside it; its tick is not."""
    bent = [[0, 0], [60, 0], [60, 10], [10, 10], [10, 50], [60, 50], [60, 60], [0, 60]]
    x, y = ticks.middle({"rings": [[list(map(float, point)) for point in bent]], "box": [0, 0, 60, 60]})
    assert 0 < x < 10 and 10 < y < 50
    assert ticks.middle({"rings": [], "box": [2, 4, 10, 20]}) == (6, 12)

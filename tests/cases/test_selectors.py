"""Lists: what they find, and that they cost the same however many rows there are."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases import selectors
from cases.models import Case, Culture, KaryogramEdit, Patient
from tests.cases.conftest import add_cell


def queries(read: Any) -> list[str]:
    with CaptureQueriesContext(connection) as caught:
        read()
    return [query["sql"] for query in caught.captured_queries]


def more_cases(number: int, lab: Any, technologist: Any, image: Any, start: int = 0) -> None:
    for index in range(start, start + number):
        patient = Patient.objects.create(laboratory=lab, identifier=f"P{index}", family_name=f"Name{index}")
        case = Case.objects.create(
            laboratory=lab, patient=patient, accession_number=f"27-{index:05d}", received_on="2026-11-18",
            assignee=technologist,
        )  # fmt: skip
        add_cell(case, image, 0)


def test_the_case_list_costs_the_same_for_three_and_for_thirty(
    lab: Any, technologist: Any, metaphase: Any, django_assert_num_queries: Any
) -> None:
    def read() -> None:
        for case in selectors.cases(technologist)[:50]:
            _ = (case.patient.name, str(case.assignee), case.cells, case.cells_accepted, case.doubts, case.editable)

    more_cases(3, lab, technologist, metaphase.image)
    list(selectors.cases(technologist))  # the membership is read once a request
    with django_assert_num_queries(1):
        read()
    more_cases(27, lab, technologist, metaphase.image, start=3)
    with django_assert_num_queries(1):
        read()
    assert selectors.cases(technologist).count() == 31
    (sql,) = queries(read)
    assert '"document"' not in sql
    assert '"proposal"' not in sql


def test_the_cells_of_a_case_cost_the_same(
    case: Any, technologist: Any, metaphase: Any, django_assert_num_queries: Any
) -> None:
    def read() -> None:
        for cell in selectors.metaphases(technologist, case):
            _ = (cell.image.sha256, cell.culture, cell.accepted_by, cell.added_by)
            if hasattr(cell, "karyogram"):
                _ = (cell.karyogram.count, cell.karyogram.doubts, cell.karyogram.version)

    for page in range(1, 4):
        add_cell(case, metaphase.image, page)
    list(selectors.metaphases(technologist, case))
    with django_assert_num_queries(1):
        read()
    for page in range(4, 31):
        add_cell(case, metaphase.image, page)
    with django_assert_num_queries(1):
        read()
    (sql,) = queries(read)
    assert '"document"' not in sql
    assert '"proposal"' not in sql


def test_single_reads_are_single_queries(
    case: Any, technologist: Any, karyogram: Any, django_assert_num_queries: Any
) -> None:
    selectors.case(technologist, case.pk)
    with django_assert_num_queries(1):
        found = selectors.metaphase(technologist, karyogram.metaphase_id)
        _ = (found.case.patient.name, found.case.laboratory.name, found.image.sha256, found.karyogram.count)
    with django_assert_num_queries(2):
        state = selectors.karyogram_state(selectors.karyogram(technologist, karyogram.metaphase_id))
    assert state["count"] == 5
    with django_assert_num_queries(1):
        assert selectors.case(technologist, case.pk).patient.identifier == "MRN-004417"


def test_the_state_of_a_karyogram_costs_the_same_after_a_long_history(
    technologist: Any, karyogram: Any, django_assert_num_queries: Any
) -> None:
    KaryogramEdit.objects.bulk_create(
        KaryogramEdit(karyogram=karyogram, version=version, kind="edit", edit={}, inverse={}, author_name="T")
        for version in range(2, 400)
    )
    found = selectors.karyogram(technologist, karyogram.metaphase_id)
    with django_assert_num_queries(1) as caught:
        assert selectors.karyogram_state(found)["can_undo"]
    assert "inverse" not in caught.captured_queries[0]["sql"]


def test_numbers_of_a_case(case: Any, technologist: Any, karyogram: Any, patient: Any, lab: Any) -> None:
    empty = Case.objects.create(laboratory=lab, patient=patient, accession_number="0", received_on="2026-01-01")
    image = karyogram.metaphase.image
    from django.utils import timezone

    add_cell(case, image, 1, accepted_at=timezone.now(), accepted_by=technologist, analysis_state="succeeded")
    add_cell(case, image, 2, analysis_state="running")
    add_cell(case, image, 3, analysis_state="queued")
    add_cell(case, image, 4, analysis_state="failed")

    def numbers(found: Any) -> tuple[int, ...]:
        return (found.cells, found.cells_accepted, found.cells_working, found.cells_failed, found.doubts)

    assert numbers(selectors.case(technologist, case.pk)) == (5, 1, 2, 1, 5)
    assert {found.pk: numbers(found) for found in selectors.cases(technologist)} == {
        case.pk: (5, 1, 2, 1, 5), empty.pk: (0, 0, 0, 0, 0),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("01842", True),
        ("26-01842", True),
        ("mrn-0044", True),
        ("lindq", True),
        ("ANNA", True),
        ("Lindqvist, Anna", True),
        ("anna 26-01842", True),
        ("  ", True),
        ("", True),
        (",", True),
        ("anna 26-01843", False),
        ("nobody", False),
        ("%", False),
        ("_", False),
        ("'; drop table", False),
        ("a\x00b", False),
        ("x " * 500, False),
    ],
)
def test_search(case: Any, technologist: Any, search: str, found: bool) -> None:
    assert list(selectors.cases(technologist, search=search)) == ([case] if found else [])


def test_search_of_patients(patient: Any, technologist: Any) -> None:
    assert list(selectors.patients(technologist, search="anna lind")) == [patient]
    assert list(selectors.patients(technologist, search="bob")) == []


def test_filters(case: Any, technologist: Any, colleague: Any, stranger: Any, patient: Any, lab: Any) -> None:
    nobodys = Case.objects.create(
        laboratory=lab, patient=Patient.objects.create(laboratory=lab, identifier="2"), accession_number="2",
        received_on="2026-01-01", state="signed",
    )  # fmt: skip

    def found(user: Any = technologist, **by: Any) -> list[Any]:
        return list(selectors.cases(user, **by))

    assert found() == [nobodys, case], "newest first"
    assert found(state="open") == [case]
    assert found(state="signed") == [nobodys]
    assert found(state="burnt") == []
    assert found(assignee="me") == [case]
    assert found(colleague, assignee="me") == []
    assert found(assignee=technologist.pk) == found(assignee=str(technologist.pk)) == [case]
    assert found(assignee="none") == [nobodys]
    for nonsense in ("x", "-1", "9" * 30, "1 or 1=1", "²"):
        assert found(assignee=nonsense) == []
    assert found(patient=patient.pk) == found(patient=str(patient.pk)) == [case]
    assert found(patient="nonsense") == []
    assert found(search="lindqvist", state="open", assignee="me", patient=patient.pk) == [case]


def test_what_belongs_to_a_case(case: Any, technologist: Any, karyogram: Any, patient: Any, lab: Any) -> None:
    culture = Culture.objects.create(case=case, label="A")
    other = Case.objects.create(laboratory=lab, patient=patient, accession_number="2", received_on="2026-01-01")
    assert list(selectors.cultures(technologist, case)) == [culture]
    assert list(selectors.metaphases(technologist, str(case.pk))) == [karyogram.metaphase]
    assert list(selectors.metaphases(technologist, other)) == []
    assert [step.version for step in selectors.history(technologist, karyogram.metaphase_id)] == [1]

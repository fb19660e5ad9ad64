"""The permission table: every action, every role, the own and another laboratory.

The table below is written by hand and apart from `cases.policies.RIGHTS`, so that a change of rights has to be made in
both.  Whoever may not is told so (a colleague) or told nothing (a stranger), and in neither case has anything changed.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.apps import apps

from cases import history, policies, selectors, together
from karyosite.errors import Conflict, Forbidden, NotFound
from tests.conftest import PASSWORD, make_person, png_bytes

T, S, A, I = "technologist", "supervisor", "administrator", "integration"  # noqa: E741
ROLES = (T, S, A, I)


@dataclass(frozen=True)
class Row:
    """call(user, world) must succeed for the roles in `may` while the case is in `state`."""

    call: Callable[[Any, dict[str, Any]], Any]
    may: frozenset[str]
    state: str = "open"
    inside: dict[str, Any] = field(default_factory=dict)


def action(name: str) -> Callable[..., Any]:
    from importlib import import_module

    return getattr(import_module(f"cases.actions.{name}"), name)


def activate(user: Any, world: dict[str, Any]) -> Any:
    """The shipped detector, named for the first time by the laboratory itself."""
    from inference.actions import activate_model
    from inference.backends import weights

    first = weights.entries("detector")[0]
    return activate_model(
        user=user, role="detector", name=first["name"], version=first["version"], reason="validated on 20 cells"
    )


def people(name: str) -> Callable[..., Any]:
    from karyosite.accounts import actions

    return getattr(actions, name)


def on(name: str, identifier: str, **more: Any) -> Callable[[Any, dict[str, Any]], Any]:
    """An action on one record of the world: `case_id=world["case_id"]`, and so on."""
    return lambda user, world: action(name)(user=user, **{identifier: world[identifier]}, **more)


FLIP = {"op": "flip", "id": "c01"}
TABLE: dict[str, Row] = {
    "change_patient": Row(on("change_patient", "patient_id", given_name="New"), frozenset({T, S, A, I})),
    "create_case": Row(
        lambda user, world: action("create_case")(
            user=user,
            patient_id=world["patient_id"],
            accession_number="NEW-1",
            specimen="blood",
            received_on=world["day"],
        ),
        frozenset({T, S, A, I}),
    ),  # fmt: skip
    "change_case": Row(on("change_case", "case_id", indication="new"), frozenset({T, S, A, I})),
    "add_culture": Row(on("add_culture", "case_id", label="A"), frozenset({T, S, I})),
    "add_metaphases": Row(
        lambda user, world: action("add_metaphases")(
            user=user, case_id=world["case_id"], upload=io.BytesIO(png_bytes(seed=5)), name="new.png"
        ),
        frozenset({T, S, I}),
    ),
    "request_analysis": Row(on("request_analysis", "metaphase_id"), frozenset({T, S, I})),
    "cancel_analysis": Row(on("cancel_analysis", "metaphase_id"), frozenset({T, S, I}), state="analysing"),
    "edit_karyogram": Row(on("edit_karyogram", "metaphase_id", base_version=2, edit=FLIP), frozenset({T, S})),
    "undo_karyogram": Row(on("undo_karyogram", "metaphase_id", base_version=2), frozenset({T, S})),
    "redo_karyogram": Row(on("redo_karyogram", "metaphase_id", base_version=3), frozenset({T, S}), state="undone"),
    "accept_karyogram": Row(on("accept_karyogram", "metaphase_id", base_version=2), frozenset({T, S})),
    "reopen_karyogram": Row(
        on("reopen_karyogram", "metaphase_id", base_version=2), frozenset({T, S}), state="accepted"
    ),
    "record_count": Row(
        on("record_count", "metaphase_id", ticks=[[10, 20]], sure=True, base_version=0), frozenset({T, S})
    ),
    "set_cell_standing": Row(
        on("set_cell_standing", "metaphase_id", standing="excluded", reason="out of focus"), frozenset({T, S})
    ),
    "restore_proposal": Row(on("restore_proposal", "metaphase_id", base_version=2, id="c01"), frozenset({T, S})),
    "restore_version": Row(on("restore_version", "metaphase_id", base_version=2, version=1), frozenset({T, S})),
    "be_present": Row(on("be_present", "metaphase_id"), frozenset({T, S, A, I})),
    "add_comment": Row(on("add_comment", "metaphase_id", text="Look at this one."), frozenset({T, S, A, I})),
    "resolve_comment": Row(on("resolve_comment", "comment_id"), frozenset({T, S}), state="commented"),
    "reopen_comment": Row(on("reopen_comment", "comment_id"), frozenset({T, S}), state="comment-resolved"),
    "submit_case": Row(on("submit_case", "case_id", result="46,XX"), frozenset({T, S}), state="accepted"),
    "return_case": Row(on("return_case", "case_id", reason="again"), frozenset({S}), state="submitted"),
    "sign_case": Row(on("sign_case", "case_id", password=PASSWORD), frozenset({S}), state="submitted"),
    "amend_case": Row(on("amend_case", "case_id", reason="wrong"), frozenset({S}), state="signed"),
    "change_member": Row(
        lambda user, world: people("change_member")(user=user, member_id=world["member_id"], role=S), frozenset({A})
    ),
    "remove_member": Row(
        lambda user, world: people("remove_member")(user=user, member_id=world["member_id"]), frozenset({A})
    ),
    "set_password": Row(
        lambda user, world: people("set_password")(user=user, member_id=world["member_id"], password="wren-copper-71"),
        frozenset({A}),
    ),
}
# Actions that make something new from nothing: a stranger does them in their own laboratory, and touches nothing here.
OWN_LABORATORY_ONLY = {
    "create_patient": Row(
        lambda user, world: action("create_patient")(user=user, identifier="NEW-1"), frozenset({T, S, A, I})
    ),
    "add_member": Row(
        lambda user, world: people("add_member")(
            user=user, username="newcomer", printed_name="New Comer", role=T, password="wren-copper-71"
        ),
        frozenset({A}),
    ),
    "activate_model": Row(activate, frozenset({A})),
    "change_laboratory": Row(
        lambda user, world: people("change_laboratory")(user=user, name="Renamed"), frozenset({A})
    ),
}
EVERYTHING = TABLE | OWN_LABORATORY_ONLY


@pytest.fixture
def world(
    karyogram: Any, case: Any, technologist: Any, colleague: Any, patient: Any
) -> Callable[[str], dict[str, Any]]:
    """Brings the case to a state, by the technologist and a supervisor who is nobody else in the test."""

    def bring(state: str) -> dict[str, Any]:
        cell = karyogram.metaphase_id
        action("edit_karyogram")(user=technologist, metaphase_id=cell, base_version=1, edit=FLIP)
        if state == "undone":
            action("undo_karyogram")(user=technologist, metaphase_id=cell, base_version=2)
        if state == "analysing":
            action("request_analysis")(user=technologist, metaphase_id=cell)
        comment = None
        if state in ("commented", "comment-resolved"):
            comment = action("add_comment")(user=technologist, metaphase_id=cell, text="Two chromosomes touch here.")
        if state == "comment-resolved":
            action("resolve_comment")(user=technologist, comment_id=comment.pk)
        if state in ("accepted", "submitted", "signed"):
            action("accept_karyogram")(user=technologist, metaphase_id=cell, base_version=2)
        if state in ("submitted", "signed"):
            action("submit_case")(user=technologist, case_id=case.pk, result="46,XX")
        if state == "signed":
            reviewer = make_person(case.laboratory, S, "reviewer", "Rey Viewer")
            action("sign_case")(user=reviewer, case_id=case.pk, password=PASSWORD)
        return {
            "case_id": case.pk, "patient_id": patient.pk, "metaphase_id": cell, "member_id": colleague.pk,
            "day": case.received_on, "comment_id": comment.pk if comment else None,
        }  # fmt: skip

    return bring


def everything_stored() -> dict[str, Any]:
    """Every row of every table of ours."""
    ours = [
        model
        for name in ("accounts", "audit", "cases", "inference")
        for model in apps.get_app_config(name).get_models()
    ]
    return {model._meta.label: list(model.objects.order_by("pk").values()) for model in ours}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", EVERYTHING)
def test_in_the_own_laboratory(name: str, role: str, world: Any, lab: Any) -> None:
    row = EVERYTHING[name]
    here = world(row.state)
    user = make_person(lab, role, "actor", "Act Or")
    before = everything_stored()
    if role in row.may:
        row.call(user, here)
        assert everything_stored() != before
        return
    with pytest.raises(Forbidden) as refused:
        row.call(user, here)
    assert refused.value.status_code == 403
    assert everything_stored() == before


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", TABLE)
def test_from_another_laboratory_it_is_not_there(name: str, role: str, world: Any, other_lab: Any) -> None:
    row = TABLE[name]
    here = world(row.state)
    user = make_person(other_lab, role, "actor", "Act Or")
    unknown = dict.fromkeys(here, "0c9b0f8e-0000-4000-8000-000000000000") | {"day": here["day"]}
    before = everything_stored()
    # Who lacks the right altogether may be told so; but nobody may tell a foreign record from one that is not there.
    refusals = []
    for target in (here, unknown):
        with pytest.raises((NotFound, Forbidden)) as refused:
            row.call(user, target)
        refusals.append((type(refused.value), refused.value.sentence, refused.value.extra))
    assert refusals[0] == refusals[1]
    if role in row.may:
        assert refusals[0][0] is NotFound
    assert everything_stored() == before


@pytest.mark.parametrize("name", EVERYTHING)
def test_without_a_laboratory_or_an_account_there_is_nothing(name: str, world: Any, lab: Any) -> None:
    from django.contrib.auth.models import AnonymousUser

    row = EVERYTHING[name]
    here = world(row.state)
    left = make_person(lab, S, "left", "Lee Ft")
    left.memberships.all().delete()
    dismissed = make_person(lab, S, "dismissed", "Dee Missed")
    dismissed.is_active = False
    dismissed.save()
    before = everything_stored()
    for user in (left, dismissed, AnonymousUser()):
        with pytest.raises(NotFound):
            row.call(user, here)
    assert everything_stored() == before


READS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "patient": lambda user, world: selectors.patient(user, world["patient_id"]),
    "case": lambda user, world: selectors.case(user, world["case_id"]),
    "cultures": lambda user, world: list(selectors.cultures(user, world["case_id"])),
    "metaphases": lambda user, world: list(selectors.metaphases(user, world["case_id"])),
    "metaphase": lambda user, world: selectors.metaphase(user, world["metaphase_id"]),
    "karyogram": lambda user, world: selectors.karyogram(user, world["metaphase_id"]),
    "history": lambda user, world: list(selectors.history(user, world["metaphase_id"])),
    "version": lambda user, world: history.version_document(user, world["metaphase_id"], 1),
    "origins": lambda user, world: history.origins(user, world["metaphase_id"]),
    "pulse": lambda user, world: together.pulse(user, world["metaphase_id"]),
    "comments": lambda user, world: list(together.comments(user, world["metaphase_id"])),
    "reports": lambda user, world: list(selectors.reports(user, world["case_id"])),
}


@pytest.mark.parametrize("role", ROLES)
def test_reads(role: str, world: Any, lab: Any, other_lab: Any, case: Any) -> None:
    here = world("signed")
    here["report_id"] = case.reports.get().pk
    reads = READS | {"report": lambda user, world: selectors.report(user, world["report_id"])}
    own = make_person(lab, role, "own", "Own Person")
    foreign = make_person(other_lab, role, "foreign", "For Eign")
    unknown = dict.fromkeys(here, "0c9b0f8e-0000-4000-8000-000000000000")
    for name, read in reads.items():
        assert read(own, here) is not None, name
        for user, target in ((foreign, here), (own, unknown), (own, dict.fromkeys(here, "nonsense"))):
            with pytest.raises(NotFound):
                read(user, target)
    assert list(selectors.cases(own)) == [case]
    for hidden in (selectors.cases(foreign), selectors.cases(foreign, search=case.accession_number),
                   selectors.cases(foreign, patient=here["patient_id"]), selectors.patients(foreign),
                   selectors.patients(foreign, search="Lindqvist")):  # fmt: skip
        assert list(hidden) == []
    with pytest.raises(NotFound):
        selectors.metaphases(foreign, case)  # an instance from elsewhere opens nothing either


@pytest.mark.parametrize(("role", "may"), [(T, False), (S, True), (A, True), (I, False)])
def test_the_audit_log_of_a_case(role: str, may: bool, world: Any, lab: Any, other_lab: Any, case: Any) -> None:
    world("signed")
    own = make_person(lab, role, "own", "Own Person")
    if may:
        assert selectors.audit_entries(own, case).count() >= 4
    else:
        with pytest.raises(Forbidden):
            selectors.audit_entries(own, case)
    with pytest.raises(NotFound):
        selectors.audit_entries(make_person(other_lab, role, "foreign", "For Eign"), case)


def test_the_table_knows_every_action() -> None:
    from pathlib import Path

    from karyosite.accounts import actions

    folder = Path(policies.__file__).parent / "actions"
    verbs = {
        path.stem for path in folder.glob("*.py") if f"def {path.stem}(" in path.read_text() and path.stem != "__init__"
    }
    for_the_machine = {"accept_proposal", "mirror_analysis", "export_signed_cells"}
    assert verbs - for_the_machine <= set(EVERYTHING), "an action without a line in the permission table"
    by_people = {name for name, made in vars(actions).items() if callable(made) and not isinstance(made, type)
                     and not name.startswith("_")
                 and getattr(made, "__module__", "") == actions.__name__}  # fmt: skip
    for_the_server = {"create_laboratory", "create_first_administrator"}
    assert by_people - for_the_server <= set(EVERYTHING)


def test_refusals_of_state_come_after_refusals_of_right(world: Any, lab: Any, other_lab: Any) -> None:
    """Someone who may not change a case does not learn its state."""
    here = world("signed")
    for user, kind in (
        (make_person(lab, A, "ada2", "Ada Two"), Forbidden),
        (make_person(other_lab, S, "foreign", "For Eign"), NotFound),
        (make_person(lab, S, "sue", "Sue Pervisor"), Conflict),
    ):
        with pytest.raises(kind):
            TABLE["edit_karyogram"].call(user, here)

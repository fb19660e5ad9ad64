"""What a user may see.  Every read of the laboratory goes through here; unknown and foreign ids raise NotFound."""

from __future__ import annotations

import re
import uuid
from typing import Any, NamedTuple, TypeVar

from django.db.models import Count, Model, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from cases import policies
from cases.domain import karyogram as domain
from cases.domain import states
from cases.domain.standing import EXCLUDED, SETTABLE
from cases.models import (
    AnalysisState,
    Case,
    CaseState,
    CellStanding,
    Culture,
    EditKind,
    Karyogram,
    KaryogramEdit,
    Metaphase,
    Patient,
    Report,
)
from karyosite.accounts.models import Laboratory, User
from karyosite.audit.models import AuditEntry
from karyosite.errors import NotFound

Row = TypeVar("Row", bound=Model)
NOTHING_HERE = "There is nothing here under this address."
KEPT = [name for name in SETTABLE if name != EXCLUDED]  # an excluded cell's doubts ask nothing of anybody
DOCUMENTS = ("karyogram__document", "karyogram__proposal", "tally__ticks")


def _laboratory(user: User) -> Laboratory:
    """Raises NotFound for someone who works in no laboratory, Forbidden for a role that may not look."""
    return policies.require(user, "view").laboratory


def _uuid(value: Any) -> uuid.UUID:
    try:
        return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))
    except ValueError:
        raise NotFound(NOTHING_HERE) from None


def _one(found: QuerySet[Row]) -> Row:
    row = found.first()
    if row is None:
        raise NotFound(NOTHING_HERE)
    return row


def _words(search: str) -> list[str]:
    """At most eight: each must be found somewhere.  NUL cannot be in a database's text."""
    return re.split(r"[\s,]+", search.replace("\0", " ").strip())[:8] if search.strip() else []


def patients(user: User, search: str = "") -> QuerySet[Patient]:
    """The laboratory's patients, newest first.  search: words from identifier and names."""
    found = Patient.objects.filter(laboratory=_laboratory(user))
    for word in _words(search):
        found = found.filter(
            Q(identifier__icontains=word) | Q(family_name__icontains=word) | Q(given_name__icontains=word)
        )
    return found.order_by("-created_at", "-id")


def patient(user: User, patient_id: Any) -> Patient:
    return _one(Patient.objects.filter(laboratory=_laboratory(user), pk=_uuid(patient_id)))


def cases(user: User, search: str = "", state: str = "", assignee: Any = "", patient: Any = "") -> QuerySet[Case]:
    """The laboratory's cases, newest first, each with numbers about its cells; no karyogram document is loaded.

    search: words from accession number, patient identifier and names.  state: one of CaseState.  assignee: a user's
    id, "me" or "none".  patient: a patient's id.  What cannot match gives no cases.
    Annotated: cells, cells_accepted, cells_working, cells_failed, doubts (int each).
    """
    found = Case.objects.filter(laboratory=_laboratory(user)).select_related("patient", "assignee")
    for word in _words(search):
        # Not through the join: looking up every case's patient costs more than reading through all patients once.
        theirs = patients(user, word).order_by().values("pk")
        found = found.filter(Q(accession_number__icontains=word) | Q(patient__in=theirs))
    if state:
        found = found.filter(state=state) if state in CaseState.values else found.none()
    if assignee == "me":
        found = found.filter(assignee=user)
    elif assignee == "none":
        found = found.filter(assignee=None)
    elif assignee not in ("", None):
        number = str(assignee)
        found = found.filter(assignee_id=int(number)) if re.fullmatch(r"[0-9]{1,18}", number) else found.none()
    if patient not in ("", None):
        try:
            found = found.filter(patient_id=_uuid(patient))
        except NotFound:
            found = found.none()
    return _with_numbers(found).order_by("-created_at", "-id")


def _with_numbers(found: QuerySet[Case]) -> QuerySet[Case]:
    cells = Metaphase.objects.filter(case=OuterRef("pk")).order_by().values("case")

    def number(aggregate: Count | Sum, **only: Any) -> Coalesce:
        return Coalesce(Subquery(cells.filter(**only).annotate(number=aggregate).values("number")), 0)

    return found.annotate(
        cells=number(Count("pk")),
        cells_accepted=number(Count("pk"), accepted_at__isnull=False),
        cells_working=number(Count("pk"), analysis_state__in=(AnalysisState.QUEUED, AnalysisState.RUNNING)),
        cells_failed=number(Count("pk"), analysis_state=AnalysisState.FAILED),
        doubts=number(Sum("karyogram__doubts"), own_standing__in=KEPT),
    )


def case(user: User, case_id: Any) -> Case:
    """One case with patient, assignee and the same numbers as in the list."""
    found = Case.objects.filter(laboratory=_laboratory(user), pk=_uuid(case_id))
    return _one(_with_numbers(found.select_related("laboratory", "patient", "assignee", "created_by")))


def cultures(user: User, case: Case | Any) -> QuerySet[Culture]:
    return Culture.objects.filter(case=_own_case(user, case)).order_by("created_at", "id")


def _own_case(user: User, case: Case | Any) -> Any:
    """The id of a case of the user's laboratory."""
    laboratory = _laboratory(user)
    if isinstance(case, Case):
        if case.laboratory_id != laboratory.pk:
            raise NotFound(NOTHING_HERE)
        return case.pk
    return _one(Case.objects.filter(laboratory=laboratory, pk=_uuid(case)).only("id")).pk


def metaphases(user: User, case: Case | Any, standing: str = "") -> QuerySet[Metaphase]:
    """The cells of a case in order; `karyogram` comes along without its documents, `tally` without its ticks.

    standing: one of CellStanding; what cannot match gives no cells.
    """
    found = Metaphase.objects.filter(case=_own_case(user, case))
    if standing:
        found = found.filter(_stands(standing)) if standing in CellStanding.values else found.none()
    return (
        found.select_related("image", "culture", "accepted_by", "added_by", "karyogram", "tally")
        .defer(*DOCUMENTS)
        .order_by("ordinal")
    )


def _stands(standing: str) -> Q:
    """Metaphase.standing, asked of the database."""
    excluded = Q(own_standing=CellStanding.EXCLUDED)
    if standing == CellStanding.EXCLUDED:
        return excluded
    if standing == CellStanding.KARYOTYPED:
        return Q(accepted_at__isnull=False) & ~excluded
    return Q(own_standing=standing, accepted_at__isnull=True)


def metaphase(user: User, metaphase_id: Any) -> Metaphase:
    """One cell with its case, patient, image and karyogram (without documents)."""
    return _one(
        Metaphase.objects.filter(case__laboratory=_laboratory(user), pk=_uuid(metaphase_id))
        .select_related(
            "case__laboratory", "case__patient", "image", "culture", "accepted_by", "added_by", "karyogram", "tally"
        )
        .defer(*DOCUMENTS)
    )


def karyogram(user: User, metaphase_id: Any) -> Karyogram:
    """The karyogram of a cell, with document, cell, case and image.  NotFound also where there is none yet."""
    return _one(
        Karyogram.objects.filter(metaphase__case__laboratory=_laboratory(user), metaphase=_uuid(metaphase_id))
        .select_related("metaphase__case__laboratory", "metaphase__image", "metaphase__accepted_by")
        .defer("proposal")
    )


class StandingSteps(NamedTuple):
    """Versions that can be undone, and undo steps that can be redone; the next one last."""

    undo: list[int]
    redo: list[int]


def standing_steps(karyogram: Karyogram) -> StandingSteps:
    """Reads the history's kinds (no documents).  A new edit or proposal ends what could be redone; the first
    proposal cannot be undone."""
    undo: list[int] = []
    redo: list[int] = []
    for version, kind in (
        KaryogramEdit.objects.filter(karyogram=karyogram).order_by("version").values_list("version", "kind")
    ):
        if kind == EditKind.UNDO:
            undo.pop()
            redo.append(version)
        elif kind == EditKind.REDO:
            redo.pop()
            undo.append(version)
        else:
            redo.clear()
            if version > 1:
                undo.append(version)
    return StandingSteps(undo, redo)


def karyogram_state(karyogram: Karyogram) -> dict[str, Any]:
    """What an editor shows beside the document: version, count, sex_complement, doubts, accepted, can_undo, can_redo,
    editable, locked_because."""
    standing = standing_steps(karyogram)
    case = karyogram.metaphase.case
    return {
        "version": karyogram.version,
        "count": karyogram.count,
        "sex_complement": domain.sex_complement(karyogram.document),
        "doubts": karyogram.doubts,
        "accepted": karyogram.metaphase.accepted_at is not None,
        "can_undo": bool(standing.undo),
        "can_redo": bool(standing.redo),
        "editable": case.editable,
        "locked_because": states.locked_because(case.state),
    }


def history(user: User, metaphase_id: Any) -> QuerySet[KaryogramEdit]:
    """The steps of a cell's karyogram, oldest first; empty where there is no karyogram yet."""
    cell = metaphase(user, metaphase_id)
    return KaryogramEdit.objects.filter(karyogram__metaphase=cell).select_related("author").order_by("version")


def reports(user: User, case: Case | Any) -> QuerySet[Report]:
    """The submissions of a case, oldest first, without their snapshots."""
    return (
        Report.objects.filter(case=_own_case(user, case))
        .select_related("submitted_by")
        .prefetch_related("signatures")
        .defer("snapshot")
        .order_by("version", "round")
    )


def report(user: User, report_id: Any) -> Report:
    """One submission with its case, snapshot and signatures."""
    return _one(
        Report.objects.filter(case__laboratory=_laboratory(user), pk=_uuid(report_id))
        .select_related("case__laboratory", "case__patient", "submitted_by")
        .prefetch_related("signatures")
    )


def audit_entries(user: User, case: Case | Any) -> QuerySet[AuditEntry]:
    """The audit log of one case, oldest first.  Raises Forbidden for roles that may not read it."""
    own = _own_case(user, case)
    laboratory = policies.require(user, "view_audit").laboratory
    return AuditEntry.objects.filter(laboratory=laboratory, case_id=own).order_by("number")

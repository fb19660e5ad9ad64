"""What is signed: one canonical JSON document of a whole case, and its SHA-256.

The snapshot repeats all that the report shows, copied rather than referred to, so that nothing that changes later
can change what was signed.  The PDF is made from it and from the images it names, and from nothing else.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from cases.counting import case_sum
from cases.domain import karyogram as domain
from cases.domain.standing import in_words
from cases.models import Case, Karyogram, Metaphase, Report, ReportState
from karyosite.accounts.models import User

SCHEMA = "karyosite.report/1"


def canonical(content: Any) -> bytes:
    """The one spelling of a snapshot: keys sorted, no spaces, UTF-8."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def sha256(content: Any) -> str:
    return hashlib.sha256(canonical(content)).hexdigest()


def build(
    case: Case,
    *,
    report_id: Any,
    report_round: int,
    result: str,
    comment: str,
    submitted_by: User | None,
    submitted_by_name: str,
    submitted_at: datetime,
) -> dict[str, Any]:
    """The snapshot of a case as the database holds it now.  Run it under the case's lock."""
    cells = [_cell(karyogram) for karyogram in _accepted(case)]
    found = {
        "schema": SCHEMA,
        "report": {"id": str(report_id), "version": case.version, "round": report_round},
        "research_use_only": case.laboratory.research_use_only,
        "laboratory": {"id": str(case.laboratory_id), "name": case.laboratory.name},
        "patient": {
            "id": str(case.patient_id),
            "identifier": case.patient.identifier,
            "family_name": case.patient.family_name,
            "given_name": case.patient.given_name,
            "birth_date": _date(case.patient.birth_date),
            "sex": case.patient.sex,
        },
        "case": {
            "id": str(case.pk),
            "accession_number": case.accession_number,
            "specimen": case.specimen,
            "indication": case.indication,
            "received_on": _date(case.received_on),
            "due_on": _date(case.due_on),
        },
        "result": result,
        "comment": comment,
        "submitted": {
            "by": submitted_by_name,
            "user": submitted_by.pk if submitted_by else None,
            "at": _moment(submitted_at),
        },
        "cells": cells,
        "cells_left_out": _left_out(case),
        "counting": _counting(case),
        "models": _models(cells),
    }
    # As any database gives it back: PostgreSQL knows no negative zero.
    found = json.loads(json.dumps(found), parse_float=lambda text: float(text) or 0.0)
    found["correction"] = _correction(case, found)
    return found


def rebuild(report: Report, case: Case) -> dict[str, Any]:
    """The snapshot that this submission would get now; equal to its own unless something changed since."""
    return build(
        case,
        report_id=report.pk,
        report_round=report.round,
        result=report.result,
        comment=report.comment,
        submitted_by=report.submitted_by,
        submitted_by_name=report.submitted_by_name,
        submitted_at=report.submitted_at,
    )


def parts_that_differ(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Names of the top-level parts that are not the same in both."""
    return sorted(
        key
        for key in {*one, *other}
        if canonical(one.get(key)) != canonical(other.get(key)) or (key in one) != (key in other)
    )


def _date(value: Any) -> str:
    return value.isoformat() if value else ""


def _moment(value: datetime | None) -> str:
    return value.astimezone(UTC).isoformat() if value else ""


def _accepted(case: Case) -> list[Karyogram]:
    return list(
        Karyogram.objects.filter(metaphase__case=case, metaphase__accepted_at__isnull=False)
        .select_related("metaphase__image", "metaphase__culture", "metaphase__accepted_by", "metaphase__tally")
        .defer("proposal")
        .order_by("metaphase__ordinal")
    )


def _cell(karyogram: Karyogram) -> dict[str, Any]:
    cell = karyogram.metaphase
    return {
        "id": str(cell.pk),
        "ordinal": cell.ordinal,
        "culture": cell.culture.label if cell.culture else "",
        "image": {
            "sha256": cell.image.sha256,
            "file": cell.image.file.name,
            "page": cell.page,
            "name": cell.original_name,
            "width": cell.width,
            "height": cell.height,
        },
        "karyogram": {
            "version": karyogram.version,
            "document": karyogram.document,
            "count": domain.count(karyogram.document),
            "sex_complement": domain.sex_complement(karyogram.document),
            "doubts": domain.doubts(karyogram.document),
        },
        "count": _count(cell),
        "accepted": {
            "by": str(cell.accepted_by or ""),
            "user": cell.accepted_by_id,
            "at": _moment(cell.accepted_at),
        },
    }


def _left_out(case: Case) -> list[dict[str, Any]]:
    """Cells on record that nobody accepted: a reader must be able to see that there are more."""
    cells = Metaphase.objects.filter(case=case, accepted_at=None).select_related("image", "tally").order_by("ordinal")
    return [
        {
            "ordinal": cell.ordinal,
            "sha256": cell.image.sha256,
            "page": cell.page,
            "analysis": cell.analysis_state,
            "standing": cell.standing,
            "reason": cell.exclusion_reason,
            "count": _count(cell),
        }
        for cell in cells
    ]


def _count(cell: Metaphase) -> dict[str, Any] | None:
    """What a person counted, where someone did, whatever the karyogram holds."""
    if not hasattr(cell, "tally"):
        return None
    tally = cell.tally
    return {"number": tally.number, "sure": tally.sure, "by": tally.counted_by_name, "at": _moment(tally.counted_at)}


def _counting(case: Case) -> dict[str, Any]:
    """How many cells were counted, analysed, karyotyped and excluded: numbers, and the report's own sentences."""
    cells = Metaphase.objects.filter(case=case).select_related("karyogram", "tally")
    found = case_sum(cells.defer("karyogram__document", "karyogram__proposal", "tally__ticks"))
    numbers = {name: getattr(found, name) for name in ("cells", "counted", "analysed", "karyotyped", "excluded")}
    return {
        **numbers,
        "distribution": [list(pair) for pair in found.distribution.items()],
        "summary": in_words(found),
    }


def _models(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every model that had a hand in the cells, each once."""
    found = {canonical(model): model for cell in cells for model in cell["karyogram"]["document"]["models"]}
    return sorted(found.values(), key=lambda model: (model["role"], model["name"], model["version"], model["sha256"]))


def _correction(case: Case, now: dict[str, Any]) -> dict[str, Any] | None:
    """For version 2 and up: why it was opened, what differs from the version before, and all earlier versions."""
    signed = list(
        Report.objects.filter(case=case, state=ReportState.SIGNED, version__lt=case.version)
        .prefetch_related("signatures")
        .order_by("version")
    )
    if not signed:
        return None
    earlier = []
    for report in signed:
        signature = list(report.signatures.all())[-1]
        correction = report.snapshot.get("correction") or {}
        earlier.append(
            {
                "version": report.version,
                "result": report.result,
                "signed_by": signature.printed_name,
                "signed_at": _moment(signature.signed_at),
                "sha256": report.snapshot_sha256,
                "reason": correction.get("reason", ""),
            }
        )
    return {"reason": case.amendment_reason, "changes": changes(signed[-1].snapshot, now), "earlier": earlier}


def _summary(said: dict[str, Any]) -> str:
    return " ".join(said.get("counting", {}).get("summary", []))


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Sentences on what differs between two snapshots of one case, for the reader of a corrected report."""
    found = []
    if before["result"] != after["result"]:
        found.append(f"Result: was “{before['result']}”, is now “{after['result']}”.")
    if before["comment"] != after["comment"]:
        found.append(f"Comment: was “{before['comment'] or '(none)'}”, is now “{after['comment'] or '(none)'}”.")
    for part, word in (("patient", "Patient"), ("case", "Case")):
        for key in after[part]:
            old, new = before[part].get(key, ""), after[part][key]
            if old != new:
                found.append(f"{word}, {key.replace('_', ' ')}: was “{old or '(none)'}”, is now “{new or '(none)'}”.")
    old_cells = {cell["id"]: cell for cell in before["cells"]}
    new_cells = {cell["id"]: cell for cell in after["cells"]}
    for identifier, cell in new_cells.items():
        old_cell = old_cells.get(identifier)
        if old_cell is None:
            found.append(f"Cell {cell['ordinal']} was added.")
        elif canonical(old_cell["karyogram"]["document"]) != canonical(cell["karyogram"]["document"]):
            counts = f"{old_cell['karyogram']['count']} → {cell['karyogram']['count']} chromosomes"
            found.append(f"Cell {cell['ordinal']}: the karyogram was changed ({counts}).")
    for identifier, cell in old_cells.items():
        if identifier not in new_cells:
            found.append(f"Cell {cell['ordinal']} was taken out.")
    old_sum, new_sum = (_summary(one) for one in (before, after))
    if old_sum != new_sum:
        found.append(f"Cells: was “{old_sum or '(not stated)'}”, is now “{new_sum}”.")
    return found or ["Nothing in the result, the comment or the cells differs from the version before."]

"""A process of the program under test, doing what a person or the web process would do: one JSON line, one answer.

The suite's own Django looks at the suite's own database; the workers under test look at a real file or server, and
so does this.
"""

from __future__ import annotations

import datetime
import json
import sys
import time
import traceback
import uuid
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core.files.base import ContentFile  # noqa: E402

from cases.actions.add_metaphases import add_metaphases  # noqa: E402
from cases.actions.cancel_analysis import cancel_analysis  # noqa: E402
from cases.actions.create_case import create_case  # noqa: E402
from cases.actions.create_patient import create_patient  # noqa: E402
from cases.actions.request_analysis import request_analysis  # noqa: E402
from cases.models import Case, KaryogramEdit, Metaphase  # noqa: E402
from inference import jobs  # noqa: E402
from inference.models import InferenceJob  # noqa: E402
from karyosite import questions  # noqa: E402
from karyosite.accounts.models import Laboratory, Membership, User  # noqa: E402
from karyosite.audit.models import AuditEntry  # noqa: E402
from karyosite.audit.record import broken_links  # noqa: E402
from karyosite.errors import Refusal  # noqa: E402

CELLS = Path(__file__).resolve().parents[2] / "cases" / "demo" / "cells"


def _person() -> User:
    laboratory, made = Laboratory.objects.get_or_create(name="Harbour Cytogenetics")
    user, _ = User.objects.get_or_create(username="tess", defaults={"printed_name": "Tess Okafor"})
    if made:
        Membership.objects.create(user=user, laboratory=laboratory, role="technologist")
    return user


def add_cells(names: list[str]) -> list[dict[str, str]]:
    """A new case with these cells, through the same action as an upload: metaphase and job of each."""
    user, number = _person(), uuid.uuid4().hex[:8]
    patient = create_patient(user=user, identifier=f"MRN-{number}")
    case = create_case(
        user=user,
        patient_id=patient.pk,
        accession_number=f"26-{number}",
        specimen="blood",
        received_on=datetime.date(2026, 11, 18),
    )
    for name in names:
        upload = ContentFile((CELLS / name).read_bytes(), name=name)
        add_metaphases(user=user, case_id=case.pk, upload=upload, name=name)
    return [_cell(cell) for cell in Metaphase.objects.filter(case=case)]


def _cell(cell: Metaphase) -> dict[str, str]:
    return {"metaphase": str(cell.pk), "job": str(cell.analysis_job)}


def again(metaphase: str) -> dict[str, str]:
    return _cell(request_analysis(user=_person(), metaphase_id=metaphase))


def cancel(metaphase: str) -> dict[str, str]:
    return _cell(cancel_analysis(user=_person(), metaphase_id=metaphase))


def call_off_the_rest() -> int:
    """What one test left waiting would be taken by the next one's workers."""
    waiting = Metaphase.objects.filter(inference_jobs__state__in=["queued", "running"]).distinct()
    return len([cancel_analysis(user=_person(), metaphase_id=cell.pk) for cell in waiting])


def job(job: str) -> dict[str, Any]:
    row = InferenceJob.objects.get(pk=job)
    return {
        "state": row.state,
        "attempt": row.attempt,
        "stage": row.stage,
        "error": row.error,
        "worker": row.worker,
        "models_used": row.models_used,
        "timings_s": row.timings_s,
        "wait_s": row.wait_s,
        "run_s": row.run_s,
    }


def cell(metaphase: str) -> dict[str, Any]:
    """Everything that would show if work had been lost or done twice."""
    row = Metaphase.objects.get(pk=metaphase)
    karyogram = getattr(row, "karyogram", None)
    entries = AuditEntry.objects.filter(case_id=row.case_id)
    return {
        "state": row.analysis_state,
        "error": row.analysis_error,
        "jobs": InferenceJob.objects.filter(metaphase=row).count(),
        "version": karyogram.version if karyogram else 0,
        "edits": KaryogramEdit.objects.filter(karyogram__metaphase=row).count(),
        "count": karyogram.count if karyogram else None,
        "proposals_in_audit": entries.filter(
            verb="karyogram.proposed", object_id=str(karyogram and karyogram.pk)
        ).count(),
        "failures_in_audit": entries.filter(verb="analysis.failed", object_id=str(row.pk)).count(),
        "audit_whole": broken_links(Case.objects.get(pk=row.case_id).laboratory) == [],
    }


def ring(job: str, times: int) -> bool:
    return all([jobs.ring(uuid.UUID(job)) for _ in range(times)])


def set_attempt(job: str, attempt: int) -> int:
    return InferenceJob.objects.filter(pk=job).update(attempt=attempt)


def spoil(metaphase: str, content: str | None) -> None:
    """Change the stored original behind the program's back; None takes it away."""
    path = Path(Metaphase.objects.select_related("image").get(pk=metaphase).image.file.path)
    path.chmod(0o600)
    path.unlink() if content is None else path.write_bytes(content.encode())


def cut(metaphase: str, times: int = 1, **pointed: Any) -> dict[str, Any]:
    """Points at a cell as the web process does; the last answer or refusal, and the seconds that each took."""
    question = {"metaphase": metaphase, "box": None, "points": [], "rings": None} | pointed
    seconds, answer = [], {}
    for _ in range(times):
        started = time.perf_counter()
        try:
            answer = questions.ask("inference.tasks.cut", question)
        except Refusal as refusal:
            answer = {"status": refusal.status_code, "code": refusal.code, "detail": refusal.sentence}
        seconds.append(time.perf_counter() - started)
    return {"answer": answer, "seconds": seconds}


def main() -> None:
    deeds = {
        f.__name__: f for f in (add_cells, again, cancel, call_off_the_rest, job, cell, ring, set_attempt, spoil, cut)
    }
    for line in sys.stdin:
        wanted = json.loads(line)
        try:
            answer = {"answer": deeds[wanted["do"]](**wanted["with"])}
        except Exception:
            answer = {"fault": traceback.format_exc()}
        print(f"@{json.dumps(answer)}", flush=True)


if __name__ == "__main__":
    main()

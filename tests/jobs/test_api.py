"""Jobs as the API shows them: filtered, paged by key, a constant number of queries, another laboratory's hidden."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient


@pytest.fixture
def many(metaphase: Any, technologist: Any) -> list[Any]:
    """Seven ended jobs of one cell, one second apart, and one that waits."""
    from inference import jobs
    from inference.models import InferenceJob

    start = timezone.now() - datetime.timedelta(hours=1)
    made = [
        InferenceJob.objects.create(
            metaphase=metaphase,
            state="failed" if number % 2 else "succeeded",
            error="No." if number % 2 else "",
            queued_at=start + datetime.timedelta(seconds=number),
            claimed_at=start + datetime.timedelta(seconds=number + 2),
            finished_at=start + datetime.timedelta(seconds=number + 5),
            attempt=1,
            models_used=[{"role": "detector", "name": "d", "version": "1", "sha256": "a" * 64}],
            timings_s={"detect": 0.1},
        )
        for number in range(7)
    ]
    return [*made, jobs.request(metaphase=metaphase, user=technologist)]


def client(user: Any) -> APIClient:
    signed_in = APIClient()
    signed_in.force_authenticate(user)
    return signed_in


def test_a_job_tells_what_it_waited_ran_and_used(many: list[Any], technologist: Any) -> None:
    shown = client(technologist).get(f"/api/v1/jobs/{many[0].pk}/").json()
    assert (shown["wait_s"], shown["run_s"], shown["attempt"]) == (2.0, 3.0, 1)
    assert shown["models_used"][0]["role"] == "detector" and shown["timings_s"] == {"detect": 0.1}
    assert shown["url"] == f"/api/v1/jobs/{many[0].pk}/"
    assert shown["research_use_only"] is True


def test_the_list_is_newest_first_filtered_and_paged(
    many: list[Any], technologist: Any, stranger: Any, django_assert_max_num_queries: Any
) -> None:
    tess = client(technologist)
    seen, address = [], "/api/v1/jobs/?page_size=3"
    while address:
        with django_assert_max_num_queries(4):
            page = tess.get(address).json()
        seen += [job["id"] for job in page["results"]]
        address = page["next"]
    assert seen == [str(job.pk) for job in reversed(many)]

    def states(query: str) -> list[str]:
        return [job["state"] for job in tess.get(f"/api/v1/jobs/?{query}").json()["results"]]

    case = many[0].metaphase.case_id
    assert states("state=failed") == ["failed"] * 3
    assert len(states(f"case={case}")) == len(states(f"metaphase={many[0].metaphase_id}")) == 8
    assert states(f"metaphase={case}") == []
    assert client(stranger).get(f"/api/v1/jobs/?case={case}").json()["results"] == []


def test_retry_makes_a_new_job_and_cancel_ends_it(
    many: list[Any], technologist: Any, administrator: Any, stranger: Any
) -> None:
    from karyosite.audit.models import AuditEntry

    failed, live = many[1], many[-1]
    tess = client(technologist)
    assert tess.post(f"/api/v1/jobs/{failed.pk}/retry/").status_code == 409, "one live job a cell"
    assert client(administrator).post(f"/api/v1/jobs/{live.pk}/cancel/").status_code == 403
    assert client(stranger).post(f"/api/v1/jobs/{live.pk}/cancel/").status_code == 404

    cancelled = tess.post(f"/api/v1/jobs/{live.pk}/cancel/")
    assert (cancelled.status_code, cancelled.json()["state"]) == (202, "cancelled")
    assert tess.post(f"/api/v1/jobs/{live.pk}/cancel/").status_code == 409

    again = tess.post(f"/api/v1/jobs/{live.pk}/retry/")
    assert (again.status_code, again.json()["state"]) == (202, "queued")
    assert again["Location"] == f"/api/v1/jobs/{again.json()['id']}/" and again.json()["id"] != str(live.pk)
    verbs = list(AuditEntry.objects.order_by("number").values_list("verb", flat=True))
    assert verbs[-2:] == ["analysis.cancel-requested", "analysis.requested"]


def test_ready_tells_which_part_is_not(db: Any) -> None:
    # The suite's own folder has no broker: that is the very case.
    answer = APIClient().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "The database answers."
    assert "wait in the database" in answer.json()["checks"]["broker"]
    assert APIClient().get("/healthz").json() == {"status": "alive"}


def test_the_audit_log_is_verified_by_command(case: Any, technologist: Any, capsys: Any) -> None:
    from django.core.management import CommandError, call_command
    from django.db import transaction

    from cases.actions import verbs
    from karyosite.audit.models import AuditEntry
    from karyosite.audit.record import record

    for number in range(3):
        with transaction.atomic():
            record(
                laboratory=case.laboratory, actor=technologist, verb=verbs.CASE_CHANGED, about=case, summary=f"{number}"
            )
    call_command("verify-audit")
    assert "Harbour Cytogenetics: 3 entries, whole" in capsys.readouterr().out
    AuditEntry.objects.filter(number=2).update(summary="nothing happened")
    with pytest.raises(CommandError, match="changed outside Karyosite"):
        call_command("verify-audit")
    assert "Entry 2 was changed" in capsys.readouterr().out

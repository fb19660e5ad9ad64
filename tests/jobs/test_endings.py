"""Whatever happens inside an attempt, the job ends with a sentence that a person can read."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from karyosite.errors import Conflict


@pytest.fixture
def held(metaphase: Any, technologist: Any) -> Any:
    from inference import jobs

    job = jobs.request(metaphase=metaphase, user=technologist)
    claimed = jobs.claim(str(job.pk))
    assert claimed is not None
    return claimed


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (MemoryError(), "more memory than this machine has"),
        (RuntimeError("CUDA error: an illegal memory access"), "because of a fault in the program"),
        (Conflict("The case is signed and does not change."), "The case is signed and does not change."),
    ],
)
def test_what_an_attempt_raises_becomes_a_sentence(
    held: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, raised: Exception, words: str
) -> None:
    from inference import originals, work
    from inference.models import InferenceJob

    def broken(*_: Any, **__: Any) -> None:
        raise raised

    monkeypatch.setattr(originals, "grey", broken)
    with caplog.at_level(logging.ERROR):
        work._attempt(held)

    job = InferenceJob.objects.select_related("metaphase").get(pk=held.job_id)
    assert job.state == job.metaphase.analysis_state == "failed"
    assert words in job.error and job.error == job.metaphase.analysis_error
    assert "CUDA" not in job.error
    assert isinstance(raised, Conflict) or "Traceback" in caplog.text, "the operator finds the fault in the log"


def test_a_database_that_stays_away_does_not_fail_the_job(held: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    from inference import originals, work
    from inference.models import InferenceJob

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(originals, "grey", away)
    with pytest.raises(OperationalError):
        work._attempt(held)
    job = InferenceJob.objects.get(pk=held.job_id)
    assert (job.state, job.error) == ("running", ""), "it comes back when its heartbeat is old"


def test_one_live_job_a_cell(metaphase: Any, technologist: Any, colleague: Any) -> None:
    from inference import jobs
    from inference.models import InferenceJob

    first = jobs.request(metaphase=metaphase, user=technologist)
    assert jobs.request(metaphase=metaphase, user=colleague).pk == first.pk
    assert jobs.claim(str(first.pk)) is not None
    assert jobs.claim(str(first.pk)) is None
    assert jobs.request(metaphase=metaphase, user=colleague).pk == first.pk
    assert InferenceJob.objects.count() == 1


def test_only_the_holder_of_the_claim_may_change_the_job(held: Any) -> None:
    import dataclasses
    import uuid

    from inference import jobs
    from inference.models import InferenceJob

    other = dataclasses.replace(held, token=uuid.uuid4())
    assert not jobs.beat(other)
    for step in (lambda: jobs.enter_stage(other, "detect"), lambda: jobs.fail(other, "No.")):
        with pytest.raises(jobs.ClaimLost):
            step()
    job = InferenceJob.objects.select_related("metaphase").get(pk=held.job_id)
    assert (job.state, job.stage, job.metaphase.analysis_state) == ("running", "", "running")


def test_a_dead_process_is_known_and_a_doubtful_one_left_to_its_heartbeat() -> None:
    import subprocess
    import sys

    from inference import workers

    assert not workers.has_died(workers.this_worker())
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = workers._name_of(child.pid)
    assert not workers.has_died(name)
    child.kill()
    child.wait()
    assert workers.has_died(name)
    host, process, started, place = name.split("|")
    assert not workers.has_died(f"{host}|{process}|{started}|another-machine")
    assert not workers.has_died("")

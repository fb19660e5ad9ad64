"""The life of a job: asked for, claimed, finished or failed, brought back when its worker died.

    queued → running → succeeded | failed        running → queued when the worker is lost, a few times at most
    queued | running → cancelled

Every step is one compare-and-set on the job's row, in one transaction with its mirror on the cell.  The cell is
written first and the job last, so that locks are taken in the order that the laboratory's actions take them
(case, cell, karyogram, laboratory, job); where the job turns out to be no longer ours, everything is rolled back.
"""

from __future__ import annotations

import functools
import logging
import uuid
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import kombu.exceptions
import redis
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from cases.actions.accept_proposal import accept_proposal
from cases.actions.mirror_analysis import mirror_analysis
from cases.models import Metaphase
from inference import workers
from inference.models import InferenceJob, JobState
from karyosite.accounts.models import User
from karyosite.celery import app
from karyosite.env import environment

if TYPE_CHECKING:
    from inference.protocols import Proposal

LIVE = (JobState.QUEUED, JobState.RUNNING)
# A bell just rung needs this long to be heard before it counts as unheard.
_UNHEARD_AFTER = timedelta(seconds=5)
_BROKER_SILENT = (kombu.exceptions.OperationalError, redis.RedisError, OSError)
log = logging.getLogger(__name__)


class ClaimLost(Exception):
    """The job was cancelled, or given to another worker: whatever was computed for it is thrown away."""


@dataclass(frozen=True)
class Claim:
    """One attempt at one job.  Only the holder of `token` may change the job."""

    job_id: uuid.UUID
    metaphase_id: uuid.UUID
    token: uuid.UUID

    @property
    def guard(self) -> dict[str, Any]:
        return {"state": JobState.RUNNING, "claim": self.token}


def _move(job: Claim | InferenceJob, guard: dict[str, Any], state: str, **changes: Any) -> None:
    """Change the job, and its mirror on the cell, if the guard still holds.  Raises ClaimLost, nothing changed."""
    job_id = job.job_id if isinstance(job, Claim) else job.pk
    with transaction.atomic():
        mirror_analysis(
            metaphase_id=job.metaphase_id,
            job_id=job_id,
            state=state,
            stage=changes.get("stage", ""),
            error=changes.get("error", ""),
        )
        if InferenceJob.objects.filter(pk=job_id, **guard).update(state=state, **changes) != 1:
            raise ClaimLost


# ---- asking for work


def request(*, metaphase: Metaphase, user: User | None) -> InferenceJob:
    """One live job a cell: the one there is, or a new one.  The bell rings once the transaction has committed."""
    with transaction.atomic():
        live = _live_job(metaphase)
        if live is not None:
            return live
        try:
            with transaction.atomic():
                job = InferenceJob.objects.create(metaphase=metaphase, requested_by=user, queued_at=timezone.now())
        except IntegrityError:
            live = _live_job(metaphase)  # somebody else asked at the same moment
            if live is None:
                raise
            return live
        mirror_analysis(metaphase_id=metaphase.pk, job_id=job.pk, state=JobState.QUEUED)
        _ring_after_commit(job.pk)
    return job


def _live_job(metaphase: Metaphase) -> InferenceJob | None:
    return InferenceJob.objects.filter(metaphase=metaphase, state__in=LIVE).first()


def on_metaphase_added(*, metaphase: Metaphase, user: User, **_: Any) -> None:
    request(metaphase=metaphase, user=user)


def on_reanalysis_requested(*, metaphase: Metaphase, user: User, **_: Any) -> None:
    request(metaphase=metaphase, user=user)


def on_cancel_requested(*, metaphase: Metaphase, **_: Any) -> None:
    """A waiting job ends here.  A running one ends here too; its worker notices between two stages, and stops."""
    live = _live_job(metaphase)
    if live is None:
        return
    try:
        _move(live, {"state__in": LIVE}, JobState.CANCELLED, stage="", claim=None, finished_at=timezone.now())
    except ClaimLost:
        log.info("job %s had ended before it was cancelled", live.pk)


# ---- the bell


def _ring_after_commit(job_id: uuid.UUID) -> None:
    transaction.on_commit(functools.partial(ring, job_id), robust=True)


def ring(job_id: uuid.UUID) -> bool:
    """Wake a worker for this job.  False when the broker does not answer: the job waits, and `tend` rings again."""
    try:
        app.send_task("inference.tasks.analyse", args=[str(job_id)], ignore_result=True)
    except _BROKER_SILENT as error:
        log.warning("the broker does not answer; job %s waits in the database: %s", job_id, error)
        return False
    return True


def _bells_waiting() -> int | None:
    """Messages in the inference queue, or None when the broker does not answer."""
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0.2, interval_max=0.2)
            return int(connection.default_channel.queue_declare(queue="inference", passive=True).message_count)
    except kombu.exceptions.ChannelError:
        return 0  # the server keeps no empty lists
    except _BROKER_SILENT:
        return None


# ---- what a worker does


def claim(job_id: str) -> Claim | None:
    """Take the job, or walk away: it is another's, ended, or was never there."""
    job = InferenceJob.objects.filter(pk=job_id, state=JobState.QUEUED).first()
    if job is None:
        return None
    held = Claim(job.pk, job.metaphase_id, uuid.uuid4())
    now = timezone.now()
    try:
        _move(
            job, {"state": JobState.QUEUED}, JobState.RUNNING,
            claim=held.token, claimed_at=now, heartbeat_at=now, attempt=F("attempt") + 1,
            worker=workers.this_worker(), stage="",
        )  # fmt: skip
    except ClaimLost:
        return None
    return held


def beat(held: Claim) -> bool:
    """Say that this attempt lives.  False once it is no longer ours."""
    return InferenceJob.objects.filter(pk=held.job_id, **held.guard).update(heartbeat_at=timezone.now()) == 1


def enter_stage(held: Claim, stage: str) -> None:
    """Note the stage about to begin.  Raises ClaimLost."""
    _move(held, held.guard, JobState.RUNNING, stage=stage, heartbeat_at=timezone.now())


def finish(held: Claim, proposal: Proposal) -> None:
    """The karyogram and the job's end in one transaction.  Raises ClaimLost, and then nothing was stored."""
    with transaction.atomic():
        accept_proposal(metaphase_id=held.metaphase_id, document=proposal.document)
        _move(
            held, held.guard, JobState.SUCCEEDED,
            claim=None, stage="", finished_at=timezone.now(),
            models_used=[asdict(model) for model in proposal.models],
            timings_s={stage: round(seconds, 4) for stage, seconds in proposal.timings_s.items()},
        )  # fmt: skip


def fail(held: Claim, sentence: str) -> None:
    """The attempt ended, and another would end the same way.  Raises ClaimLost."""
    _move(held, held.guard, JobState.FAILED, claim=None, stage="", error=sentence, finished_at=timezone.now())


def give_back(held: Claim, last_words: str) -> None:
    """The worker has to stop: another attempt, or, when attempts have run out, the end with `last_words`."""
    job = InferenceJob.objects.filter(pk=held.job_id, **held.guard).first()
    if job is None:
        raise ClaimLost
    _queue_again(job, last_words)


# ---- after a loss


def _queue_again(job: InferenceJob, last_words: str) -> None:
    """Raises ClaimLost when the attempt has ended, or beaten, since the job was read."""
    guard = {"state": JobState.RUNNING, "claim": job.claim, "heartbeat_at": job.heartbeat_at}
    if job.attempt >= environment.job_max_attempts:
        _move(job, guard, JobState.FAILED, claim=None, stage="", error=last_words, finished_at=timezone.now())
        log.error("job %s failed: attempts ran out", job.pk)
        return
    with transaction.atomic():
        _move(
            job, guard, JobState.QUEUED, claim=None, stage="", worker="", claimed_at=None, heartbeat_at=None
        )  # fmt: skip
        _ring_after_commit(job.pk)
    log.warning("job %s came back from a lost worker; attempt %d was lost", job.pk, job.attempt)


def tend() -> None:
    """Bring back what lost workers left, and ring again for what nobody heard.  Any number may run at once."""
    stale = timezone.now() - timedelta(seconds=environment.job_stale_after_s)
    for job in InferenceJob.objects.filter(state=JobState.RUNNING).order_by("heartbeat_at"):
        if (job.heartbeat_at is not None and job.heartbeat_at < stale) or workers.has_died(job.worker):
            try:
                _queue_again(
                    job,
                    f"The analysis was started {job.attempt} times, and each time the worker stopped before the end. "
                    "The picture is kept. It may be too large for this machine's memory: crop it to the cell, "
                    "or ask your administrator.",
                )
            except ClaimLost:
                continue
    _ring_for_the_unheard()


def _ring_for_the_unheard() -> None:
    """The queue serves the longest wait first.  Empty, it holds none of the waiting jobs: ring for all of them.
    Not empty, the longest waiting should be at its head: ring for those, in case their message was lost."""
    waiting = InferenceJob.objects.filter(state=JobState.QUEUED, queued_at__lt=timezone.now() - _UNHEARD_AFTER)
    oldest = list(waiting.order_by("queued_at").values_list("pk", flat=True)[:1000])
    if not oldest:
        return
    bells = _bells_waiting()
    if bells is None:
        log.warning("the broker does not answer; %d jobs wait in the database", len(oldest))
        return
    for job_id in oldest if bells == 0 else oldest[:20]:
        if not ring(job_id):
            return


def tend_quietly() -> None:
    """For a worker that comes up: trouble here must not keep it from working."""
    try:
        tend()
    except DatabaseError:
        log.exception("could not look for waiting jobs")

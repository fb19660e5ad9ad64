"""What the bell starts.  Each task takes an id at most and calls one function."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_ready

from inference import jobs, prompts, work
from karyosite import questions


@shared_task(name="inference.tasks.analyse")
def analyse(job_id: str) -> None:
    """Work on one job, if it still waits."""
    work.work_on(job_id)


@shared_task(name="inference.tasks.tend")
def tend() -> None:
    """Bring back what dead workers left, and ring again for what nobody heard."""
    jobs.tend()
    prompts.rest()


# Not redelivered: a question that took its worker down would take the next one too, and nobody waits for it any more.
@shared_task(name="inference.tasks.cut", acks_late=False, reject_on_worker_lost=False)
def cut(question_id: str, question: dict[str, Any]) -> None:
    """Answer one person's pointing, if they still wait."""
    questions.answer(question_id, lambda: prompts.cut(question))


@worker_ready.connect
def _tend_at_once(sender: Any, **_: Any) -> None:
    """A worker that comes up looks for work whose bell nobody heard, without waiting for beat."""
    if "inference" in sender.app.amqp.queues.consume_from:
        jobs.tend_quietly()

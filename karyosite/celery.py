"""The task queue's settings.  Tasks carry a job's id and nothing else; the database knows the rest."""

from __future__ import annotations

import logging
import os
from typing import Any

from celery import Celery, bootsteps
from celery.signals import setup_logging
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "karyosite.settings")
# Django's checks import every page and API view, which no worker needs; `up` and the suite run them.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

from karyosite import broker  # noqa: E402
from karyosite.env import environment  # noqa: E402

QUEUES = ("default", "inference", "prompts")
# Often enough that a dead worker's job waits little beyond the time after which it counts as dead.
TEND_EVERY_S = max(1.0, min(15.0, environment.job_stale_after_s / 6))

app = Celery("karyosite")
app.conf.update(
    broker_url=broker.url(),
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        # A message that nobody acknowledged comes back after this long; it must outlive the longest job.
        "visibility_timeout": 2 * environment.job_time_limit_s + 120,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
    },
    result_backend=None,
    task_ignore_result=True,
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    # Each with its own exchange and key, so that no message can reach another queue by a default.
    task_queues=tuple(Queue(name, Exchange(name), routing_key=name) for name in QUEUES),
    task_default_queue="default",
    task_create_missing_queues=False,
    task_routes={
        "inference.tasks.analyse": {"queue": "inference"},
        "inference.tasks.cut": {"queue": "prompts"},
    },
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_publish_retry=True,
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2},
    worker_prefetch_multiplier=1,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    timezone="UTC",
    beat_schedule_filename=str(environment.data_dir.resolve() / "beat-schedule"),
    beat_schedule={
        "tend the jobs": {
            "task": "inference.tasks.tend",
            "schedule": TEND_EVERY_S,
            # An unheard round is worth nothing once the next has rung.
            "options": {"queue": "default", "expires": TEND_EVERY_S},
        }
    },
)
app.autodiscover_tasks(["inference"])


@setup_logging.connect
def _log_as_the_site_does(**_: Any) -> None:
    """Django has set logging up.  What beat sends and tasks report is said better by the jobs themselves."""
    for name in ("celery.beat", "celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)


class InferenceWorkerIsAlone(bootsteps.Step):
    """One cell at a time in the process that holds the models; a reserved second one would wait behind it unseen."""

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        if "inference" not in parent.app.amqp.queues.consume_from:
            return
        pool = parent.pool_cls.__module__.rpartition(".")[2]
        if pool != "solo":
            raise SystemExit(
                f"A worker that serves the inference queue must run with --pool solo, not {pool}: models are loaded "
                "once per process. Nothing was started. Start more workers to work on more cells at once."
            )
        if parent.prefetch_multiplier != 1:
            raise SystemExit(
                "A worker that serves the inference queue must run with --prefetch-multiplier 1: a cell it reserved "
                "beyond the one it works on would wait while another worker is idle. Nothing was started."
            )


app.steps["worker"].add(InferenceWorkerIsAlone)

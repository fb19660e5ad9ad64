"""A question to a worker whose answer a person waits for, within a request.

The question travels as a task with JSON arguments; the answer comes back over a list of the same broker that only
the asker reads.  Nothing of it is kept: a question is worth nothing once nobody waits, and is then not worked on.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from collections.abc import Callable
from functools import cache
from typing import Any

import kombu.exceptions
import redis

from karyosite import broker
from karyosite.celery import app
from karyosite.errors import Refusal

BEGIN_S = 3.0  # a worker that has not taken the question by then is away, or busy with somebody else's
FINISH_S = 25.0  # below the patience of browsers and proxies
_SLICE_S = 2.0
# Of the web process's eight threads, those that may wait for workers: pages must go on.
_waiting = threading.BoundedSemaphore(4)
_SILENT = (kombu.exceptions.OperationalError, redis.RedisError, OSError)
log = logging.getLogger(__name__)


class Unanswered(Refusal):
    """Nobody answered in time.  Nothing was changed: asking again is safe."""

    status_code = 503
    code = "no-worker"


@cache
def _channel(address: str) -> redis.Redis:
    return redis.Redis.from_url(address, socket_connect_timeout=1, socket_timeout=_SLICE_S + 2)


def _client() -> redis.Redis:
    return _channel(broker.client_address())


def _wanted(question_id: str) -> str:
    return f"karyosite:wanted:{question_id}"


def _answers(question_id: str) -> str:
    return f"karyosite:answers:{question_id}"


def ask(task: str, question: dict[str, Any]) -> dict[str, Any]:
    """The worker's answer.  Raises Unanswered, or the Refusal that the worker answered with."""
    if not _waiting.acquire(timeout=0.5):
        raise Unanswered("Too many are asking at once. Nothing was changed; try again in a moment.", code="busy")
    question_id = uuid.uuid4().hex
    try:
        client = _client()
        try:
            client.set(_wanted(question_id), 1, px=int(1000 * BEGIN_S))
            app.send_task(task, args=[question_id, question], ignore_result=True, expires=600)
            return _awaited(client, question_id)
        finally:
            client.delete(_wanted(question_id), _answers(question_id))
    except _SILENT:
        raise Unanswered(
            "The workers cannot be reached just now. Nothing was changed; try again in a moment, "
            "or tell whoever runs the server."
        ) from None
    finally:
        _waiting.release()


def _awaited(client: redis.Redis, question_id: str) -> dict[str, Any]:
    end, begun = time.monotonic() + BEGIN_S, False
    while (left := end - time.monotonic()) > 0:
        heard: Any = client.blpop([_answers(question_id)], timeout=max(0.05, min(left, _SLICE_S)))
        if heard is None:
            continue
        message = json.loads(heard[1])
        if message["state"] == "begun":
            end, begun = time.monotonic() + FINISH_S, True
        elif message["state"] == "refused":
            refusal = Refusal(message["sentence"], code=message["code"])
            refusal.status_code = message["status"]
            raise refusal
        else:
            return dict(message["answer"])
    if begun:
        raise Unanswered(
            "This takes longer than usual. Nothing was changed; it goes on in the background, so try again in half "
            "a minute.",
            code="takes-longer",
        )
    raise Unanswered(
        "No worker is free to do this just now. Nothing was changed; try again in a moment, or tell whoever runs the "
        "server if it stays so."
    )


def answer(question_id: str, work: Callable[[], dict[str, Any]]) -> bool:
    """In the worker: do the work if somebody still waits, and send what comes of it.  False when nobody did.

    work: gives a JSON object; a Refusal that it raises is handed to the asker.  What else it raises is raised here,
    and the asker is told that there was a fault.
    """
    client = _client()
    if not client.delete(_wanted(question_id)):
        log.info("question %s is dropped: nobody waits for it any more", question_id)
        return False
    _tell(client, question_id, {"state": "begun"})
    try:
        found = {"state": "done", "answer": work()}
    except Refusal as refusal:
        found = _refused(refusal.sentence, refusal.code, refusal.status_code)
    except Exception:
        _tell(
            client,
            question_id,
            _refused(
                "This could not be done because of a fault in the program. Nothing was changed; the fault was noted "
                "for the operator.",
                "fault",
                500,
            ),
        )
        raise
    _tell(client, question_id, found)
    return True


def _refused(sentence: str, code: str, status: int) -> dict[str, Any]:
    return {"state": "refused", "sentence": sentence, "code": code, "status": status}


def _tell(client: redis.Redis, question_id: str, message: dict[str, Any]) -> None:
    with client.pipeline() as pipe:
        pipe.rpush(_answers(question_id), json.dumps(message, allow_nan=False))
        pipe.pexpire(_answers(question_id), int(1000 * (FINISH_S + BEGIN_S)))
        pipe.execute()

"""One attempt at one job, in the worker: keep it alive, run the pipeline, hand the result in.

No transaction is open while pixels are computed.  Whatever an image does (unreadable, too large, a fault in a model),
the job ends with a sentence and the worker stays up.  A worker that hangs ends itself: the solo pool cannot stop a
task from outside.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import threading
import time
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, connection

from cases.models import Metaphase
from inference import jobs, originals
from inference.jobs import Claim, ClaimLost
from inference.protocols import AnalysisError, Proposal
from karyosite.env import environment
from karyosite.errors import Conflict
from karyosite.imaging import ImageRefused

# What the worker exits with when a job took too long; whoever started it starts it again.
EXIT_TOO_LONG = 70
_DATABASE_AWAY = (OperationalError, InterfaceError)
log = logging.getLogger(__name__)


def work_on(job_id: str) -> None:
    """Claim the job and see it to its end; does nothing when there is nothing to claim."""
    held = jobs.claim(job_id)
    if held is None:
        log.debug("job %s is not waiting: nothing to do", job_id)
        return
    started = time.perf_counter()
    with _Keeper(held):
        _rehearse("claimed")
        try:
            outcome = _attempt(held)
            log.info("job %s %s after %.1f s", job_id, outcome, time.perf_counter() - started)
        except ClaimLost:
            log.info("job %s was cancelled or given to another worker; this result is thrown away", job_id)
    _rehearse("committed")


def _attempt(held: Claim) -> str:
    """How it ended, in a word or a sentence, for the log.

    Raises ClaimLost.  A database that stays away is no fault of the picture: its error is raised too, the heartbeat
    ends with it, and the job comes back.
    """
    try:
        proposal = _analyse(held)
        _rehearse("before-commit")
        _patiently(jobs.finish, held, proposal)
        return "succeeded"
    except (ClaimLost, *_DATABASE_AWAY):
        raise
    except AnalysisError as error:
        sentence = str(error)
    except (ImageRefused, Conflict) as error:
        sentence = error.sentence
    except MemoryError:
        log.exception("job %s: out of memory", held.job_id)
        sentence = (
            "The analysis needs more memory than this machine has. The picture is kept. "
            "Crop it to the cell, or export it smaller, and upload that."
        )
    except Exception:
        log.exception("job %s: a fault in the program", held.job_id)
        sentence = (
            "The analysis stopped because of a fault in the program. The picture is kept. Try again; if it happens "
            f"again, give your administrator this number: {str(held.job_id)[:8]}."
        )
    _patiently(jobs.fail, held, sentence)
    return f"failed: {sentence}"


def _patiently(step: Any, *arguments: Any) -> None:
    """A database that is busy or just restarting gets a second and third chance before the result is lost."""
    for pause_s in (1, 4, None):
        try:
            step(*arguments)
            return
        except _DATABASE_AWAY:
            if pause_s is None:
                raise
            log.warning("the database did not take it; once more in %d s", pause_s, exc_info=True)
            connection.close()
            time.sleep(pause_s)


def _analyse(held: Claim) -> Proposal:
    """Raises AnalysisError, ImageRefused, ClaimLost, and whatever a fault raises."""
    started = time.perf_counter()

    def progress(stage: str) -> None:
        jobs.enter_stage(held, stage)
        _rehearse(stage)

    progress("load")
    metaphase = Metaphase.objects.select_related("image", "case").get(pk=held.metaphase_id)
    pixels = originals.grey(metaphase)
    read = time.perf_counter()

    from inference import registry
    from inference.pipeline import analyse
    from inference.selectors import active_models

    configuration = registry.activated(environment, active_models(metaphase.case.laboratory_id))
    detector, segmenter = registry.detector(configuration), registry.segmenter(configuration)
    classifier = registry.classifier(configuration)
    judge = registry.judge(configuration, detector, segmenter, classifier)
    ready = time.perf_counter()
    proposal = analyse(
        pixels,
        detector=detector,
        segmenter=segmenter,
        classifier=classifier,
        judge=judge,
        calibration=registry.calibration(detector, classifier, segmenter),
        image_facts={
            "sha256": metaphase.image.sha256,
            "page": metaphase.page,
            "width": pixels.shape[1],
            "height": pixels.shape[0],
        },
        progress=progress,
    )
    proposal.timings_s.update(read=read - started, models=ready - read)
    return proposal


class _Keeper:
    """While a job is worked on: a heartbeat, an eye on the time, and a last resort when even that is stuck."""

    def __init__(self, held: Claim) -> None:
        self._held = held
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="heartbeat", daemon=True)

    def __enter__(self) -> None:
        # Native code that never lets go of the interpreter stops every Python thread; this watchdog is not one.
        faulthandler.dump_traceback_later(environment.job_time_limit_s + 30, exit=True)
        self._thread.start()

    def __exit__(self, *_: Any) -> None:
        self._done.set()
        self._thread.join()
        faulthandler.cancel_dump_traceback_later()

    def _keep(self) -> None:
        end = time.monotonic() + environment.job_time_limit_s
        every_s = max(0.5, min(15.0, environment.job_stale_after_s / 6))
        try:
            while not self._done.wait(min(every_s, max(0.0, end - time.monotonic()))):
                if time.monotonic() >= end:
                    self._stop_the_process()
                try:
                    close_old_connections()
                    jobs.beat(self._held)
                except DatabaseError:
                    log.warning("job %s: the heartbeat was not written", self._held.job_id, exc_info=True)
                    connection.close()
        finally:
            connection.close()  # this thread's own

    def _stop_the_process(self) -> None:
        limit_s = environment.job_time_limit_s
        log.error("job %s took longer than %d s: this worker stops, to be started again", self._held.job_id, limit_s)
        try:
            jobs.give_back(
                self._held,
                f"The analysis took longer than {limit_s} seconds and was stopped. The picture is kept. "
                "Crop it to the cell and upload that, or ask your administrator.",
            )
        except Exception:
            log.exception("job %s could not be given back; it comes back when its heartbeat is old", self._held.job_id)
        finally:
            logging.shutdown()
            os._exit(EXIT_TOO_LONG)


def _rehearse(point: str) -> None:
    """Wait at a named point, so that a test or an operator can pull the plug exactly there."""
    if environment.fault_pause_s > 0 and point == environment.fault_pause_at:
        log.warning("fault rehearsal: waiting at %s", point)
        time.sleep(environment.fault_pause_s)

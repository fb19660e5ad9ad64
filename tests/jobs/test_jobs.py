"""Lost bells, spoilt pictures, jobs that take too long: by real workers over a real broker."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest

from karyosite.processes import COMMANDS
from tests.jobs.test_killed import SMALL, once
from tests.jobs.world import ROOT, World, until

# On one database: what differs between databases is in test_killed.
pytestmark = [pytest.mark.jobs, pytest.mark.parametrize("world", ["sqlite"], indirect=True)]


def test_a_broker_killed_and_emptied_loses_no_job(lab_at_work: World) -> None:
    [rung] = lab_at_work.do("add_cells", names=[SMALL])
    lab_at_work.empty_broker()
    # The upload is taken all the same: the person sees a waiting cell, not an error.
    [unrung] = lab_at_work.do("add_cells", names=[SMALL])
    assert lab_at_work.cell(unrung)["state"] == "queued"
    lab_at_work.start_broker()
    lab_at_work.inference()

    for cell in (rung, unrung):
        assert lab_at_work.wait_for_state(cell, "succeeded", 90)["attempt"] == 1
        once(lab_at_work.cell(cell))


def test_a_broker_that_restarts_under_a_working_worker_costs_nothing(lab_at_work: World) -> None:
    worker = lab_at_work.inference(pause_at="before-commit", pause_s=3)
    first = lab_at_work.do("add_cells", names=[SMALL])[0]
    worker.wait_for("waiting at before-commit", 90)
    second = lab_at_work.do("add_cells", names=[SMALL])[0]
    lab_at_work.broker.kill()
    lab_at_work.start_broker()

    for cell in (first, second):
        assert lab_at_work.wait_for_state(cell, "succeeded", 90)["attempt"] == 1
        once(lab_at_work.cell(cell))
    assert worker.returncode is None


def test_a_bell_rings_in_the_inference_queue_only(lab_at_work: World) -> None:
    import redis

    from karyosite import broker

    # The other worker, with its queues, is up; with no inference worker nobody may take the job.
    [cell] = lab_at_work.do("add_cells", names=[SMALL])
    with redis.Redis(unix_socket_path=str(broker.socket_path(lab_at_work.folder))) as client:
        until(lambda: client.llen("inference") >= 1, 10, lambda: "the bell did not ring")
    time.sleep(2)
    assert lab_at_work.job(cell)["state"] == "queued"
    lab_at_work.do("cancel", metaphase=cell["metaphase"])


@pytest.mark.parametrize(
    ("content", "words"),
    [("not what was uploaded", "fingerprint (SHA-256) does not match"), (None, "missing from the storage")],
)
def test_an_original_that_was_spoilt_gives_a_sentence_and_the_worker_goes_on(
    lab_at_work: World, content: str | None, words: str
) -> None:
    # A picture of its own for each: the storage keeps one file for equal pictures.
    cell_name = "1101021.jpg" if content else "1055733.jpg"
    [spoilt] = lab_at_work.do("add_cells", names=[cell_name])
    lab_at_work.do("spoil", metaphase=spoilt["metaphase"], content=content)
    worker = lab_at_work.inference()

    facts = lab_at_work.wait_for_state(spoilt, "failed")
    assert words in facts["error"] and "Nothing was analysed" in facts["error"]
    assert facts["attempt"] == 1, "another attempt would end the same way"
    assert lab_at_work.cell(spoilt)["error"] == facts["error"]
    [sound] = lab_at_work.do("add_cells", names=[SMALL])
    lab_at_work.wait_for_state(sound, "succeeded", 90)
    assert worker.returncode is None


def test_weights_that_are_not_there_are_told_plainly_and_the_worker_goes_on(lab_at_work: World) -> None:
    worker = lab_at_work.inference(KARYOSITE_DETECTOR_WEIGHTS="/nowhere/weights.pt")
    [cell] = lab_at_work.do("add_cells", names=[SMALL])
    facts = lab_at_work.wait_for_state(cell, "failed")
    assert facts["error"].endswith(".") and "Traceback" not in facts["error"]
    assert worker.returncode is None


def test_a_job_that_takes_too_long_ends_its_worker_and_comes_back(lab_at_work: World) -> None:
    # It stands still before any model is loaded: on a slow machine that alone takes longer than three seconds.
    slow = lab_at_work.inference(pause_at="load", KARYOSITE_JOB_TIME_LIMIT_S="3")
    [cell] = lab_at_work.do("add_cells", names=[SMALL])
    assert slow.ends(60) == 70
    assert "took longer than 3 s" in slow.text()
    assert lab_at_work.job(cell)["state"] == "queued"

    slow = lab_at_work.inference(pause_at="load", KARYOSITE_JOB_TIME_LIMIT_S="3")
    slow.wait_for("waiting at load", 90)
    lab_at_work.do("set_attempt", job=cell["job"], attempt=3)
    assert slow.ends(60) == 70
    assert "took longer than 3 seconds" in lab_at_work.job(cell)["error"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("--pool", "prefork"), "must run with --pool solo"),
        (("--prefetch-multiplier", "4"), "must run with --prefetch-multiplier 1"),
    ],
)
def test_a_worker_in_the_wrong_arrangement_does_not_start(world: World, change: tuple[str, str], words: str) -> None:
    command: list[Any] = [sys.executable, *COMMANDS["worker-inference"][1:], *change]
    done = subprocess.run(command, cwd=ROOT, env=world.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert words in done.stderr and "Traceback" not in done.stderr

"""The plug is pulled at every stage of a job: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from tests.jobs.world import World

pytestmark = pytest.mark.jobs
SMALL = "1101022.jpg"


def once(cell: dict[str, Any], *, jobs: int = 1) -> None:
    """One karyogram, one step of history, one entry in the log: as if nothing had ever gone wrong."""
    assert cell["state"] == "succeeded"
    assert cell["version"] == 1
    assert cell["edits"] == 1
    assert cell["proposals_in_audit"] == 1
    assert cell["jobs"] == jobs
    assert cell["count"] > 30, "the real pipeline looks at a real cell"
    assert cell["audit_whole"]


def test_a_worker_killed_at_any_point_loses_nothing_and_doubles_nothing(lab_at_work: World) -> None:
    # One worker a point; each takes one cell (prefetch 1), stands still there, and is killed there.
    points = ("claimed", "segment", "before-commit", "committed")
    doomed = {point: lab_at_work.start_inference(pause_at=point) for point in points}
    for worker in doomed.values():
        worker.wait_for("ready.")
    cells = {}
    for _ in points:
        [cell] = lab_at_work.do("add_cells", names=[SMALL])
        cells[cell["job"]] = cell
    for point, worker in doomed.items():
        worker.wait_for(f"fault rehearsal: waiting at {point}", 120)
    before = {job: lab_at_work.job(cell) for job, cell in cells.items()}
    workers = {job["worker"].split("|")[1] for job in before.values()}
    assert workers == {str(worker.pid) for worker in doomed.values()}, "each worker holds one job"
    assert sorted(job["state"] for job in before.values()) == ["running", "running", "running", "succeeded"]
    for job, facts in before.items():
        assert lab_at_work.cell(cells[job])["version"] == (1 if facts["state"] == "succeeded" else 0)

    for worker in doomed.values():
        worker.kill()
    survivor = lab_at_work.inference()

    for job, cell in cells.items():
        facts = lab_at_work.wait_for_state(cell, "succeeded", 90)
        assert facts["attempt"] == (1 if before[job]["state"] == "succeeded" else 2)
        assert facts["models_used"] and facts["timings_s"]["detect"] > 0 and facts["run_s"] > 0
        once(lab_at_work.cell(cell))
    assert survivor.returncode is None


def test_a_worker_that_falls_silent_is_replaced_and_its_late_result_thrown_away(lab_at_work: World) -> None:
    silent = lab_at_work.inference(pause_at="before-commit", pause_s=2)
    [cell] = lab_at_work.do("add_cells", names=[SMALL])
    silent.wait_for("waiting at before-commit", 90)
    silent.signal(signal.SIGSTOP)
    lab_at_work.inference()

    facts = lab_at_work.wait_for_state(cell, "succeeded", 90)
    assert facts["attempt"] == 2
    silent.signal(signal.SIGCONT)
    silent.wait_for("this result is thrown away")

    once(lab_at_work.cell(cell))
    [next_cell] = lab_at_work.do("add_cells", names=[SMALL])
    lab_at_work.wait_for_state(next_cell, "succeeded")
    assert silent.returncode is None


def test_a_bell_that_rings_often_is_answered_once_by_one_of_two_workers(lab_at_work: World) -> None:
    workers = [lab_at_work.start_inference(), lab_at_work.start_inference()]
    for worker in workers:
        worker.wait_for("ready.")
    cells = [lab_at_work.do("add_cells", names=[SMALL])[0] for _ in range(3)]
    for cell in cells:
        assert lab_at_work.do("ring", job=cell["job"], times=5)

    for cell in cells:
        facts = lab_at_work.wait_for_state(cell, "succeeded", 90)
        assert facts["attempt"] == 1
        once(lab_at_work.cell(cell))
    assert all(worker.returncode is None for worker in workers)


def test_a_job_whose_worker_always_dies_ends_with_a_sentence_and_can_be_tried_again(lab_at_work: World) -> None:
    doomed = lab_at_work.inference(pause_at="segment")
    [cell] = lab_at_work.do("add_cells", names=[SMALL])
    doomed.wait_for("waiting at segment", 90)
    lab_at_work.do("set_attempt", job=cell["job"], attempt=3)
    doomed.kill()

    facts = lab_at_work.wait_for_state(cell, "failed")
    assert "started 3 times" in facts["error"] and "The picture is kept" in facts["error"]
    shown = lab_at_work.cell(cell)
    assert shown["state"] == "failed" and shown["error"] == facts["error"] and shown["failures_in_audit"] == 1

    lab_at_work.inference()
    again = lab_at_work.do("again", metaphase=cell["metaphase"])
    assert again["job"] != cell["job"]
    lab_at_work.wait_for_state(again, "succeeded", 90)
    once(lab_at_work.cell(cell), jobs=2)


def test_what_was_called_off_leaves_nothing_and_can_be_asked_for_again(lab_at_work: World) -> None:
    [waiting] = lab_at_work.do("add_cells", names=[SMALL])
    lab_at_work.do("cancel", metaphase=waiting["metaphase"])
    assert lab_at_work.job(waiting)["state"] == "cancelled"

    worker = lab_at_work.inference(pause_at="segment", pause_s=2)
    [running] = lab_at_work.do("add_cells", names=[SMALL])
    worker.wait_for("waiting at segment", 90)
    lab_at_work.do("cancel", metaphase=running["metaphase"])
    assert lab_at_work.cell(running)["state"] == "cancelled"
    worker.wait_for("this result is thrown away")

    for cell in (waiting, running):
        shown = lab_at_work.cell(cell)
        assert (shown["state"], shown["version"], shown["proposals_in_audit"]) == ("cancelled", 0, 0)

    again = lab_at_work.do("again", metaphase=running["metaphase"])
    lab_at_work.wait_for_state(again, "succeeded", 90)
    once(lab_at_work.cell(again), jobs=2)

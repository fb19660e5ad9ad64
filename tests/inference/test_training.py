"""Training runs of seconds, really run: stopped by a signal, resumed, out of room, and their cards."""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from inference.backends import weights
from inference.training import interrupts, recipes, run_card
from tests.conftest import CIL, ROOT
from tests.inference.test_datasets import annotations, cil, imported  # noqa: F401  (fixtures)

LIMIT_S = 240


@pytest.fixture
def dataset(cil: Path, tmp_path: Path) -> Path:  # noqa: F811
    imported(cil, tmp_path / "dataset")
    return tmp_path / "dataset"


def command(*words: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), "train", *words]


def environment(tmp_path: Path) -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1", "KARYOSITE_DATA_DIR": str(tmp_path / "var"), "PYTHONPATH": str(ROOT)}


def started(tmp_path: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(command(*words), env=environment(tmp_path), cwd=tmp_path, text=True,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # fmt: skip


def ended(program: subprocess.Popen[str], number: signal.Signals) -> str:
    """What the program said after the signal."""
    program.send_signal(number)
    return program.communicate(timeout=LIMIT_S)[1]


def until(true: Any, program: subprocess.Popen[str]) -> None:
    end = time.monotonic() + LIMIT_S
    while not true():
        assert program.poll() is None and time.monotonic() < end, program.communicate()
        time.sleep(0.2)


def step_of(out: Path) -> int:
    import torch

    step: int = torch.load(out / "last.pt", weights_only=False)["step"]
    return step


@pytest.mark.models
@pytest.mark.timeout(2 * LIMIT_S)
def test_a_run_that_is_stopped_goes_on_where_it_was_and_survives_a_full_disk(dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    words = ("train", "classifier", "--recipe", "trial", "--data", str(dataset), "--out", str(out), "--set", "batch=4")
    program = started(tmp_path, *words[1:], "--set", "cpu_hours=9")
    shown = ""
    assert program.stderr is not None
    while not re.search(r"steps=[1-9]", shown):  # the bar: steps are being made
        shown += (read := program.stderr.read(1))
        assert read, shown
    with pytest.raises(CommandError, match="Another training run is going on"):
        call_command(*words)
    said = ended(program, signal.SIGTERM)
    assert program.returncode == 143 and "Everything up to now is kept" in said and "Traceback" not in said, said
    stopped = step_of(out)
    card = run_card.read(out)
    assert card is not None and card["state"] == "stopped" and stopped > 0
    spent = card["cpu_s"] / 3600

    good = (out / "last.pt").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))  # a checkpoint is larger: to torch the disk is full
    try:
        with pytest.raises(CommandError, match="The disk is full. The last good checkpoint is kept"):
            call_command(*words, "--set", f"cpu_hours={spent / 100}", verbosity=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (out / "last.pt").read_bytes() == good and not list(out.rglob("*.tmp"))

    call_command(*words, "--resume", "--set", f"cpu_hours={spent + 0.0005}", verbosity=0)
    assert step_of(out) > stopped and (out / "classifier.onnx").exists()
    card = run_card.read(out)
    assert card is not None and card["state"] == "finished"
    assert [session["ended"][:10] for session in card["sessions"]] == ["stopped by", "disk full", "finished"]
    assert sum(card["data"][which]["cells"] for which in ("train", "val")) == len(list((dataset / "labels").iterdir()))
    assert card["results"]["files"]["classifier.onnx"] == run_card.file_sha256(out / "classifier.onnx")
    told = (out / "run-card.md").read_text()
    assert card["data"]["train"]["sha256"] in told and "stopped by SIGTERM" in told

    label = next((dataset / "labels").glob("*.txt"))
    label.write_text(label.read_text().replace("\n0 ", "\n1 ", 1))
    with pytest.raises(CommandError, match="trained on other data"):
        call_command(*words)
    call_command(*words[:4], "--crops", str(out / "crops"), "--out", str(out), "--fresh",
                 "--set", "cpu_hours=0.0001", verbosity=0)  # fmt: skip
    assert step_of(out) < stopped and [path for path in tmp_path.glob("run-until-*") if (path / "last.pt").exists()]
    with pytest.raises(CommandError, match="no checkpoint"):
        call_command(*words, "--out", str(tmp_path / "new"), "--resume")


@pytest.mark.models
@pytest.mark.timeout(2 * LIMIT_S)
def test_the_paper_recipe_s_engine_trains_and_resumes(cil: Path, tmp_path: Path) -> None:  # noqa: F811
    """The published recipe with a smaller model, from the public layout itself."""
    import torch

    (cil / "train.txt").write_text("\n".join(path.stem for path in (cil / "24_chromosomes_object" / "JEPG").iterdir()))
    out = tmp_path / "run"
    words = ["detector", "--recipe", "paper", "--data", str(cil), "--out", str(out), "--device", "cpu"]
    for number in ("model=yolov10n.yaml", "imgsz=64", "batch=2", "workers=0", "mosaic=0.0", "val=false"):
        words += ["--set", number]

    def epoch() -> int:
        found: int = torch.load(last, weights_only=False)["epoch"] if last.exists() else -1
        return found

    last, before = out / "weights" / "last.pt", -1
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        program = started(tmp_path, *words)
        until(lambda: epoch() > before, program)  # noqa: B023
        said = ended(program, number)
        assert program.returncode == status and "The last checkpoint stands" in said, said[-2000:]
        before = epoch()
    rows = (out / "results.csv").read_text().splitlines()[1:]
    assert [int(row.split(",")[0]) for row in rows] == list(range(1, len(rows) + 1))  # no epoch twice, none lost
    assert len(rows) == before + 1 >= 2
    card = run_card.read(out)
    assert card is not None and [session["ended"][:10] for session in card["sessions"]] == ["stopped by"] * 2
    assert (out / "curves.png").exists() and card["recipe"]["train"]["epochs"] == 100


@pytest.mark.models
@pytest.mark.timeout(2 * LIMIT_S)
def test_the_segmenter_s_recipe_makes_scenes_trains_on_from_the_shipped_one_and_exports(
    dataset: Path, tmp_path: Path
) -> None:
    drawn = tmp_path / "drawn"
    for kind in ("dapi", "labels"):
        (drawn / kind).mkdir(parents=True)
        for path in sorted((CIL.parent / "mfish" / kind).glob("*.png"))[::30]:
            shutil.copy(path, drawn / kind)
    out = tmp_path / "run"
    words = ("train", "segmenter", "--recipe", "kary-sam", "--data", str(dataset), "--out", str(out), "--drawn")
    few = ("--set", "batch=1", "--set", "cells=3", "--set", "cpu_hours=0.002")
    with pytest.raises(CommandError, match="no folder dapi"):
        call_command(*words, str(tmp_path), *few)
    call_command(*words, str(drawn), *few, verbosity=0)
    card = run_card.read(out)
    assert card is not None and card["state"] == "finished" and card["start"].startswith("kary-sam-")
    assert card["data"]["drawn"]["cells"] == len(list((drawn / "labels").iterdir()))
    assert card["results"]["files"].keys() == {"field.onnx", "prompt.onnx"}
    made, step = (out / "scenes" / "scenes.npz").stat().st_mtime_ns, step_of(out)
    more = ("--set", "batch=1", "--set", "cells=3", "--set", "cpu_hours=0.003", "--resume")
    call_command(*words, str(drawn), *more, verbosity=0)
    assert step_of(out) > step and (out / "scenes" / "scenes.npz").stat().st_mtime_ns == made
    with pytest.raises(CommandError, match="scenes in .* were cut from other data"):
        call_command(*words, str(drawn), *few, "--set", "cells=2")


@pytest.mark.models
@pytest.mark.timeout(2 * LIMIT_S)
def test_the_judge_s_recipe_finds_candidates_once_and_goes_on_where_it_was_stopped(
    dataset: Path, tmp_path: Path
) -> None:
    from inference.backends.judge import CellJudge
    from inference.protocols import ModelInfo

    out, shipped = tmp_path / "run", weights.entries("judge")[0]
    words = ["judge", "--recipe", "trial", "--data", str(dataset), "--out", str(out), "--set", "most=3"]
    words += ["--set", "held=1", "--set", "seeds=2", "--start", str(weights.checked(shipped, "onnx")[0])]
    with pytest.raises(CommandError, match="cells of the train list would be left out"):
        call_command("train", *words, "--set", "first=900", "--out", str(tmp_path / "none"))
    program = started(tmp_path, *words, "--set", "epochs=4000")
    until((out / "last.pt").exists, program)
    said = ended(program, signal.SIGTERM)
    assert program.returncode == 143 and "Everything up to now is kept" in said, said
    stopped = step_of(out)
    found = {path: path.stat().st_mtime_ns for path in (out / "candidates").rglob("*.npz")}
    assert len(found) == 4 and stopped > 0

    few = ("--set", f"epochs={stopped // 2 + 3}")
    call_command("train", *words, *few, "--resume", verbosity=0)
    assert step_of(out) == 2 * 2 * (stopped // 2 + 3), "two networks, two steps an epoch"
    assert found == {path: path.stat().st_mtime_ns for path in (out / "candidates").rglob("*.npz")}
    card = run_card.read(out)
    assert card is not None and card["state"] == "finished" and card["start"].startswith("kary-cell-")
    assert card["results"]["files"].keys() == {"judge.onnx"} and card["results"]["last"]["cells"] == 1
    judge = CellJudge(out / "judge.onnx", ModelInfo("judge", "trial", "1", "0" * 64), temperature=1.0, threads=1)
    assert judge.info.role == "judge"
    with pytest.raises(CommandError, match="candidates in .* were cut otherwise"):
        call_command("train", *words, *few, "--set", "most=4")


def test_every_recipe_can_be_read_and_every_shipped_model_has_one() -> None:
    for role in recipes.ROLES:
        for name in recipes.names(role):
            recipe = recipes.load(role, name)
            assert recipe.about and recipe.train, name
    paper = recipes.load("detector", "paper").train
    assert (paper["model"], paper["imgsz"], paper["batch"], paper["epochs"]) == ("yolov10l.yaml", 1024, 16, 100)
    for entry in weights.entries():
        if entry["role"] in recipes.ROLES:
            assert entry["name"] in recipes.names(entry["role"]), f"{entry['name']} has no recipe"


def test_recipes_take_only_what_they_know(tmp_path: Path) -> None:
    recipe = recipes.load("classifier", "trial")
    assert recipe.with_changes(["batch=8", "seed=3"]).train["batch"] == 8 and recipe.train["batch"] != 8
    assert recipe.with_changes(["batch=8"]).sha256() != recipe.sha256()
    for change in ("side=640", "batch", "seed=soon"):
        with pytest.raises(recipes.RecipeRefused):
            recipe.with_changes([change])
    with pytest.raises(recipes.RecipeRefused, match="There are: kary-crops, trial"):
        recipes.load("classifier", "paper")
    own = tmp_path / "ours.toml"
    own.write_text('engine = "karyosite"\nabout = "ours"\n[train]\ncpu_hours = 1.0\nbatch = 8\nrate = 1e-3\n')
    assert recipes.load("classifier", str(own)).name == "ours"
    own.write_text('engine = "elsewhere"\n[train]\nbatch = 8\n')
    with pytest.raises(recipes.RecipeRefused, match="engine"):
        recipes.load("classifier", str(own))


def test_the_curves_of_both_engines(tmp_path: Path) -> None:
    lines = [{"step": 50 * n, "cpu_hours": 0.1 * n, "loss": 3.0 / n, "rate": 1e-3} for n in range(1, 9)]
    (tmp_path / "progress.jsonl").write_text("\n".join(map(json.dumps, lines)) + '\n{"step": 45')
    series = run_card.curves(tmp_path)
    assert set(series) == {"loss", "rate"} and series["loss"][-1] == (0.8, 0.375)
    assert run_card.draw(series, tmp_path / "curves.png") and (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"
    (tmp_path / "progress.jsonl").unlink()
    (tmp_path / "results.csv").write_text("epoch,time,train/box_loss,lr/pg0\n1,3.5,2.5,0.1\n2,7.0,2.0,0.1\n")
    assert run_card.curves(tmp_path) == {"train/box_loss": [(1.0, 2.5), (2.0, 2.0)]}
    assert not run_card.draw({}, tmp_path / "none.png")


def test_the_data_s_hash_follows_every_box_and_not_the_order() -> None:
    import dataclasses

    from inference.training.cil import AnnotatedCell, np

    pictures = sorted((CIL / "JEPG").iterdir())[:2]
    cells = [AnnotatedCell(path.stem, path, np.ones((1, 4), np.float32), np.array([3])) for path in pictures]
    digest = run_card.list_digest(cells)
    assert digest == run_card.list_digest(cells[::-1]) and digest["cells"] == 2
    moved = dataclasses.replace(cells[0], boxes=cells[0].boxes + 1)
    assert run_card.list_digest([moved, cells[1]]) != digest


def test_a_training_loop_run_as_a_program_keeps_its_state_when_it_is_stopped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = []

    def loop() -> None:
        for step in range(9):
            interrupts.pause_point(lambda step=step: kept.append(step))  # type: ignore[misc]
            if step == 4:
                os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit) as stopped:
        interrupts.program(loop)
    assert stopped.value.code == 143 and kept == [5]
    assert "Everything up to now is kept" in capsys.readouterr().err

    def no_room() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(SystemExit, match="The disk is full"):
        interrupts.program(no_room)
    folder = Path(interrupts.__file__).parent
    loops = [
        path for path in folder.glob("*.py") if "pause_point(" in (text := path.read_text()) and "__main__" in text
    ]
    assert len(loops) >= 7
    assert all("program(main)" in path.read_text() for path in loops)

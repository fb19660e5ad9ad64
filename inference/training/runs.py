"""A training run from recipe to run card: prepared, locked, watched, resumed."""

from __future__ import annotations

import fcntl
import json
import random
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from inference.training import interrupts, run_card
from inference.training.cil import AnnotatedCell, read_split
from inference.training.recipes import Recipe

_PREPARED = {"classifier": "crops", "segmenter": "scenes", "judge": "candidates"}  # what is cut from the data first
_OF_PREPARING = {"segmenter": ("cells",), "judge": ("first", "most", "held")}  # numbers that the loop does not know


class RunRefused(Exception):
    """A run that cannot begin, or not so.  The text is a sentence for people."""


@dataclass(frozen=True)
class Request:
    """data: a dataset that `dataset import` wrote, or the public layout; None where `crops` is ready.

    crops: where the classifier's crops, the segmenter's scenes or the judge's candidates are, or are to be made.
    drawn: cells with drawn masks, for the segmenter.

    start: a path, or "" for the recipe's own.  mode: "auto", "resume" or "fresh".  device: "" for the best there is.
    """

    recipe: Recipe
    data: Path | None
    out: Path
    start: str = ""
    crops: Path | None = None
    mode: str = "auto"
    device: str = ""
    drawn: Path | None = None
    shown: bool = True


def run(request: Request) -> dict[str, Any]:
    """Train.  The card as it stands at the end.

    Raises RunRefused, RecipeRefused, DatasetRefused, interrupts.Stopped, interrupts.DiskFull, OSError.
    """
    recipe, out = request.recipe, request.out
    out.mkdir(parents=True, exist_ok=True)
    with _alone(out), interrupts.watching():
        interrupts.clear_leftovers(out)
        if request.mode == "fresh":
            _put_aside(out)
        before = run_card.read(out)
        going_on = last_checkpoint(out, recipe).exists()
        if request.mode == "resume" and not going_on:
            raise RunRefused(f"There is no checkpoint in {out} to go on from. Leave out --resume to begin a run there.")
        request, digests = _prepared(request)
        start = _start(request)
        if going_on and before is not None:
            _same_run(before, recipe, digests, out)
        if recipe.role in _PREPARED and request.data is not None and request.crops is not None:
            _make(request, request.data, request.crops, digests)
        card = _card(request, digests, start, before if going_on else None)
        session = {"from": run_card.now(), "to": "", "ended": "running"}
        card["sessions"].append(session)
        wall, cpu = time.monotonic(), time.process_time()
        wall_before, cpu_before = card["wall_s"], card["cpu_s"]
        _write(out, card)
        try:
            _train(request, start)
            session["ended"], card["state"] = "finished", "finished"
        except BaseException as error:
            session["ended"] = _how(error)
            card["state"] = "stopped" if isinstance(error, interrupts.Stopped) else "broken off"
            interrupts.clear_leftovers(out)
            raise
        finally:
            session["to"] = run_card.now()
            card["wall_s"] = round(wall_before + time.monotonic() - wall, 1)
            card["cpu_s"] = round(cpu_before + time.process_time() - cpu, 1)
            _write(out, card)
    return run_card.read(out) or card


def last_checkpoint(out: Path, recipe: Recipe) -> Path:
    from inference.training import stock

    return stock.checkpoint(out) if recipe.engine == "ultralytics" else out / "last.pt"


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Two runs in one folder would write over each other's checkpoints."""
    with (out / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunRefused(
                f"Another training run is going on in {out}. Wait for it, or choose another --out."
            ) from None
        yield


def _put_aside(out: Path) -> None:
    """An earlier run's files go into a folder beside, so that hours of work are never deleted by a word."""
    kept = [path for path in out.iterdir() if path.name not in (".lock", *_PREPARED.values(), "dataset")]
    if kept:
        aside = out.with_name(f"{out.name}-until-{time.strftime('%Y%m%d-%H%M%S')}")
        aside.mkdir()
        for path in kept:
            path.rename(aside / path.name)


def _prepared(request: Request) -> tuple[Request, dict[str, Any]]:
    """The data in the form that the engine reads, and the digests of its lists."""
    recipe, data = request.recipe, request.data
    if request.drawn is not None and not (request.drawn / "dapi").is_dir():
        raise RunRefused(f"There is no folder dapi in {request.drawn}.")
    if recipe.role in _PREPARED and request.crops is not None and data is None:
        return request, _digest_of(request.crops, _PREPARED[recipe.role])
    if data is None:
        raise RunRefused("Set --data to the folder with the annotated cells.")
    if not data.is_dir():
        raise RunRefused(f"There is no folder {data}.")
    if recipe.engine == "ultralytics" and not (data / "data.yaml").exists():
        data = _imported(data, request)
    lists = {which: _cells(data, which) for which in ("train", "val")}
    if not lists["train"]:
        raise RunRefused(f"The train list of {data} is empty.")
    if recipe.role == "detector" and len(lists["train"]) < int(recipe.train.get("batch", 1)):
        raise RunRefused(f"The train list of {data} has fewer cells than one batch. Add cells, or --set batch=1.")
    digests = {which: run_card.list_digest(cells) for which, cells in lists.items()}
    if request.drawn is not None:
        digests["drawn"] = run_card.folder_digest(request.drawn)
    place = request.crops or request.out / _PREPARED.get(recipe.role, "crops")
    return replace(request, data=data, crops=place), digests


def _cells(data: Path, which: str) -> list[AnnotatedCell]:
    try:
        return read_split(data, which)
    except FileNotFoundError as error:
        raise RunRefused(
            f"{error.filename} is missing. Make a dataset of the folder with `manage.py dataset import` and use that."
        ) from error


def _imported(data: Path, request: Request) -> Path:
    from inference.datasets.importing import import_folder

    dataset = request.out / "dataset"
    if not (dataset / "data.yaml").exists():
        import_folder(data, dataset, kind=request.recipe.split, seed=request.recipe.seed)
    return dataset


def _make(request: Request, data: Path, place: Path, digests: dict[str, Any]) -> None:
    """Crops or scenes are cut once a dataset; those of other data are not taken for these.  What is there is kept."""
    from inference.training import candidates, cutouts, judged

    source, what = place / "source.json", _PREPARED[request.recipe.role]
    told = digests | _how_made(request.recipe)
    if source.exists() and json.loads(source.read_text()) != told:
        how = "otherwise" if what == "candidates" else "from other data"
        raise RunRefused(f"The {what} in {place} were cut {how}. Set another --crops, or remove that folder.")
    place.mkdir(parents=True, exist_ok=True)
    source.write_text(json.dumps(told))
    numbers = request.recipe.train
    if request.recipe.role == "segmenter":
        cutouts.make(data, request.drawn, place, int(numbers["cells"]), shown=request.shown)
        return
    if request.recipe.role == "judge":
        threads, there = int(numbers.get("threads", 1)), digests["train"]["cells"]
        if numbers["first"] >= there:
            raise RunRefused(f"All {there} cells of the train list would be left out. Set --set first=0, or less.")
        for which, first, most in (("train", numbers["first"], numbers["most"]), ("val", 0, numbers["held"])):
            if digests[which]["cells"]:
                judged.make(data, which, place / which, first=first, most=most, threads=threads, shown=request.shown)
        return
    for which in digests:
        candidates.make(data, which, place)


def _how_made(recipe: Recipe) -> dict[str, Any]:
    """What else scenes and candidates depend on."""
    from inference.backends import weights

    if recipe.role == "segmenter":
        return {"cut_out": recipe.train["cells"]}
    if recipe.role != "judge":
        return {}
    shipped = [weights.entries(role)[0] for role in ("detector", "segmenter", "classifier")]
    found = [f"{entry['name']} {entry['version']}" for entry in shipped]
    return {"cut_out": [recipe.train[name] for name in _OF_PREPARING["judge"]], "by": found}


def _digest_of(crops: Path, what: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((crops / "source.json").read_text())
        return {which: told for which, told in found.items() if which not in ("cut_out", "by")}
    except FileNotFoundError as error:
        raise RunRefused(
            f"{error.filename} is missing: the {what} are not whole. Set --data, so that they are made."
        ) from error


def _start(request: Request) -> str:
    """The weights to begin with, as a path; "" for random ones."""
    start = request.start or request.recipe.start
    if start == "shipped":
        from inference.backends import weights

        entry = next(entry for entry in weights.entries() if entry["role"] == request.recipe.role)
        kinds = {path.suffix: path for path, _ in reversed(weights.files(entry))}  # of two, the first
        start = str(kinds.get(".pt") or kinds[".onnx"])
    if start and not Path(start).is_file():
        raise RunRefused(f"There are no weights {start} to begin with.")
    if not start and request.recipe.role == "detector" and request.recipe.engine == "karyosite":
        raise RunRefused("This recipe goes on from weights. Set --start to a checkpoint (.pt).")
    return start


def _same_run(before: dict[str, Any], recipe: Recipe, digests: dict[str, Any], out: Path) -> None:
    way_out = "Choose another --out, or --fresh to put that run aside and begin again."
    if (before["recipe"]["role"], before["recipe"]["name"]) != (recipe.role, recipe.name):
        raise RunRefused(f"The run in {out} follows the recipe {before['recipe']['name']}. {way_out}")
    if before["data"] != digests:
        raise RunRefused(f"The run in {out} was trained on other data than this. {way_out}")


def _card(request: Request, digests: dict[str, Any], start: str, before: dict[str, Any] | None) -> dict[str, Any]:
    started = before or {"wall_s": 0.0, "cpu_s": 0.0, "sessions": []}
    for session in started["sessions"]:
        if session["ended"] == "running":
            session["ended"] = "killed"
    weights = f"{Path(start).name}, sha256 {run_card.file_sha256(Path(start))}" if start else ""
    return {
        "schema": run_card.SCHEMA,
        "state": "running",
        "recipe": request.recipe.content() | {"sha256": request.recipe.sha256()},
        "start": weights,
        "data": digests,
        "code": run_card.code_version(),
        "machine": run_card.machine(),
        "wall_s": started["wall_s"],
        "cpu_s": started["cpu_s"],
        "sessions": started["sessions"],
    }


def _write(out: Path, card: dict[str, Any]) -> None:
    try:
        run_card.write(out, card)
    except OSError as error:
        if not interrupts.disk_is_full(error):
            raise
        interrupts.clear_leftovers(out)  # the card can wait: the next session writes it


def _how(error: BaseException) -> str:
    if isinstance(error, interrupts.Stopped):
        return f"stopped by {error}" + (", present state kept" if error.kept else ", last checkpoint stands")
    return "disk full" if interrupts.disk_is_full(error) else f"{type(error).__name__}: {error}"[:300]


def _train(request: Request, start: str) -> None:
    import torch

    recipe, out = request.recipe, request.out
    random.seed(recipe.seed)
    np.random.seed(recipe.seed % 2**32)  # noqa: NPY002  (what torch's and ultralytics' loaders draw from)
    torch.manual_seed(recipe.seed)
    if recipe.engine == "ultralytics":
        from inference.training import stock

        assert request.data is not None
        if stock.checkpoint(out).exists() and stock.finished(out):
            return
        device = request.device or ("0" if torch.cuda.is_available() else "cpu")
        stock.train(data=request.data, start=start, out=out, seed=recipe.seed, device=device, numbers=recipe.train)
        return
    with _progress(out, recipe, request.shown), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's remarks on exporting and on arrays that cannot be written to
        if recipe.role == "detector":
            from inference.training import detector

            assert request.data is not None
            detector.train(data=request.data, start=Path(start), out=out, device=request.device, **recipe.train)
            return
        assert request.crops is not None
        begun = Path(start) if start else None
        others = _OF_PREPARING.get(recipe.role, ())
        numbers = {name: value for name, value in recipe.train.items() if name not in others}
        if recipe.role == "segmenter":
            from inference.training import sam

            scenes = request.crops / "scenes.npz"
            sam.train(scenes=scenes, out=out, start=begun, device=request.device, seed=recipe.seed, **numbers)
        elif recipe.role == "judge":
            from inference.training import judge

            held = request.crops / "val"
            given: dict[str, Any] = {"held": held if held.exists() else None, "start": begun, "seed": recipe.seed}
            judge.fit(request.crops / "train", out, **given, **numbers)
        else:
            from inference.training import classifier

            classifier.train(crops=request.crops, out=out, start=begun, device=request.device, **numbers)


@contextmanager
def _progress(out: Path, recipe: Recipe, shown: bool) -> Iterator[None]:
    """A bar over the processor time, or over the epochs, with the newest figures of progress.jsonl."""
    import sys

    from tqdm import tqdm

    ended = threading.Event()
    begun, clock = _newest(out).get("cpu_hours", 0.0), time.process_time()
    hours = recipe.train.get("cpu_hours")
    total = float(hours or recipe.train.get("epochs", 0) * recipe.train.get("seeds", 1))
    form = "{n:.2f} of {total:.2f} processor hours" if hours else "{n:.0f} of {total:.0f} epochs"
    form = "{l_bar}{bar}| " + form + " [{elapsed}<{remaining}{postfix}]"
    bar = tqdm(total=total, bar_format=form, file=sys.stderr, disable=not shown, mininterval=0.5)

    def follow() -> None:
        while not ended.wait(2):
            newest = _newest(out)
            made = begun + (time.process_time() - clock) / 3600 if hours else newest.get("epochs", 0)
            bar.n = min(total, made)
            told = {key: value for key, value in newest.items() if key in ("loss", "right", "iou")}
            bar.set_postfix(({"steps": count} if (count := interrupts.steps()) else {}) | told, refresh=False)
            bar.refresh()

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield
    finally:
        ended.set()
        follower.join(timeout=5)
        bar.close()


def _newest(out: Path) -> dict[str, Any]:
    try:
        line: dict[str, Any] = json.loads((out / "progress.jsonl").read_text().splitlines()[-1])
    except (OSError, ValueError, IndexError):
        return {}
    return line

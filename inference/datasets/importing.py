"""A folder of annotated metaphases, whatever its layout, as a YOLO dataset beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from inference.datasets import coco, voc, yolo
from inference.datasets.cells import DatasetRefused, Problem, Reading
from inference.datasets.check import check, twice
from inference.datasets.split import split
from inference.datasets.write import make_room, summary, write_cell, write_lists, write_report

READERS: dict[str, Callable[[Path], Reading]] = {"cil": voc.read, "coco": coco.read, "yolo": yolo.read}
LAYOUTS = ("auto", *READERS)


@dataclass(frozen=True)
class Imported:
    """report: what report.json holds.  left_out: how many cells, boxes and list entries could not be used."""

    report: dict[str, Any]
    problems: list[Problem]

    @property
    def left_out(self) -> dict[str, int]:
        return dict(Counter(problem.left_out for problem in self.problems if problem.left_out))


def layout_of(root: Path) -> str:
    """Raises DatasetRefused."""
    if voc.folders(root) is not None:
        return "cil"
    if yolo.described(root) is not None:
        return "yolo"
    if coco.files(root):
        return "coco"
    raise DatasetRefused(
        f"{root} is none of the layouts that can be read: VOC (24_chromosomes_object/annotations), "
        "YOLO (data.yaml, images/, labels/) or COCO (.json). Nothing was written."
    )


def import_folder(
    root: Path,
    out: Path,
    *,
    layout: str = "auto",
    kind: str = "case",
    seed: int = 0,
    whole_cells: bool = False,
    shown: Callable[[list[Any]], Iterable[Any]] = iter,
) -> Imported:
    """Reads `root`, writes `out`, changes nothing in `root`.  Raises DatasetRefused, OSError.

    kind: one of split.SPLITS.  shown: wraps the cells for a progress bar.
    """
    if not root.is_dir():
        raise DatasetRefused(f"{root} is no folder. Nothing was written.")
    reading = READERS[layout_of(root) if layout == "auto" else layout](root)
    make_room(out, root)
    write_report(out, {"finished": False})  # so that a run that breaks off leaves a folder that the next may clear
    cells, problems, places = [], list(reading.problems), {}
    for raw in shown(reading.cells):
        cell, faults = check(raw, root, whole_cells=whole_cells)
        problems += faults
        if cell is not None:
            cells.append(cell)
            places[cell.name] = write_cell(cell, out)
    for first, second in twice(cells):
        problems.append(Problem(places[second.name].name, f"The same picture as {first.name}, under another name."))
    if not cells:
        raise DatasetRefused(f"No cell of {root} can be used. " + _first(problems))
    chosen = split(kind, [cell.name for cell in cells], reading.lists, seed)
    if not chosen.train:
        raise DatasetRefused("The train list would be empty. Use --split case, or add cells.")
    write_lists(out, chosen, places)
    report = {
        "finished": True,
        "layout": reading.layout,
        "split": {"kind": kind, "seed": seed, "note": chosen.note},
        "found": len(reading.cells) + sum(problem.left_out == "cell" for problem in reading.problems),
        **summary(cells, chosen),
        "left_out": dict(Counter(problem.left_out for problem in problems if problem.left_out)),
        "problems": [asdict(problem) for problem in problems],
    }
    write_report(out, report)
    return Imported(report, problems)


def _first(problems: list[Problem]) -> str:
    return f"The first reason: {problems[0].file}: {problems[0].sentence}" if problems else "It has no pictures."

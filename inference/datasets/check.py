"""Every cell held against its picture: what can be used, and sentences on what cannot."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inference.datasets.cells import Problem, RawCell, below, class_of
from karyosite.imaging import ImageRefused, inspect

_LEAST_SIDE = 1.0  # pixels: anything thinner has no area that a detector could learn


@dataclass(frozen=True)
class CheckedCell:
    """A cell that can be used.

    boxes: float64 (n, 4) xyxy, inside the picture.  classes: int64 (n,), index into CIL_NAMES.
    plain: ordinary training programs read the picture as it is (one page, 8 bits, not TIFF).
    """

    name: str
    image: Path
    sha256: str
    width: int
    height: int
    plain: bool
    boxes: np.ndarray
    classes: np.ndarray


def check(cell: RawCell, root: Path, *, whole_cells: bool = False) -> tuple[CheckedCell | None, list[Problem]]:
    """The cell as it can be used, or None, and what is wrong with it.

    whole_cells: leave a cell out altogether when one of its boxes cannot be used.
    """
    problems: list[Problem] = []
    shown = below(cell.image, root)
    try:
        facts = inspect(cell.image)
        with cell.image.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except ImageRefused as refused:
        return None, [Problem(shown, str(refused), "cell")]
    except OSError as error:
        return None, [Problem(shown, f"The picture cannot be read: {error.strerror or error}.", "cell")]
    if len(facts.pages) > 1:
        return None, [Problem(shown, "The picture has several pages, and one annotation cannot tell which.", "cell")]
    width, height = facts.pages[0].width, facts.pages[0].height
    boxes, classes = [], []
    scale = np.array([width, height, width, height]) if cell.shares else np.ones(4)
    for number, (box, name) in enumerate(zip(cell.boxes * scale, cell.names, strict=True), 1):
        which = class_of(name)
        what = f"Box {number} ({name or 'without a name'})"
        if which is None:
            sentence = f"{what}: “{name}” is none of the 24 chromosomes (A1 … G22, X, Y, or 1 … 22)."
            problems.append(Problem(cell.source, sentence, "box"))
            continue
        clipped, fault = _inside(box, width, height)
        if clipped is None:
            problems.append(Problem(cell.source, f"{what} {_written(box)} {fault}.", "box"))
            continue
        if fault:
            problems.append(Problem(cell.source, f"{what} {_written(box)} {fault}."))
        boxes.append(clipped)
        classes.append(which)
    left = [problem for problem in problems if problem.left_out]
    if not boxes or (left and whole_cells):
        why = "no box of it can be used" if not boxes else "one of its boxes cannot be used"
        return None, [*problems, Problem(cell.source, f"The cell is left out: {why}.", "cell")]
    return CheckedCell(
        cell.name,
        cell.image,
        sha256,
        width,
        height,
        facts.media_type != "image/tiff" and facts.pages[0].bit_depth == 8,
        np.array(boxes, np.float64),
        np.array(classes, np.int64),
    ), problems


def _inside(box: np.ndarray, width: int, height: int) -> tuple[np.ndarray | None, str]:
    """The box within the picture and what was wrong with it; None where nothing of it can be used."""
    if not np.isfinite(box).all():
        return None, "is not made of numbers"
    if box[2] - box[0] < _LEAST_SIDE or box[3] - box[1] < _LEAST_SIDE:
        return None, "has no area"
    clipped = np.clip(box, 0, [width, height, width, height])
    if clipped[2] - clipped[0] < _LEAST_SIDE or clipped[3] - clipped[1] < _LEAST_SIDE:
        return None, f"lies outside the picture of {width} × {height} pixels"
    if np.abs(clipped - box).max() > 1e-3:  # rounding of shares is no fault
        return clipped, f"reaches outside the picture of {width} × {height} pixels and was cut at its edge"
    return clipped, ""


def _written(box: np.ndarray) -> str:
    return "[" + ", ".join(f"{value:g}" for value in np.round(box, 2)) + "]"


def twice(cells: list[CheckedCell]) -> Iterator[tuple[CheckedCell, CheckedCell]]:
    """Pairs of cells that are the same file under two names."""
    first: dict[str, CheckedCell] = {}
    for cell in cells:
        if cell.sha256 in first:
            yield first[cell.sha256], cell
        first.setdefault(cell.sha256, cell)

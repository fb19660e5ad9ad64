"""What every reader gives: cells as their files tell of them, and what is wrong with them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from inference.labels import CHROMOSOMES, CIL_NAMES

LISTS = ("train", "val", "test")
_CLASS_OF_NAME = {name.casefold(): index for index, name in enumerate(CIL_NAMES)} | {
    name.casefold(): index for index, name in enumerate(CHROMOSOMES)
}


class DatasetRefused(Exception):
    """A folder of which nothing can be used, or a split that it cannot give.  The text is a sentence for people."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in one file.

    file: below the dataset's folder.  left_out: "cell", "box", "name" (in a list), or "" where all was kept.
    """

    file: str
    sentence: str
    left_out: str = ""


@dataclass(frozen=True)
class RawCell:
    """A cell as its files describe it, unchecked.

    source: the annotation's path, below the dataset's folder.  boxes: float64 (n, 4) xyxy in pixels, or as shares of
    the picture where `shares`.  names: the class of each box, as written.
    """

    name: str
    image: Path
    source: str
    boxes: np.ndarray
    names: tuple[str, ...]
    shares: bool = False


@dataclass
class Reading:
    """Everything that a reader found.  lists: the folder's own train, val and test lists, as far as it has them."""

    layout: str
    cells: list[RawCell] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    lists: dict[str, list[str]] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)

    def add(self, cell: RawCell, which: str = "") -> None:
        """Takes a cell in, on the list `which` if that is not empty; a name that is taken gets a number."""
        name, number = cell.name, 1
        while name in self._taken:
            number += 1
            name = f"{cell.name}-{number}"
        self._taken.add(name)
        self.cells.append(replace(cell, name=name))
        if which:
            self.lists.setdefault(which, []).append(name)

    def problem(self, file: Path | str, root: Path, sentence: str, left_out: str = "") -> None:
        self.problems.append(Problem(below(file, root), sentence, left_out))


def class_of(name: str) -> int | None:
    """The class that a lab's name means (A1, 1, chr1, Chromosome X …), or None where it means none of the 24."""
    plain = name.strip().casefold()
    for prefix in ("chromosome", "chrom", "chr"):
        if plain.startswith(prefix):
            plain = plain.removeprefix(prefix).strip(" _-")
            break
    return _CLASS_OF_NAME.get(plain.lstrip("0") or plain)


def below(file: Path | str, root: Path) -> str:
    try:
        return Path(file).relative_to(root).as_posix()
    except ValueError:
        return str(file)


def flat_name(path: Path, root: Path) -> str:
    """A cell's name from where its picture lies: the stem, with folders before it where they tell pictures apart."""
    ordinary = {"24_chromosomes_object", "images", "jpeg", "jepg", "jpegimages", "train", "val", "test", "."}
    parts = [part for part in Path(below(path, root)).parent.parts if part.casefold() not in ordinary and part != "/"]
    return "-".join([*parts, path.stem]).replace(" ", "_")


def pictures(folder: Path) -> dict[str, Path]:
    """Stem → picture, of one folder."""
    kinds = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"}
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.casefold() in kinds}


def read_lists(root: Path, reading: Reading) -> None:
    """The folder's train.txt, val.txt and test.txt: names or paths, one a line."""
    for which in LISTS:
        path = root / f"{which}.txt"
        if not path.is_file():
            continue
        try:
            words = path.read_text(encoding="utf-8-sig").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            reading.problem(path, root, f"This list cannot be read: {error}.", "name")
            continue
        reading.lists[which] = [Path(word.strip().split()[0]).stem for word in words if word.strip()]


def report_names_without_cell(root: Path, reading: Reading) -> None:
    """Names on the lists for which the folder has nothing at all."""
    known = {cell.name for cell in reading.cells}
    told = {Path(problem.file).stem for problem in reading.problems if problem.left_out == "cell"}
    for which, names in reading.lists.items():
        for name in names:
            if name not in known and name not in told:
                sentence = f"The list names {name}, but there is neither a picture nor an annotation of that name."
                reading.problem(root / f"{which}.txt", root, sentence, "name")


def read_json(path: Path) -> Any:
    """Raises DatasetRefused."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise DatasetRefused(f"{path.name} cannot be read as JSON: {error}.") from error

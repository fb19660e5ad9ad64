"""A YOLO dataset folder: links to the pictures, label files, lists, data.yaml and report.json.

    images/NAME.jpg → the original      labels/NAME.txt      train.txt  val.txt  [test.txt]  data.yaml  report.json

The originals are linked to and never written; where links cannot be made, copies are.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from inference.datasets.cells import LISTS, DatasetRefused
from inference.datasets.check import CheckedCell
from inference.datasets.split import Split
from inference.labels import CIL_NAMES
from karyosite.imaging import read_grey

SCHEMA = "karyosite.dataset/1"
_OURS = ("images", "labels", "train.txt", "val.txt", "test.txt", "aside.txt", "data.yaml", "coco.json", "report.json")


def make_room(out: Path, root: Path | None = None) -> None:
    """An empty folder to write in.  What an earlier run of ours left there is taken away; anything else stays and is
    a refusal (DatasetRefused)."""
    place = out.resolve()
    if root is not None and (place == root.resolve() or place.is_relative_to(root.resolve())):
        raise DatasetRefused(f"{out} lies within the folder that is read. Nothing was written; choose another --out.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        if not out.is_dir() or not _is_ours(out / "report.json"):
            raise DatasetRefused(f"{out} is not empty and no dataset of ours. Nothing was written; choose another.")
        for name in _OURS:
            path = out / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    for folder in ("images", "labels"):
        (out / folder).mkdir(parents=True, exist_ok=True)


def _is_ours(report: Path) -> bool:
    try:
        found: Any = json.loads(report.read_text())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and str(found.get("schema", "")).startswith("karyosite.dataset/")


def write_cell(cell: CheckedCell, out: Path) -> Path:
    """One picture and its labels.  The picture's place, below `out`."""
    from PIL import Image

    if cell.plain:
        place = out / "images" / (cell.name + cell.image.suffix.lower())
        try:
            place.symlink_to(cell.image.resolve())
        except OSError:
            shutil.copyfile(cell.image, place)
    else:  # 16 bits and TIFF: training programs each read them in their own way, so an 8-bit copy is made
        place = out / "images" / f"{cell.name}.png"
        Image.fromarray(read_grey(cell.image)).save(place)
    middles = (cell.boxes[:, :2] + cell.boxes[:, 2:]) / 2 / [cell.width, cell.height]
    sizes = (cell.boxes[:, 2:] - cell.boxes[:, :2]) / [cell.width, cell.height]
    write_labels(out / "labels" / f"{cell.name}.txt", cell.classes.tolist(), middles.tolist(), sizes.tolist())
    return place.relative_to(out)


def write_labels(path: Path, classes: list[int], middles: list[list[float]], sizes: list[list[float]]) -> None:
    """middles, sizes: shares of the picture, 0..1."""
    rows = (
        f"{which} {x:.7f} {y:.7f} {width:.7f} {height:.7f}\n"
        for which, (x, y), (width, height) in zip(classes, middles, sizes, strict=True)
    )
    path.write_text("".join(rows))


def write_lists(out: Path, split: Split, places: dict[str, Path], names: tuple[str, ...] = CIL_NAMES) -> None:
    """The lists and data.yaml.  places: cell name → picture below `out`."""
    lists = split.lists()
    for which, members in lists.items():
        if members or which in ("train", "val"):
            text = "".join(f"./{places[name].as_posix()}\n" for name in members)
            (out / f"{which}.txt").write_text(text)
    # No “path:”: ultralytics then takes the lists from beside this file, wherever the folder is moved to.
    lines = [f"{which}: {which}.txt" for which in LISTS if lists[which] or which in ("train", "val")]
    lines += [f"nc: {len(names)}", "names:"] + [f"  {number}: {name}" for number, name in enumerate(names)]
    (out / "data.yaml").write_text("\n".join(lines) + "\n")


def summary(cells: list[CheckedCell], split: Split) -> dict[str, Any]:
    """Counts for report.json."""
    classes = Counter(CIL_NAMES[which] for cell in cells for which in cell.classes)
    counts = Counter(len(cell.boxes) for cell in cells)
    return {
        "cells": len(cells),
        "chromosomes": sum(classes.values()),
        "by_class": {name: classes[name] for name in CIL_NAMES},
        "cells_by_count": {str(count): counts[count] for count in sorted(counts)},
        "lists": {which: len(members) for which, members in split.lists().items()},
    }


def write_report(out: Path, content: dict[str, Any]) -> None:
    (out / "report.json").write_text(json.dumps({"schema": SCHEMA} | content, indent=2, ensure_ascii=False) + "\n")

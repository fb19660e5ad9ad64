"""YOLO: pictures in images/, one text file each in labels/, class names in data.yaml or classes.txt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from inference.datasets.cells import (
    LISTS,
    DatasetRefused,
    RawCell,
    Reading,
    flat_name,
    pictures,
    read_lists,
    report_names_without_cell,
)
from inference.training.cil import AnnotatedCell
from karyosite.imaging import open_picture

_NAMES = ("data.yaml", "data.yml", "dataset.yaml")


def described(root: Path) -> Path | None:
    """The file that names the classes."""
    found = [root / name for name in (*_NAMES, "classes.txt", "labels/classes.txt") if (root / name).is_file()]
    return found[0] if found else None


def class_names(path: Path) -> dict[int, str]:
    """Class number → name.  Raises DatasetRefused."""
    if path.suffix == ".txt":
        return dict(enumerate(line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()))
    content = _yaml(path)
    names = content.get("names")
    if isinstance(names, list):
        return {number: str(name) for number, name in enumerate(names)}
    if isinstance(names, dict):
        try:
            return {int(number): str(name) for number, name in names.items()}
        except (TypeError, ValueError):
            pass
    raise DatasetRefused(f"{path.name} has no list of class names under “names”.")


def read(root: Path) -> Reading:
    """Raises DatasetRefused where classes have no names or there are no pictures."""
    file = described(root)
    if file is None:
        raise DatasetRefused(f"{root} has no data.yaml and no classes.txt, so nobody knows what its numbers mean.")
    names = class_names(file)
    reading = Reading("yolo")
    folders = [path for path in _with_images(root) if path.is_dir()]
    if not folders:
        raise DatasetRefused(f"{root} has no folder images/ with labels/ beside it.")
    for folder in folders:
        _read_folder(folder, names, root, reading)
    read_lists(root, reading)
    report_names_without_cell(root, reading)
    return reading


def _with_images(root: Path) -> list[Path]:
    """images/, images/train …, train/images …: the layouts in use."""
    found = [root / "images"]
    found += [root / "images" / which for which in LISTS] + [root / which / "images" for which in (*LISTS, "valid")]
    return found


def labels_of(image: Path) -> Path:
    """The last “images” in the path becomes “labels”, as ultralytics has it."""
    parts = list(image.parts)
    last = len(parts) - 1 - parts[::-1].index("images")
    parts[last] = "labels"
    return Path(*parts).with_suffix(".txt")


def _read_folder(folder: Path, names: dict[int, str], root: Path, reading: Reading) -> None:
    shown = pictures(folder)
    which = next((part for part in reversed(folder.relative_to(root).parts) if part in (*LISTS, "valid")), "")
    for image in shown.values():
        text = root / labels_of(image.relative_to(root))
        if not text.is_file():
            reading.problem(image, root, "There is no label file for this picture.", "cell")
            continue
        cell = _read_cell(image, text, names, root, reading)
        if cell is not None:
            reading.add(cell, "val" if which == "valid" else which)
    for text in sorted((root / labels_of(folder.relative_to(root) / "any.txt")).parent.glob("*.txt")):
        if text.stem not in shown and text.name != "classes.txt":
            reading.problem(text, root, "The picture of this label file is missing.", "cell")


def _read_cell(image: Path, text: Path, names: dict[int, str], root: Path, reading: Reading) -> RawCell | None:
    try:
        lines = text.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reading.problem(text, root, f"This label file cannot be read: {error}.", "cell")
        return None
    boxes, classes = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            which, *values = (float(word) for word in line.split())
            boxes.append(_box(values))
        except ValueError:
            reading.problem(text, root, f"Line {number} is not a class number and a box or outline.", "box")
            continue
        classes.append(names.get(int(which), f"class {which:g}") if which == int(which) else f"class {which:g}")
    shares = np.array(boxes, np.float64).reshape(-1, 4)
    source = text.relative_to(root).as_posix()
    return RawCell(flat_name(image, root), image, source, shares, tuple(classes), shares=True)


def _box(values: list[float]) -> list[float]:
    """xyxy shares, from centre and size, or from an outline of three points and more.  Raises ValueError."""
    if not all(np.isfinite(values)):
        raise ValueError("not finite")
    if len(values) == 4:
        x, y, width, height = values
        return [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
    if len(values) >= 6 and len(values) % 2 == 0:
        return [min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2])]
    raise ValueError("neither box nor outline")


def _yaml(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise DatasetRefused(f"{path.name} cannot be read as YAML: {error}.") from error
    if not isinstance(content, dict):
        raise DatasetRefused(f"{path.name} does not hold names and values.")
    return content


def read_split(root: Path, split: str) -> list[AnnotatedCell]:
    """The cells of one list of a folder that `datasets.write` made, boxes in pixels.

    Raises FileNotFoundError where there is no such list or one of its files is gone.
    """
    cells = []
    for line in (root / f"{split}.txt").read_text().split():
        image = root / line
        width, height = _size(image)
        rows = np.array([row.split() for row in labels_of(image).read_text().splitlines()], np.float64).reshape(-1, 5)
        middles, sizes = rows[:, 1:3], rows[:, 3:5]
        boxes = np.concatenate([middles - sizes / 2, middles + sizes / 2], 1) * [width, height, width, height]
        cells.append(AnnotatedCell(image.stem, image, boxes.astype(np.float32), rows[:, 0].astype(np.int64)))
    return cells


def _size(image: Path) -> tuple[int, int]:
    """Width and height as shown, from the picture's header alone."""
    with open_picture(image) as opened:
        width, height = opened.size
        turned = opened.getexif().get(0x0112, 1) >= 5
    return (height, width) if turned else (width, height)

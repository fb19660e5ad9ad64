"""COCO: one or more JSON files with images, annotations and categories."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from inference.datasets.cells import LISTS, DatasetRefused, RawCell, Reading, flat_name, read_json, read_lists

_KEYS = {"images", "annotations", "categories"}


def files(root: Path) -> list[Path]:
    """The folder's JSON files that say images, annotations and categories near enough to be COCO."""
    found = []
    for folder in (root, root / "annotations", root / "coco"):
        for path in sorted(folder.glob("*.json")) if folder.is_dir() else []:
            try:
                content = read_json(path)
            except DatasetRefused:
                continue
            if isinstance(content, dict) and content.keys() >= _KEYS:
                found.append(path)
    return found


def read(root: Path) -> Reading:
    """Raises DatasetRefused where no file is COCO."""
    reading = Reading("coco")
    found = files(root)
    if not found:
        raise DatasetRefused(f"{root} has no COCO file (.json with images, annotations and categories).")
    for path in found:
        _read_file(path, root, reading)
    if not reading.lists:
        read_lists(root, reading)
    return reading


def _read_file(path: Path, root: Path, reading: Reading) -> None:
    content = read_json(path)
    categories = {
        entry.get("id"): str(entry.get("name", "")) for entry in content["categories"] if isinstance(entry, dict)
    }
    marked: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for annotation in content["annotations"]:
        if isinstance(annotation, dict) and _plain(annotation.get("image_id")):
            marked[annotation["image_id"]].append(annotation)
        else:
            reading.problem(path, root, "An annotation names no image_id.", "box")
    which = next((name for name in LISTS if name in path.stem.casefold()), "")
    for entry in content["images"]:
        name = entry.get("file_name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name or not _plain(entry.get("id")):
            reading.problem(path, root, "An image has no id or no file_name.", "cell")
            continue
        image = _picture(root, path, name, which)
        if image is None:
            reading.problem(path, root, f"The picture {name} is missing.", "cell")
            marked.pop(entry["id"], None)
            continue
        cell = _cell(flat_name(image, root), image, marked.pop(entry["id"], []), categories, path, root, reading)
        reading.add(cell, which)
    for identifier, left in marked.items():
        sentence = f"{len(left)} annotation(s) belong to image {identifier}, which the file does not list."
        reading.problem(path, root, sentence, "box")


def _plain(identifier: Any) -> bool:
    return isinstance(identifier, int | str)


def _picture(root: Path, path: Path, name: str, which: str) -> Path | None:
    """Where the picture lies: beside the file, in images/, or as the usual folders of a split have it."""
    plain = PurePosixPath(name.replace("\\", "/"))
    if plain.is_absolute() or ".." in plain.parts:
        return None
    places = (root, root / "images", path.parent, root / "images" / which, root / which, root / f"{which}2017")
    return next((place / plain for place in places if (place / plain).is_file()), None)


def _cell(
    name: str,
    image: Path,
    annotations: list[dict[str, Any]],
    categories: dict[Any, str],
    path: Path,
    root: Path,
    reading: Reading,
) -> RawCell:
    boxes, names = [], []
    for annotation in annotations:
        try:
            x, y, width, height = (float(value) for value in annotation["bbox"])
        except (KeyError, TypeError, ValueError):
            sentence = f"Annotation {annotation.get('id')} of {image.name} has no bbox of four numbers."
            reading.problem(path, root, sentence, "box")
            continue
        boxes.append([x, y, x + width, y + height])
        category = annotation.get("category_id")
        names.append(categories.get(category, f"category {category}") if _plain(category) else "no category")
    source = path.relative_to(root).as_posix()
    return RawCell(name, image, source, np.array(boxes, np.float64).reshape(-1, 4), tuple(names))

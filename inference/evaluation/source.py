"""Annotated cells for an evaluation: the public layout (VOC XML) or a YOLO layout, and a list of names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inference.training.cil import AnnotatedCell, read_grey, read_voc

_PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")


class SourceError(Exception):
    """Why the annotated cells cannot be read, as a sentence."""


def read_cells(dataset: Path, split: str) -> tuple[list[AnnotatedCell], list[str]]:
    """The annotated cells of a list, and the names on it that have no picture or no annotation.

    dataset: a folder in the public layout (`24_chromosomes_object/{JEPG,annotations}`) or in a YOLO layout
    (`images/`, `labels/`, with or without folders for the splits).  split: a text file of names or paths, one a
    line, beside the caller or in the dataset; `val` stands for `val.txt`.  Raises SourceError.
    """
    if not dataset.is_dir():
        raise SourceError(f"There is no folder {dataset}. Name the one that holds the annotated cells.")
    names = _names(dataset, split)
    read = _voc_cell if (dataset / "24_chromosomes_object").is_dir() else _yolo_cell
    cells, missing = [], []
    for name in names:
        try:
            found = read(dataset, name)
        except (KeyError, ValueError) as error:
            raise SourceError(f"The annotation of {name} cannot be read: {error}. Nothing was evaluated.") from error
        if found is None:
            missing.append(name)
        else:
            cells.append(found)
    if not cells:
        raise SourceError(f"No cell of {split} has both a picture and an annotation in {dataset}.")
    return cells, missing


def _names(dataset: Path, split: str) -> list[str]:
    given = Path(split)
    for path in (given, dataset / given, dataset / f"{split}.txt"):
        if path.is_file():
            return [line.strip() for line in path.read_text().splitlines() if line.strip()]
    raise SourceError(f"There is no list {split}: neither here nor in {dataset}. Set --split to a file of names.")


def _voc_cell(dataset: Path, name: str) -> AnnotatedCell | None:
    home, stem = dataset / "24_chromosomes_object", Path(name).stem
    image, annotation = home / "JEPG" / f"{stem}.jpg", home / "annotations" / f"{stem}.xml"
    if not (image.exists() and annotation.exists()):
        return None
    return AnnotatedCell(stem, image, *read_voc(annotation))


def _yolo_cell(dataset: Path, name: str) -> AnnotatedCell | None:
    image = _yolo_picture(dataset, name)
    if image is None:
        return None
    folders = list(image.parent.parts)
    folders[len(folders) - 1 - folders[::-1].index("images")] = "labels"
    labels = Path(*folders) / f"{image.stem}.txt"
    if not labels.exists():
        return None
    rows = [[float(value) for value in line.split()[:5]] for line in labels.read_text().splitlines() if line.strip()]
    table = np.asarray(rows, np.float64).reshape(-1, 5)
    if ((table[:, 0] < 0) | (table[:, 0] > 23)).any():
        raise ValueError(f"{labels.name} names a class beyond the 24")
    height, width = read_grey(image).shape
    middles, halves = table[:, 1:3] * [width, height], table[:, 3:5] * [width, height] / 2
    boxes = np.concatenate([middles - halves, middles + halves], axis=1).astype(np.float32)
    return AnnotatedCell(image.stem, image, boxes, table[:, 0].astype(np.int64))


def _yolo_picture(dataset: Path, name: str) -> Path | None:
    """By the path that the list gives, or by name in `images/` and the folders of the splits."""
    given = Path(name)
    beside = [given, dataset / given] if given.suffix.lower() in _PICTURES else []
    folders = [dataset / "images", *(dataset / "images" / part for part in ("train", "val", "test"))]
    stem = given.stem if beside else given.name
    for path in (*beside, *(folder / f"{stem}{suffix}" for folder in folders for suffix in _PICTURES)):
        if path.is_file() and "images" in path.parent.parts:
            return path
    return None

"""The CIL:54816 layout (Pascal VOC XML beside JPEG images), read without touching it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from defusedxml import ElementTree

from inference.labels import CIL_NAMES

CLASS_OF_NAME = {name: index for index, name in enumerate(CIL_NAMES)}


@dataclass(frozen=True)
class AnnotatedCell:
    """One metaphase with its boxes.

    boxes: float32 (n, 4), xyxy, pixels of the image.  classes: int64 (n,), index into CIL_NAMES.
    """

    name: str
    image: Path
    boxes: np.ndarray
    classes: np.ndarray


def read_voc(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Boxes and classes of one VOC file.  KeyError names an unknown class."""
    boxes, classes = [], []
    for annotated in ElementTree.parse(path).getroot().iter("object"):
        name = (annotated.findtext("name") or "").strip()
        corner = annotated.find("bndbox")
        if corner is None:
            raise ValueError(f"{path.name}: an object has no box")
        boxes.append([float(corner.findtext(key) or "nan") for key in ("xmin", "ymin", "xmax", "ymax")])
        classes.append(CLASS_OF_NAME[name])
    return np.asarray(boxes, np.float32).reshape(-1, 4), np.asarray(classes, np.int64)


def read_grey(path: Path) -> np.ndarray:
    """uint8 (h, w).  OSError names a picture that cannot be read."""
    import cv2

    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise OSError(f"{path} is not a picture that can be read")
    return np.asarray(pixels)


def read_split(root: Path, split: str) -> list[AnnotatedCell]:
    """Every cell of `root/<split>.txt` that has both its image and its annotation.

    root: the public layout, or a dataset that `manage.py dataset import` wrote.
    """
    if (root / "data.yaml").exists():
        from inference.datasets import yolo  # which gives cells as this module describes them

        return yolo.read_split(root, split)
    home = root / "24_chromosomes_object"
    cells = []
    for name in (root / f"{split}.txt").read_text().split():
        image, annotation = home / "JEPG" / f"{name}.jpg", home / "annotations" / f"{name}.xml"
        if image.exists() and annotation.exists():
            cells.append(AnnotatedCell(name, image, *read_voc(annotation)))
    return cells

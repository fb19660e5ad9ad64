"""Signed karyograms as a YOLO and COCO dataset: grey pixels, boxes, outlines and classes, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inference.datasets.write import write_labels
from inference.labels import CHROMOSOMES, CIL_NAMES, UNKNOWN

UNKNOWN_CLASS = len(CIL_NAMES)
Rings = list[list[list[float]]]
Fill = Callable[[Rings, int, int], np.ndarray]  # rings, height, width → bool (height, width), even-odd


@dataclass(frozen=True)
class Outline:
    """One chromosome.  box: xyxy inside the picture.  rings: polygons in its pixels, filled even-odd."""

    label: str
    box: tuple[float, float, float, float]
    rings: Rings
    by_person: bool
    role: str


def outlines(document: dict[str, Any], width: int, height: int, offset: tuple[int, int] = (0, 0)) -> list[Outline]:
    """The present chromosomes of a karyogram document; debris is not one.

    width, height: of the picture that is written.  offset: its left upper corner in the original.
    """
    found = []
    for chromosome in document["chromosomes"]:
        if chromosome["state"] != "present":
            continue
        rings = [
            np.clip(np.asarray(ring, np.float64) - offset, 0, [width, height])
            for ring in chromosome["rings"]
            if len(ring) >= 3
        ]
        # The box follows the outline that people saw and signed, not what the detector first said.
        corners = np.concatenate(rings) if rings else np.asarray(chromosome["box"], np.float64).reshape(2, 2) - offset
        low, high = corners.min(0).clip(0, [width, height]), corners.max(0).clip(0, [width, height])
        if (high - low < 1).any():
            continue
        found.append(
            Outline(
                chromosome["label"],
                (float(low[0]), float(low[1]), float(high[0]), float(high[1])),
                [ring.round(2).tolist() for ring in rings],
                chromosome["source"] == "person",
                str(chromosome.get("role", "")),
            )
        )
    return found


def window(document: dict[str, Any], width: int, height: int, margin: int | None) -> tuple[int, int, int, int]:
    """xyxy: the whole picture, or what lies within `margin` pixels of anything in the karyogram, debris included."""
    points = [np.asarray(ring, np.float64) for entry in document["chromosomes"] for ring in entry["rings"] if ring]
    if margin is None or not points:
        return 0, 0, width, height
    corners = np.concatenate(points)
    low = np.floor(corners.min(0) - margin).clip(0, [width - 1, height - 1]).astype(int)
    high = np.ceil(corners.max(0) + margin).clip(low + 1, [width, height]).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


class Writer:
    """Takes cells one by one; `finish` writes coco.json."""

    def __init__(self, out: Path, fill: Fill, *, margin: int | None = None, unknown_class: bool = False) -> None:
        self.out, self.fill, self.margin, self.unknown_class = out, fill, margin, unknown_class
        self.places: dict[str, Path] = {}
        self.unnamed: list[str] = []
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []

    @property
    def names(self) -> tuple[str, ...]:
        return (*CIL_NAMES, UNKNOWN) if self.unknown_class else CIL_NAMES

    @property
    def chromosomes(self) -> int:
        return len(self._annotations)

    def add(self, name: str, pixels: np.ndarray, document: dict[str, Any]) -> None:
        """pixels: uint8 (h, w).  A fresh PNG is written: no metadata of the original can be in it."""
        from PIL import Image

        left, top, right, bottom = window(document, pixels.shape[1], pixels.shape[0], self.margin)
        shown = np.ascontiguousarray(pixels[top:bottom, left:right])
        height, width = shown.shape
        found = outlines(document, width, height, (left, top))
        place = Path("images") / f"{name}.png"
        Image.fromarray(shown).save(self.out / place)
        image = {"id": len(self._images) + 1, "file_name": place.as_posix(), "width": width, "height": height}
        self._images.append(image)
        for outline in found:
            self._annotations.append(self._annotation(outline, image, len(self._annotations) + 1))
        if any(outline.label == UNKNOWN for outline in found) and not self.unknown_class:
            # An unmarked chromosome would teach a detector to overlook it, so the cell is in coco.json only.
            self.unnamed.append(name)
            return
        boxes = np.array([outline.box for outline in found], np.float64).reshape(-1, 4)
        write_labels(
            self.out / "labels" / f"{name}.txt",
            [_class(outline.label) for outline in found],
            ((boxes[:, :2] + boxes[:, 2:]) / 2 / [width, height]).tolist(),
            ((boxes[:, 2:] - boxes[:, :2]) / [width, height]).tolist(),
        )
        self.places[name] = place

    def finish(self) -> None:
        categories = [{"id": number, "name": name} for number, name in enumerate((*CIL_NAMES, UNKNOWN), 1)]
        content = {"images": self._images, "annotations": self._annotations, "categories": categories}
        (self.out / "coco.json").write_text(json.dumps(content) + "\n")

    def _annotation(self, outline: Outline, image: dict[str, Any], number: int) -> dict[str, Any]:
        from pycocotools import mask as coco

        x1, y1, x2, y2 = outline.box
        segmentation: Any = [[value for point in ring for value in point] for ring in outline.rings]
        area = (x2 - x1) * (y2 - y1)
        if outline.rings:
            filled = self.fill(outline.rings, image["height"], image["width"])
            area = float(filled.sum())
            if len(outline.rings) > 1:  # COCO fills polygons one over the other: a hole can only be said in pixels
                encoded = coco.encode(np.asfortranarray(filled.astype(np.uint8)))
                segmentation = {"size": [image["height"], image["width"]], "counts": encoded["counts"].decode("ascii")}
        return {
            "id": number,
            "image_id": image["id"],
            "category_id": _class(outline.label) + 1,
            "bbox": [round(x1, 2), round(y1, 2), round(x2 - x1, 2), round(y2 - y1, 2)],
            "area": round(area, 2),
            "iscrowd": 0,
            "segmentation": segmentation,
            "attributes": {"corrected": outline.by_person, "role": outline.role},
        }


def _class(label: str) -> int:
    return UNKNOWN_CLASS if label == UNKNOWN else CHROMOSOMES.index(label)

"""Cut given boxes of one picture, without server or database."""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from inference import registry
from inference.protocols import AnalysisError, Mask
from inference.stages.load import light_ground, turned_over
from karyosite.env import environment
from karyosite.imaging import ImageRefused, inspect, read_grey


class Command(BaseCommand):
    help = "Cut the chromosomes of given boxes out of IMAGE and write their masks. Needs no server and no database."
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("image", type=Path, metavar="IMAGE")
        parser.add_argument(
            "--boxes", type=Path, required=True, metavar="BOXES.json", help="[[x1, y1, x2, y2], …], pixels"
        )
        parser.add_argument("--out", type=Path, required=True, metavar="MASKS.json")
        parser.add_argument("--segmenter", default="", help="instead of the one set in KARYOSITE_SEGMENTER")
        parser.add_argument(
            "--invert", action="store_true", help="the field is bright on dark; found by itself when not given"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = _segment(options["image"], options["boxes"], options["segmenter"], options["invert"])
        except (ImageRefused, AnalysisError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{options['image']}: {error.strerror or error}.") from error
        out: Path = options["out"]
        try:
            out.write_text(json.dumps(found) + "\n")
        except OSError as error:
            raise CommandError(f"The masks could not be written to {out}: {error.strerror}.") from error


def _segment(image: Path, boxes_file: Path, segmenter: str, invert: bool) -> dict[str, Any]:
    """Raises CommandError, ImageRefused, AnalysisError, OSError."""
    timings: dict[str, float] = {}
    started = previous = time.perf_counter()

    def took(stage: str) -> None:
        nonlocal previous
        now = time.perf_counter()
        timings[stage], previous = round(now - previous, 4), now

    given = _read_boxes(boxes_file)
    limits = {"max_pixels": environment.image_max_pixels, "max_pages": environment.image_max_pages}
    inspect(image, min_side=environment.image_min_side, **limits)
    pixels = np.ascontiguousarray(read_grey(image, max_pixels=environment.image_max_pixels))
    height, width = pixels.shape
    boxes = _within(given, width, height)
    took("read")
    seen = turned_over(pixels) if invert else light_ground(pixels)[0]
    took("load")
    configured = environment.model_copy(update={"segmenter": segmenter}) if segmenter else environment
    cutter = registry.segmenter(configured)
    took("models")
    masks = cutter.segment(seen, boxes) if len(boxes) else []
    took("segment")
    encoded = [_encoded(mask, height, width) for mask in masks]
    took("encode")
    timings["total"] = round(time.perf_counter() - started, 4)
    return {"masks": encoded, "segmenter": asdict(cutter.info), "timings_s": timings}


def _read_boxes(path: Path) -> list[list[float]]:
    try:
        given = json.loads(path.read_text())
    except OSError as error:
        raise CommandError(f"The boxes in {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CommandError(f"{path} is no JSON file. It should hold [[x1, y1, x2, y2], …].") from error
    if not isinstance(given, list):
        raise CommandError(f"{path} should hold a list of boxes: [[x1, y1, x2, y2], …].")
    for number, box in enumerate(given):
        fits = isinstance(box, list) and len(box) == 4
        if not fits or not all(
            isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) for value in box
        ):
            raise CommandError(f"Box {number} in {path} is not four numbers [x1, y1, x2, y2]. Nothing was cut.")
    return given


def _within(boxes: list[list[float]], width: int, height: int) -> np.ndarray:
    """float32 (n, 4), cut off at the picture's edge.  Raises CommandError for a box that holds nothing of it."""
    kept = np.asarray(boxes, np.float64).reshape(-1, 4)
    for number, (x1, y1, x2, y2) in enumerate(kept):
        if x2 <= x1 or y2 <= y1:
            raise CommandError(
                f"Box {number} {boxes[number]} has no area. Nothing was cut; boxes are [x1, y1, x2, y2]."
            )
        if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
            raise CommandError(
                f"Box {number} {boxes[number]} lies outside the picture, which is {width} × {height} pixels. "
                "Nothing was cut."
            )
    return np.asarray(np.clip(kept, 0, [width, height, width, height]), np.float32)


def _encoded(mask: Mask, height: int, width: int) -> dict[str, Any]:
    """COCO's compressed run lengths."""
    from pycocotools import mask as coco

    counts = coco.encode(mask.full(height, width).astype("uint8", order="F"))["counts"].decode("ascii")
    return {"size": [height, width], "counts": counts, "score": round(float(mask.score), 4)}

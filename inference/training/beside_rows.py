"""What the second look at cuts learns from: made scenes, cut by the shipped segmenter (inference.training.beside)."""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from inference.protocols import Mask
from inference.stages.beside import PLANES, Answer, planes, planes_of_crossing
from inference.stages.window import LARGE, SMALL, at_scale
from inference.training.cutouts import kept, shrunk, tight_boxes
from inference.training.interrupts import pause_point, program
from inference.training.sam import laid_scene
from inference.training.sam_prompts import as_detected, window_bits
from inference.training.scenes import Composed, boxes_of, exposed

FIELD = 416  # the side of a scene
LAID, LAID_INTO_DRAWN = (12, 24), (0, 8)
DRAWN = 0.5  # share of scenes that are made of drawn fields
ERRS = 0.0, 0.02, 0.05  # of a box's sides, what a scene's boxes are off by beside what people draw
LONE = 0.5  # share of the lone chromosomes that are learned from
# A detector draws wide boxes around what it never saw.  Who has learned from close ones alone cuts as wide as they are.
WIDE, WIDE_LONE = 0.6, 0.6  # of the scenes of drawn fields, and what is then learned of the lone ones
WIDER, UNEVEN = (2.0, 7.0), 1.2  # working pixels on each side, and how they scatter within a scene
ZOOMED, ZOOMS = 0.7, (0.85, 1.6)  # share of scenes that are shown at another scale, and at which
HELD = 20  # every so many-th scene is for judging
_SCALE = np.array([255, 15, 15, 80, 255, 127], np.float32)[:, None, None]  # of planes, kept as bytes
_MIDDLE = np.array([0, 128, 128, 0, 0, 128], np.float32)[:, None, None]


@dataclass
class Rows:
    """Of windows of one size.  seen: uint8 (n, PLANES, side, side), packed.  truth, others: bool (n, side, side), the
    chromosome and all others.  expected: float32 (n,), by the look before.  held: bool (n,), for judging."""

    seen: list[np.ndarray] = field(default_factory=list)
    truth: list[np.ndarray] = field(default_factory=list)
    others: list[np.ndarray] = field(default_factory=list)
    expected: list[float] = field(default_factory=list)
    held: list[bool] = field(default_factory=list)


def packed(seen: np.ndarray) -> np.ndarray:
    """Planes as bytes, uint8 of the same shape (…, PLANES, side, side)."""
    return np.asarray(np.clip(np.rint(seen * _SCALE + _MIDDLE), 0, 255).astype(np.uint8))


def unpacked(seen: Any) -> Any:
    """As a float tensor what `packed` made, a uint8 tensor."""
    import torch

    return (seen.float() - torch.from_numpy(_MIDDLE).to(seen.device)) / torch.from_numpy(_SCALE).to(seen.device)


def wide_boxes(composed: Composed, rng: random.Random) -> np.ndarray:
    """float32 (n, 4): as a detector draws them around what it never saw."""
    room = rng.uniform(*WIDER)
    tight = tight_boxes([one.mask for one in composed.placed])
    sides = np.array([[max(0.0, rng.gauss(room, UNEVEN)) for _ in range(4)] for _ in tight])
    return np.asarray(tight + sides * [-1, -1, 1, 1], np.float32)


def seen_larger(pixels: np.ndarray, zoom: float) -> np.ndarray:
    """uint8 (h, w), as another camera would show it."""
    import cv2

    return at_scale(pixels, zoom, cv2.INTER_CUBIC)


def learn_from(
    composed: Composed, segmenter: Any, rng: random.Random, rows: dict[int, Rows], held: bool, wide: bool = False
) -> None:
    """Adds what the segmenter makes of a scene's chromosomes at its first look, and, of those that are looked at a
    third time, at its second.  rows: by the windows' side.  wide: whether boxes are."""
    around = wide_boxes(composed, rng) if wide else boxes_of(composed, rng)
    boxes, sure = as_detected(around, composed.others, rng)
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    errs = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.choice(ERRS), boxes.shape)
    zoom = rng.uniform(*ZOOMS) if rng.random() < ZOOMED else 1.0
    boxes = ((boxes + errs * sides) * zoom).astype(np.float32)
    pixels = 255 - seen_larger(exposed(composed.density, rng), zoom)
    embedding = segmenter.embed(pixels, boxes)
    scale = float(embedding["scale"])
    density = segmenter.density(pixels, embedding)
    first = segmenter.first_answers(embedding, boxes, sure)
    seen = planes(density, first, boxes * scale, sure)
    second = segmenter.second_look.looked(density, first, boxes * scale, sure)
    crossing = planes_of_crossing(density, second, boxes * scale, sure)
    masks: list[Mask] = [one.mask if scale * zoom == 1 else shrunk(one.mask, scale * zoom) for one in composed.placed]

    def add(row: int, planes_of_one: np.ndarray, answer: Answer) -> None:
        _, window, expected = answer
        truth = window_bits(masks[row], *window)
        if not truth.any():
            return
        others = np.zeros_like(truth)
        for other in masks[:row] + masks[row + 1 :]:
            others |= window_bits(other, *window)
        into = rows[window[2]]
        into.seen.append(packed(planes_of_one))
        into.truth.append(truth)
        into.others.append(others)
        into.expected.append(expected)
        into.held.append(held)

    for row, one in enumerate(composed.placed):
        if row in seen and (one.kind != "lone" or rng.random() <= (WIDE_LONE if wide else LONE)):
            add(row, seen[row], first[row])
    for row, planes_of_one in crossing.items():
        if row < len(masks):
            add(row, planes_of_one, second[row])


def make(scenes: Path, out: Path, count: int, *, seed: int = 0, threads: int = 1, shown: bool = True) -> None:
    """Writes out/SIDE.npz for both sizes of window, from `count` made scenes."""
    from types import SimpleNamespace

    import cv2

    from inference import registry

    cv2.setNumThreads(threads)
    configuration: Any = SimpleNamespace(segmenter="shipped", device="cpu", worker_threads=threads)
    segmenter = registry.segmenter(configuration)
    known = kept(scenes)
    real = [scene for scene in known if not scene.drawn and len(scene.masks) > 3]
    drawn = [scene for scene in known if scene.drawn]
    rng = random.Random(seed)
    rows = {SMALL: Rows(), LARGE: Rows()}
    for number in tqdm(range(count), desc="cutting scenes", mininterval=2, disable=not shown):
        pause_point(lambda: None)
        of_drawn = bool(drawn) and rng.random() < DRAWN
        laid = LAID_INTO_DRAWN if of_drawn else LAID
        composed = laid_scene(drawn if of_drawn else real, FIELD, laid, rng)
        if composed.placed:
            wide = of_drawn and rng.random() < WIDE
            learn_from(composed, segmenter, rng, rows, held=number % HELD == 0, wide=wide)
    out.mkdir(parents=True, exist_ok=True)
    for side, one in rows.items():
        empty = np.zeros((0, PLANES, side, side), np.uint8)
        temporary = out / f"{side}.tmp.npz"
        np.savez(
            temporary,
            seen=np.stack(one.seen) if one.seen else empty,
            truth=np.stack(one.truth) if one.truth else empty[:, 0] > 0,
            others=np.stack(one.others) if one.others else empty[:, 0] > 0,
            expected=np.array(one.expected, np.float32),
            held=np.array(one.held, bool),
        )
        temporary.replace(out / f"{side}.npz")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=Path, default=Path("training-runs/scenes/scenes.npz"))
    parser.add_argument("--out", type=Path, default=Path("training-runs/beside/rows"))
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    make(given.scenes, given.out, given.count, seed=given.seed)


if __name__ == "__main__":
    program(main)

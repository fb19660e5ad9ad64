"""Whole cells and lone chromosomes to make scenes from: masks without annotation.

A chromosome that touches no other can be cut out nearly perfectly by intensity.  From the training cells those are
kept with their cells, at one common scale.  Cells with drawn pixel masks (fluorescence, inverted) bring outlines as
people draw them, crossings included.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from inference.backends.threshold import ThresholdSegmenter
from inference.protocols import Mask
from inference.stages.outline import touching
from inference.stages.window import at_scale, scale_of_boxes, seen_density
from inference.training.cil import read_grey, read_split
from inference.training.interrupts import pause_point, program

_NO_BOXES = np.zeros((0, 4), np.float32)
OVERLAP = 255  # in drawn masks: belongs to both
_SOFT, _ROOM = 0.8, 3  # pixels: how softly a mask's edge is kept, and the room for it
HELD_OUT = 3  # every third slide with drawn masks is for judging


@dataclass(frozen=True)
class Scene:
    """density: uint8 (h, w), ground at 0, at the working scale.  masks: those known exactly.  boxes: float32 (n, 4)
    as annotated, for the masks.  drawn: outlined by a person, not by intensity.  others: float32 (m, 4), the boxes of
    chromosomes without a known mask."""

    name: str
    density: np.ndarray
    masks: list[Mask]
    boxes: np.ndarray
    drawn: bool
    others: np.ndarray = field(default_factory=lambda: _NO_BOXES)


@dataclass(frozen=True)
class Exact(Mask):
    """A mask that goes through scaling and turning without losing its edge: share, uint8 as bits, how much of each
    pixel it covers (bits: half and more).  Drawn anew as bits at each scaling, chromosomes agreed with themselves
    by an IoU of 0.977 only."""

    share: np.ndarray

    @classmethod
    def of(cls, left: int, top: int, share: np.ndarray) -> Exact:
        return cls(left, top, share > 127, 1.0, share)


def share_of(mask: Mask) -> np.ndarray:
    return mask.share if isinstance(mask, Exact) else mask.bits.astype(np.uint8) * 255


def softened(mask: Mask) -> Exact:
    """The mask with the edge that its pixels are drawn from, as far as they tell."""
    import cv2

    padded = np.pad(mask.bits, _ROOM).astype(np.float32) * 255
    share = cv2.GaussianBlur(padded, (0, 0), _SOFT)
    return Exact.of(mask.left - _ROOM, mask.top - _ROOM, np.rint(share).astype(np.uint8))


def shrunk(mask: Mask, scale: float) -> Exact:
    """The mask at `scale`, its own window."""
    import cv2

    rows, columns = mask.bits.shape
    left, top = int(np.floor(mask.left * scale)), int(np.floor(mask.top * scale))
    width = int(np.ceil((mask.left + columns) * scale)) - left + 1
    height = int(np.ceil((mask.top + rows) * scale)) - top + 1
    move = np.array(
        [
            [scale, 0, (mask.left + 0.5) * scale - 0.5 - left],
            [0, scale, (mask.top + 0.5) * scale - 0.5 - top],
        ],
        np.float32,
    )
    return Exact.of(left, top, cv2.warpAffine(share_of(mask), move, (width, height), flags=cv2.INTER_LINEAR))


def lone_masks(pixels: np.ndarray, boxes: np.ndarray) -> list[tuple[int, Mask]]:
    """(row, mask) of every chromosome that stands alone and lies well inside its box."""
    masks = ThresholdSegmenter().segment(pixels, boxes)
    neighbours = touching(masks)
    long_sides = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    usual = float(np.median([mask.bits.sum() for mask in masks]))
    found = []
    for row, (mask, box) in enumerate(zip(masks, boxes, strict=True)):
        area = int(mask.bits.sum())
        if neighbours[row] or not 0.25 * usual < area < 3 * usual:
            continue
        rows, columns = mask.bits.shape
        slack = np.array(
            [mask.left - box[0], mask.top - box[1], box[2] - mask.left - columns, box[3] - mask.top - rows]
        )
        # Cut off by the box's side: part of something larger.  Far from it: a piece only.
        if slack.min() < 0.5 or slack.max() > 0.22 * long_sides[row] + 8:
            continue
        found.append((row, mask))
    return found


def annotated_scene(name: str, pixels: np.ndarray, boxes: np.ndarray) -> Scene:
    scale = scale_of_boxes(boxes)
    lone = lone_masks(pixels, boxes)
    density = at_scale(seen_density(pixels), scale)
    masks: list[Mask] = [shrunk(softened(mask), scale) for _, mask in lone]
    kept = np.array([row for row, _ in lone], int)
    scaled = (boxes * scale).astype(np.float32).reshape(-1, 4)
    return Scene(name, density, masks, scaled[kept], False, np.delete(scaled, kept, axis=0))


def drawn_masks(labels: np.ndarray) -> list[tuple[int, Mask]]:
    """(class 1..24, mask) of each chromosome in a class mask: its pieces, joined over the overlaps they touch.

    Two homologues in one piece cannot be told apart and are left out.
    """
    import cv2
    from scipy import ndimage

    shared, overlaps = ndimage.label(labels == OVERLAP, structure=np.ones((3, 3)))
    reach = [cv2.dilate((shared == number).astype(np.uint8), np.ones((3, 3))) > 0 for number in range(1, overlaps + 1)]
    found: list[tuple[int, Mask]] = []
    usual = _usual_share(labels)
    for index in range(1, 25):
        pieces, count = ndimage.label(labels == index, structure=np.ones((3, 3)))
        areas = np.bincount(pieces.ravel(), minlength=count + 1)
        real = [piece for piece in range(1, count + 1) if areas[piece] >= 12]
        at = {
            piece: {number for number, near in enumerate(reach) if (near & (pieces == piece)).any()} for piece in real
        }
        groups: list[set[int]] = [{piece} for piece in real]
        while len(groups) > 2:  # more pieces than homologues: those at one crossing belong together
            pair = next(
                (
                    (one, other)
                    for place, one in enumerate(groups)
                    for other in groups[place + 1 :]
                    if set().union(*(at[piece] for piece in one)) & set().union(*(at[piece] for piece in other))
                ),
                None,
            )
            if pair is None:
                break
            groups = [group for group in groups if group not in pair] + [pair[0] | pair[1]]
        if len(groups) > 2:
            continue
        for group in groups:
            bits = np.isin(pieces, list(group))
            if len(groups) == 1 and index < 23 and bits.sum() > 1.5 * usual.get(index, 1e9):
                continue
            for number in set().union(*(at[piece] for piece in group)):
                bits |= shared == number + 1
            _, parts = ndimage.label(bits, structure=np.ones((3, 3)))
            if parts > 1 or bits.sum() < 30:
                continue
            found.append((index, cropped(bits)))
    return found


def _usual_share(labels: np.ndarray) -> dict[int, float]:
    """Class → pixels that one homologue of it should have here, by the known lengths of chromosomes."""
    lengths = np.array(
        [249, 242, 198, 190, 182, 171, 159, 145, 138, 134, 135, 133, 114, 107, 102, 90, 83, 80, 59, 64, 47, 51],
        np.float64,
    )
    counts = np.array([(labels == index).sum() for index in range(1, 23)], np.float64)
    each = np.median(counts[counts > 0] / lengths[counts > 0]) / 2 if (counts > 0).any() else 0.0
    return {index: float(each * lengths[index - 1]) for index in range(1, 23)}


def cropped(bits: np.ndarray) -> Mask:
    rows, columns = np.flatnonzero(bits.any(axis=1)), np.flatnonzero(bits.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    return Mask(int(left), int(top), bits[top:bottom, left:right].copy(), 1.0)


def tight_boxes(masks: list[Mask]) -> np.ndarray:
    """float32 (n, 4) xyxy around the masks."""
    boxes = np.zeros((len(masks), 4), np.float32)
    for box, mask in zip(boxes, masks, strict=True):
        inner = cropped(mask.bits)  # an exact mask's window has room around it
        rows, columns = inner.bits.shape
        left, top = mask.left + inner.left, mask.top + inner.top
        box[:] = left, top, left + columns, top + rows
    return boxes


def drawn_scene(name: str, fluorescence: np.ndarray, labels: np.ndarray) -> Scene:
    """fluorescence: uint8 (h, w), bright on dark."""
    masks = [mask for _, mask in drawn_masks(labels)]
    boxes = tight_boxes(masks)
    scale = scale_of_boxes(boxes)
    density = at_scale(seen_density(255 - fluorescence), scale)
    return Scene(name, density, [shrunk(softened(mask), scale) for mask in masks], boxes * scale, True)


def drawn_cells(folder: Path, *, held_out: bool) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(name, fluorescence, labels) of the cells to judge by, or of the others.  A slide (first three letters of the
    name) is wholly on one side."""
    import cv2

    slides = sorted({path.stem[:3] for path in (folder / "dapi").glob("*.png")})
    judged = set(slides[::HELD_OUT])
    return [
        (
            path.stem,
            np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)),
            np.asarray(cv2.imread(str(folder / "labels" / path.name), cv2.IMREAD_GRAYSCALE)),
        )
        for path in sorted((folder / "dapi").glob("*.png"))
        if (path.stem[:3] in judged) == held_out
    ]


def keep(scenes: list[Scene], path: Path) -> None:
    """One .npz, written beside and renamed."""
    parts: dict[str, np.ndarray] = {}
    for number, scene in enumerate(scenes):
        parts[f"{number}.density"] = scene.density
        parts[f"{number}.windows"] = np.array(
            [[mask.left, mask.top, *mask.bits.shape] for mask in scene.masks], np.int32
        ).reshape(-1, 4)
        parts[f"{number}.shares"] = np.concatenate([np.zeros(0, np.uint8), *(share_of(m).ravel() for m in scene.masks)])
        parts[f"{number}.boxes"] = scene.boxes.astype(np.float32)
        parts[f"{number}.others"] = scene.others.astype(np.float32)
        parts[f"{number}.drawn"] = np.array([scene.drawn])
    temporary = path.with_suffix(".tmp.npz")
    parts["names"] = np.array([scene.name for scene in scenes])
    np.savez(temporary, **parts)  # type: ignore[arg-type]
    temporary.replace(path)


def kept(path: Path) -> list[Scene]:
    """What `keep` wrote."""
    scenes = []
    with np.load(path) as parts:
        for number, name in enumerate(parts["names"]):
            windows = parts[f"{number}.windows"]
            if (shares := f"{number}.shares") in parts:
                flat = parts[shares]
            else:  # cut when masks were bits
                flat = np.unpackbits(parts[f"{number}.bits"]) * np.uint8(255)
            masks: list[Mask] = []
            at = 0
            for left, top, rows, columns in windows.tolist():
                masks.append(Exact.of(left, top, flat[at : at + rows * columns].reshape(rows, columns)))
                at += rows * columns
            scenes.append(
                Scene(
                    str(name),
                    parts[f"{number}.density"],
                    masks,
                    parts[f"{number}.boxes"],
                    bool(parts[f"{number}.drawn"][0]),
                    parts[others] if (others := f"{number}.others") in parts else _NO_BOXES,  # cut before 0.3
                )
            )
    return scenes


def make(data: Path, drawn: Path | None, out: Path, most: int, *, shown: bool = True) -> Path:
    """out/scenes.npz, made where it is not there yet, of at most so many annotated cells, evenly taken, and of the
    cells with drawn masks that are not for judging."""
    path = out / "scenes.npz"
    if path.exists():
        return path
    out.mkdir(parents=True, exist_ok=True)
    cells = read_split(data, "train")
    cells = cells[:: max(1, len(cells) // most)][:most]
    scenes = []
    for cell in tqdm(cells, desc="cutting out", mininterval=2, disable=not shown):
        pause_point(lambda: None)
        scenes.append(annotated_scene(cell.name, read_grey(cell.image), cell.boxes))
    if drawn is not None:
        scenes += [drawn_scene(*cell) for cell in drawn_cells(drawn, held_out=False)]
    keep(scenes, path)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="annotated cells (CIL:54816 layout)")
    parser.add_argument("--drawn", type=Path, required=True, help="cells with drawn masks: dapi/ and labels/")
    parser.add_argument("--out", type=Path, default=Path("training-runs/scenes"))
    parser.add_argument("--cells", type=int, default=700)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    scenes = kept(make(arguments.data, arguments.drawn, arguments.out, arguments.cells))
    logging.info("%d cells, %d chromosomes with exact masks", len(scenes), sum(len(scene.masks) for scene in scenes))


if __name__ == "__main__":
    program(main)

"""The training crops, made once: every annotated chromosome cut by the shipped segmenter and turned upright.

Boxes are jittered as a detector errs.  Kept as two plain arrays in a git-ignored folder; a list tells which cells are
done, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
from tqdm import tqdm

from inference.stages.crops import HEIGHT, WIDTH, upright_crops
from inference.training.cil import AnnotatedCell, read_grey, read_split


def jittered(boxes: np.ndarray, rng: random.Random, share: float = 0.05) -> np.ndarray:
    """float32 (n, 4): each side moved by up to `share` of the box's size."""
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    moves = np.array([[rng.uniform(-share, share) for _ in range(4)] for _ in boxes], np.float32).reshape(-1, 4)
    return (boxes + moves * np.stack([width, height, width, height], 1)).astype(np.float32)


def cell_crops(cell: AnnotatedCell, rng: random.Random) -> np.ndarray:
    from inference.backends.threshold import ThresholdSegmenter

    pixels = read_grey(cell.image)
    boxes = jittered(cell.boxes, rng)
    return upright_crops(pixels, boxes, ThresholdSegmenter().segment(pixels, boxes))


def make(data: Path, split: str, out: Path) -> None:
    """Writes out/<split>.crops.u8 (n, 2, HEIGHT, WIDTH) and out/<split>.classes.npy, out/<split>.cells.npy."""
    import cv2

    cv2.setNumThreads(1)
    out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(7)
    classes, cells = [], []
    with (out / f"{split}.crops.u8").open("wb") as file:
        for number, cell in enumerate(tqdm(read_split(data, split), desc=split, mininterval=30)):
            file.write(cell_crops(cell, rng).tobytes())
            classes.append(cell.classes)
            cells.append(np.full(len(cell.classes), number))
    np.save(out / f"{split}.classes.npy", np.concatenate(classes))
    np.save(out / f"{split}.cells.npy", np.concatenate(cells))


def load(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """crops (memory-mapped), classes int64 (n,), cell numbers int64 (n,)."""
    classes = np.load(folder / f"{split}.classes.npy")
    shape = (len(classes), 2, HEIGHT, WIDTH)
    return (
        np.memmap(folder / f"{split}.crops.u8", np.uint8, "r", shape=shape),
        classes,
        np.load(folder / f"{split}.cells.npy"),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("training-runs/crops"))
    arguments = parser.parse_args()
    for split in ("val", "train"):
        make(arguments.data, split, arguments.out)


if __name__ == "__main__":
    main()

"""Further training of the YOLOv10 detector on a small CPU.

The model and its assigner are ultralytics' own, the loss is taken apart (inference.training.presence), and the loop
is ours, because on two cores the stock trainer runs one thread in float32.  Here the forward and backward passes run
with channels-last memory, and in bfloat16 where the machine multiplies it (inference.training.hardware), which measured
2.2 times faster on a CPU with AVX512-BF16.

The schedule follows the work done, not a count of epochs: the learning rate falls along a cosine over `cpu_hours`
of this process's own processor time, summed over resumed runs, so that a run which shares its machine, or is
stopped meanwhile, keeps its shape.  Everything needed to resume is in `last.pt`, written to a temporary name and
renamed.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import random
import time
from pathlib import Path
from typing import Any

import numpy as np

from inference.labels import CIL_NAMES
from inference.training import muon
from inference.training.cil import AnnotatedCell, read_grey, read_split
from inference.training.hardware import hardware
from inference.training.interrupts import pause_point, program
from inference.training.keeping import follow, save, save_run, taken_up
from inference.training.laid import Lone, lay, lone_of
from inference.training.presence import PresenceLoss


def augment(pixels: np.ndarray, boxes: np.ndarray, side: int, rng: random.Random) -> tuple[np.ndarray, np.ndarray]:
    """One exact augmentation: flips and quarter turns keep boxes tight; scale and shift within the square.

    pixels: uint8 (h, w).  boxes: float32 (n, 4) xyxy.  Returns uint8 (side, side) and boxes in its pixels.
    """
    import cv2

    if rng.random() < 0.5:
        pixels, boxes = pixels.T, boxes[:, [1, 0, 3, 2]]
    height, width = pixels.shape
    if rng.random() < 0.5:
        pixels, boxes = pixels[:, ::-1], boxes[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [width, 0, width, 0]
    if rng.random() < 0.5:
        pixels, boxes = pixels[::-1], boxes[:, [0, 3, 2, 1]] * [1, -1, 1, -1] + [0, height, 0, height]
    scale = side / max(height, width) * math.exp(rng.uniform(math.log(0.8), math.log(1.1)))
    left = rng.uniform(min(0, side - width * scale), max(0, side - width * scale))
    top = rng.uniform(min(0, side - height * scale), max(0, side - height * scale))
    canvas = cv2.warpAffine(
        np.ascontiguousarray(pixels),
        np.array([[scale, 0, left], [0, scale, top]], np.float32),
        (side, side),
        flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=114,
    )
    gain, gamma = rng.uniform(0.85, 1.15), math.exp(rng.uniform(-0.3, 0.3))
    table = np.clip(255 * gain * (np.arange(256) / 255) ** gamma, 0, 255).astype(np.uint8)
    return table[canvas], boxes * scale + [left, top, left, top]


class Cells:
    """A torch map-style dataset over annotated cells (duck-typed, so that torch is imported late)."""

    def __init__(
        self, cells: list[AnnotatedCell], side: int, shift: tuple[float, float] = (0.0, 0.0), laid: float = 0.0
    ) -> None:
        """laid: share of the cells over which some of their own chromosomes are laid once more."""
        self.cells, self.side, self.shift, self.laid = cells, side, np.array([*shift, *shift], np.float32), laid
        self._lone: dict[int, Lone] = {}  # found once a cell, by the process that reads it

    def __len__(self) -> int:
        return len(self.cells)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        import cv2

        cv2.setNumThreads(0)
        cell, rng = self.cells[index], random.Random()
        pixels, boxes, classes = read_grey(cell.image), cell.boxes + self.shift, cell.classes
        if rng.random() < self.laid:
            if index not in self._lone:
                self._lone[index] = lone_of(pixels, boxes)
            pixels, boxes, classes = lay(pixels, boxes, classes, self._lone[index], rng)
        pixels, boxes = augment(pixels, boxes, self.side, rng)
        full = np.maximum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), 1e-6)
        boxes = np.clip(boxes, 0, self.side)
        kept = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) > 0.4 * full
        return pixels, boxes[kept].astype(np.float32), classes[kept]


def collate(samples: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> dict[str, Any]:
    """A batch as ultralytics' loss reads it: boxes as xywh fractions of the square."""
    import torch

    side = samples[0][0].shape[0]
    image = torch.from_numpy(np.stack([pixels for pixels, _, _ in samples])).float().div_(255)
    boxes = np.concatenate([boxes for _, boxes, _ in samples])
    centres = np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], 1) / side
    owner = np.concatenate([np.full(len(boxes), index) for index, (_, boxes, _) in enumerate(samples)])
    return {
        "img": image[:, None].expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last),
        "cls": torch.from_numpy(np.concatenate([classes for _, _, classes in samples])).float()[:, None],
        "bboxes": torch.from_numpy(centres).float(),
        "batch_idx": torch.from_numpy(owner).float(),
    }


def export_checkpoint(ema: Any, path: Path, note: dict[str, Any]) -> None:
    """An ultralytics checkpoint (half precision) that `YOLO(path)` loads."""
    model = copy.deepcopy(ema).cpu().half()
    model.criterion = None
    model.pt_path = ""  # the start's path on this machine is nobody else's business
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    save(path, {"epoch": -1, "model": model, "ema": None, "optimizer": None, "train_args": note, "version": "8.4"})


def train(
    *,
    data: Path,
    start: Path,
    out: Path,
    cpu_hours: float,
    side: int,
    batch: int,
    rate: float,
    threads: int = 2,
    device: str = "",
    loaders: int = 1,
    shift_x: float = 0.0,
    shift_y: float = 0.0,
    laid: float = 0.0,
) -> None:
    """Train from `start`, or from `out/last.pt` where a run was stopped, until `cpu_hours` are spent.

    shift_x, shift_y: pixels that are added to annotated boxes.  Those of CIL:54816 lie 0.6 pixels left of and 2.3 above
    what they mark, in pictures of every size; once pictures are mirrored and turned, that would be mere noise.
    laid: share of the cells over which some of their own chromosomes are laid once more (inference.training.laid).
    """
    import torch
    from ultralytics import YOLO
    from ultralytics.cfg import get_cfg

    out.mkdir(parents=True, exist_ok=True)
    machine = hardware(device, threads)
    model: Any = YOLO(str(start)).model
    model = model.float().to(machine.device, memory_format=torch.channels_last).train()
    model.args = get_cfg()
    model.names = dict(enumerate(CIL_NAMES))
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    ema = copy.deepcopy(model).eval()
    criterion = PresenceLoss(model)
    optimiser = muon.optimiser(model, rate, bfloat16=machine.bfloat16)
    last, parts = out / "last.pt", {"model": model, "ema": ema, "optimiser": optimiser}
    state = taken_up(last, parts)
    spent, step, seen = state.get("spent", 0.0), state.get("step", 0), state.get("seen", 0)
    cells: Any = Cells(read_split(data, "train"), side, (shift_x, shift_y), laid)
    loader: Any = torch.utils.data.DataLoader(
        cells,
        batch_size=batch,
        shuffle=True,
        drop_last=True,
        num_workers=loaders,
        collate_fn=collate,
        persistent_workers=True,
        prefetch_factor=4,
    )
    recent: list[float] = []
    clock = time.process_time()
    note = {"imgsz": side, "task": "detect", "data": None, "single_cls": False}

    def keep() -> None:
        save_run(last, parts, spent=spent, step=step, seen=seen)
        export_checkpoint(ema, out / "detector.pt", note)

    while spent < cpu_hours * 3600:
        for samples in loader:
            share = min(1.0, spent / (cpu_hours * 3600))
            now = rate * min(1.0, (step + 1) / 50) * (0.02 + 0.98 * (1 + math.cos(math.pi * share)) / 2)
            for group in optimiser.param_groups:
                group["lr"] = now
            samples = machine.place(samples)
            with machine.numbers():
                predictions = model(samples["img"])
            predictions = torch.utils._pytree.tree_map(
                lambda leaf: leaf.float() if torch.is_tensor(leaf) else leaf, predictions
            )
            loss, _ = criterion(predictions, samples)
            total = loss.sum() / batch
            optimiser.zero_grad(set_to_none=True)
            total.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
            optimiser.step()
            step, seen = step + 1, seen + batch
            decay = 0.999 * (1 - math.exp(-step / 300))
            follow(ema, model, decay)
            recent.append(float(total.detach()))
            spent, clock = spent + time.process_time() - clock, time.process_time()
            if step % 25 == 0:
                line = {
                    "step": step,
                    "seen": seen,
                    "cpu_hours": round(spent / 3600, 3),
                    "loss": round(float(np.mean(recent)), 3),
                    "rate": now,
                }
                with (out / "progress.jsonl").open("a") as log:
                    log.write(json.dumps(line) + "\n")
                recent = []
            if step % 200 == 0:
                keep()
            pause_point(keep)
            if spent >= cpu_hours * 3600:
                break
    keep()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("training-runs/detector"))
    parser.add_argument("--cpu-hours", type=float, default=3.0)
    parser.add_argument("--side", type=int, default=640)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="")
    parser.add_argument("--shift-x", type=float, default=0.0)
    parser.add_argument("--shift-y", type=float, default=0.0)
    parser.add_argument("--laid", type=float, default=0.0, help="share of the cells that get more crossings")
    parser.add_argument("--loaders", type=int, default=1, help="processes that read and augment pictures")
    train(**vars(parser.parse_args()))


if __name__ == "__main__":
    program(main)

"""How fast chromosomes are cut: the shipped segmenter beside ViT-B at 1024 pixels with one decoder run a box.

No official checkpoint is needed: a network takes as long with weights drawn by chance.  `python -m tests.bench_cutting`
prints one JSON object; `make bench` runs it in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import time
from types import SimpleNamespace
from typing import Any

import numpy as np

from cases.demo.laboratory import CELLS
from inference import registry
from karyosite.imaging import read_grey

_CLICKS = 40
_ROUNDS = 5


def timed(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    configuration: Any = SimpleNamespace(
        device="cpu", detector_weights="", classifier="none", segmenter="shipped", sam_checkpoint="",
        sam_model_type="vit_b", worker_threads=0,
    )  # fmt: skip
    pixels = read_grey(sorted(CELLS.glob("*.jpg"))[0])
    boxes = registry.detector(configuration).detect(pixels).boxes
    boxes = boxes[:46]
    segmenter, prompter = registry.segmenter(configuration), registry.prompter(configuration)
    masks = segmenter.segment(pixels, boxes)
    whole = [timed(lambda: segmenter.segment(pixels, boxes)) for _ in range(_ROUNDS)]
    embedding = prompter.embed(pixels)
    rng = np.random.default_rng(3)
    clicks = []
    for number in range(_CLICKS):
        row = number % len(boxes)
        x1, y1, x2, y2 = boxes[row]
        others = masks[:row] + masks[row + 1 :]
        points = np.array([[(x1 + x2) / 2 + rng.normal(0, 2), (y1 + y2) / 2 + rng.normal(0, 2), 1]], np.float32)
        clicks.append(
            timed(lambda points=points, others=others: prompter.cut(pixels, embedding, None, points, None, others))
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {
        "segmenter": segmenter.info.name,
        "boxes": len(boxes),
        "picture": list(pixels.shape[::-1]),
        "whole_cell_s": round(statistics.median(whole), 3),
        "click_ms": {
            "median": round(1000 * statistics.median(clicks), 1),
            "p95": round(1000 * percentile(clicks, 0.95), 1),
        },
        "peak_memory_mb": round(peak),
    }
    one_by_one = vit_b(pixels, boxes)
    print(json.dumps(found | {"vit_b_1024_one_run_a_box_s": round(one_by_one, 2),  # noqa: T201
                              "times_faster": round(one_by_one / found["whole_cell_s"], 1)}))  # fmt: skip


def vit_b(pixels: np.ndarray, boxes: np.ndarray) -> float:
    """Seconds: the picture embedded once, the decoder run once for each box."""
    import torch
    from segment_anything import SamPredictor, sam_model_registry

    torch.manual_seed(1)
    torch.set_num_threads(len(os.sched_getaffinity(0)))  # the detector has set fewer
    predictor = SamPredictor(sam_model_registry["vit_b"]().eval())

    def cut() -> None:
        with torch.inference_mode():
            predictor.set_image(np.repeat(pixels[:, :, None], 3, axis=2))
            for box in boxes:
                predictor.predict(box=box, multimask_output=False)

    return timed(cut)


if __name__ == "__main__":
    main()

"""The compact SAM in ONNX Runtime: the picture embedded once, every prompt with its window of the embedding.

Two graphs in two files.  The field: density (1, 1, h, w) → embedding, middle and fine features.  The prompt: windows
of these, points and the present mask → mask logits and the expected IoU (inference.training.sam_model).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inference.backends.sam_asked import Prompt, cut_beside
from inference.backends.sam_beside import SecondLook
from inference.backends.sam_masks import mask_of, with_shared
from inference.backends.side_by_side import side_by_side
from inference.protocols import AnalysisError, Mask, ModelInfo
from inference.stages.beside import SURE, Answer, planes
from inference.stages.edge import Edge, levels_to_follow
from inference.stages.window import (
    LARGE,
    MULTIPLE,
    NEIGHBOURS,
    at_scale,
    densities,
    in_window,
    levels,
    scale_of_boxes,
    scale_of_field,
    told_of,
    view_of,
    window_of,
)

_SLOTS = 6  # points a prompt may have; a box takes two
_BATCH = {True: 4, False: 1}  # prompts a run, in small windows and in large ones: more no longer fit a core's cache
_FEW = 8  # boxes from which their sizes tell the scale better than the picture does
# Density, 0..255: the faintest of 3,541 chromosomes has 66 on average (of drawn fields: 49), bare ground 0.4.
_FAINT = 30.0
_PRESENT = 6.0  # the logit that stands for "in the present mask"
_LONGEST = 2048  # working pixels of a picture's longer side
# Where a field's boxes are close (mean room below _CLOSE, working pixels) and more than this share of their sides is
# crossed, masks are cut at the next level of their logits.  Chosen on the drawn fields that were trained on.
_LEVELS, _CLOSE, _CROSSED = (0.0, 0.5, 1.0, 1.5), 1.5, 0.02


class CompactSam:
    """A Segmenter, a Prompter and a Recutter."""

    cut_trusted_from: float | None = (
        0.85  # expected IoU: what it expects comes true on the whole, also where chromosomes touch
    )

    def __init__(
        self, field: Path, prompt: Path, info: ModelInfo, *, beside: Path | None = None, threads: int = 0
    ) -> None:
        """beside: for a second look at the cuts of a whole cell.  threads: the field is embedded by so many, and so
        many prompts are answered at once.  Raises AnalysisError."""
        self.info = info
        self._threads = max(1, threads)
        self._field, self._prompt = _session(field, threads), _session(prompt, 1)
        self.second_look = None if beside is None else SecondLook(_session(beside, 1), self._threads)

    @property
    def key(self) -> str:
        return f"{self.info.name}-{self.info.sha256[:16]}-3"

    def embed(self, pixels: np.ndarray, boxes: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """pixels: uint8 (h, w), dark on light.  boxes: of most of the cell, where they are known: they tell its scale.

        Returns embedding, middle and fine (float16, without the batch axis), scale, working pixels a pixel, and levels,
        the greys of ground and chromosomes.
        """
        scale = scale_of_boxes(boxes) if boxes is not None and len(boxes) >= _FEW else scale_of_field(pixels)
        scale = min(scale, _LONGEST / max(pixels.shape))
        greys = levels(pixels)
        density = _density(pixels, greys, scale)
        height, width = density.shape
        padded = np.zeros((1, 1, *(math.ceil(side / MULTIPLE) * MULTIPLE for side in (height, width))), np.float32)
        padded[0, 0, :height, :width] = density.astype(np.float32) / 255
        found = self._field.run(["embedding", "middle", "fine"], {"density": padded})
        names = ("embedding", "middle", "fine")
        features = {name: part[0] for name, part in zip(names, found, strict=True)}
        return features | {"scale": np.array(scale), "levels": np.array(greys)}

    def segment(self, pixels: np.ndarray, boxes: np.ndarray, sure: np.ndarray | None = None) -> list[Mask]:
        """One mask a box, in the boxes' order; masks may overlap.  A mask's score: the IoU that the model expects."""
        return self.segment_embedded(pixels, self.embed(pixels, boxes), boxes, sure) if len(boxes) else []

    def segment_embedded(
        self, pixels: np.ndarray, embedding: dict[str, np.ndarray], boxes: np.ndarray, sure: np.ndarray | None = None
    ) -> list[Mask]:
        """As Recutter says."""
        if len(boxes) == 0:
            return []
        scale = float(embedding["scale"])
        sure = np.ones(len(boxes)) if sure is None else sure
        prompts = _of_boxes(boxes)
        answers = self.first_answers(embedding, boxes, sure)
        if self.second_look is not None:
            answers = self.second_look.again(self.density(pixels, embedding), answers, boxes * scale, sure)
        seen = planes(self.density(pixels, embedding), answers, boxes * scale, sure)
        edges = _edges(densities(pixels, *embedding["levels"].tolist()), seen, boxes, sure)
        masks: list[Mask] = []
        whole: list[Mask] = []
        for level in _LEVELS:
            masks = [
                mask_of(*answer, scale, pixels.shape, prompt[1], level, edge)
                for answer, prompt, edge in zip(answers, prompts, edges, strict=True)
            ]
            whole = masks if level == _LEVELS[0] else whole
            if len(boxes) < _FEW or not _stick_out(masks, boxes, scale):
                break
        return masks if masks is whole else [with_shared(row, masks, whole[row]) for row in range(len(masks))]

    def first_answers(self, embedding: dict[str, np.ndarray], boxes: np.ndarray, sure: np.ndarray) -> list[Answer]:
        """Of each box, before any second look."""
        told = told_of(boxes * float(embedding["scale"]), sure)
        return self.answers(embedding, _of_boxes(boxes), told)

    def density(self, pixels: np.ndarray, embedding: dict[str, np.ndarray]) -> np.ndarray:
        """uint8 (h, w), working pixels: what was embedded."""
        ground, dark = embedding["levels"].tolist()
        return _density(pixels, (ground, dark), float(embedding["scale"]))

    def cut(
        self,
        pixels: np.ndarray,
        embedding: dict[str, np.ndarray],
        box: np.ndarray | None,
        points: np.ndarray,
        mask: Mask | None,
        others: Sequence[Mask] = (),
    ) -> Mask:
        """As Prompter says."""
        prompt = (box, np.asarray(points, np.float32).reshape(-1, 3), mask)
        if self.second_look is None or not any(other.bits.any() for other in others):
            return self._pointed(pixels, embedding, [prompt])[0]
        return self._something(cut_beside(self, pixels, embedding, prompt, others), pixels, embedding)

    def cut_many(
        self, pixels: np.ndarray, embedding: dict[str, np.ndarray], prompts: Sequence[tuple[np.ndarray, np.ndarray]]
    ) -> list[Mask]:
        """As Recutter says."""
        return self._pointed(pixels, embedding, [(box, points, None) for box, points in prompts])

    def _pointed(self, pixels: np.ndarray, embedding: dict[str, np.ndarray], prompts: list[Prompt]) -> list[Mask]:
        """One mask a prompt; empty where there is bare ground."""
        told = np.zeros((len(prompts), NEIGHBOURS, 5), np.float32)  # told of the cell's others it cut no better
        answers, scale = self.answers(embedding, prompts, told), float(embedding["scale"])
        cuts = [mask_of(*answer, scale, pixels.shape, given[1]) for answer, given in zip(answers, prompts, strict=True)]
        return [self._something(cut, pixels, embedding) for cut in cuts]

    @staticmethod
    def _something(cut: Mask, pixels: np.ndarray, embedding: dict[str, np.ndarray]) -> Mask:
        return cut if _is_something(cut, pixels, embedding["levels"]) else Mask(0, 0, np.zeros((0, 0), bool), 0.0)

    def answers(self, embedded: dict[str, np.ndarray], prompts: list[Prompt], told: np.ndarray) -> list[Answer]:
        """(logits, window, expected IoU) of each prompt.  told: of its neighbours, working pixels of the field."""
        scale = float(embedded["scale"])
        windows = [_window(*prompt, scale) for prompt in prompts]
        found: dict[int, Answer] = {}
        batches: list[list[int]] = []
        for small in (False, True):  # those that take longest first
            rows = [row for row, (_, _, side) in enumerate(windows) if (side < LARGE) == small]
            batches += [rows[start : start + _BATCH[small]] for start in range(0, len(rows), _BATCH[small])]

        def answer(batch: list[int]) -> tuple[np.ndarray, np.ndarray]:
            return self._run(embedded, [prompts[row] for row in batch], [windows[row] for row in batch], told[batch])

        for batch, (masks, expected) in zip(batches, side_by_side(answer, batches, self._threads), strict=True):
            for row, logits, score in zip(batch, masks, expected, strict=True):
                found[row] = (logits, windows[row], float(score))
        return [found[row] for row in range(len(prompts))]

    def _run(
        self,
        embedded: dict[str, np.ndarray],
        prompts: list[Prompt],
        windows: list[tuple[int, int, int]],
        told: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        scale, side, count = float(embedded["scale"]), windows[0][2], len(prompts)
        points = np.zeros((count, _SLOTS, 2), np.float32)
        labels = np.full((count, _SLOTS), -1, np.float32)
        present = np.zeros((count, 1, side, side), np.float32)
        for row, ((box, given, mask), (left, top, _)) in enumerate(zip(prompts, windows, strict=True)):
            marks = [] if box is None else [(box[0], box[1], 2.0), (box[2], box[3], 3.0)]
            clicks = [(x + 0.5, y + 0.5, label) for x, y, label in given.tolist()]
            for slot, (x, y, label) in enumerate([*marks, *clicks[-(_SLOTS - len(marks)) :]]):
                points[row, slot] = x * scale - left - 0.5, y * scale - top - 0.5
                labels[row, slot] = label
            if mask is not None and mask.bits.any():
                present[row, 0] = _present(mask, scale, left, top, side)
        views = {
            name: np.stack([view_of(embedded[name], *(edge // step for edge in window)) for window in windows])
            for name, step in (("embedding", 4), ("middle", 2), ("fine", 1))
        }
        has = np.array([float(mask is not None and mask.bits.any()) for _, _, mask in prompts], np.float32)
        neighbours = np.stack([in_window(rows, left, top) for rows, (left, top, _) in zip(told, windows, strict=True)])
        masks, expected = self._prompt.run(
            ["masks", "expected"],
            {
                **views,
                "points": points,
                "labels": labels,
                "present": present,
                "has_mask": has,
                "neighbours": neighbours,
            },
        )
        return masks[:, 0], expected[:, 0]


def _edges(density: np.ndarray, seen: dict[int, np.ndarray], boxes: np.ndarray, sure: np.ndarray) -> list[Edge | None]:
    """One a box; None for the faintest, and where no cut tells the level.  density: uint8, pixels of the original.
    seen: of `planes`."""
    levels = levels_to_follow(seen, [row for row in seen if sure[row] >= SURE], boxes)
    return [Edge(density, levels[row], seen[row][3]) if row in levels else None for row in range(len(boxes))]


def _of_boxes(boxes: np.ndarray) -> list[Prompt]:
    none = np.zeros((0, 3), np.float32)
    return [(box, none, None) for box in np.asarray(boxes, np.float32)]


def _density(pixels: np.ndarray, greys: tuple[float, float], scale: float) -> Any:
    """uint8 (h, w), working pixels."""
    return at_scale(densities(pixels, *greys), scale)


def _is_something(mask: Mask, pixels: np.ndarray, greys: np.ndarray) -> bool:
    """Whether the mask lies on anything but bare ground: asked for a chromosome, the network sees one there too."""
    under = mask.window(pixels)[mask.bits]
    return len(under) > 0 and float(densities(under, *greys.tolist()).mean()) >= _FAINT


def _session(path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False  # windows of two sizes would otherwise both be kept for good
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's own errors share no base class
        raise AnalysisError(
            f"The segmenter file {path.name} is damaged. Install the program again, or set KARYOSITE_SEGMENTER to "
            "threshold."
        ) from error


def _window(box: np.ndarray | None, points: np.ndarray, mask: Mask | None, scale: float) -> tuple[int, int, int]:
    """(left, top, side), working pixels, around what the prompt points at."""
    if box is None and mask is not None and mask.bits.any():
        rows, columns = mask.bits.shape
        box = np.array([mask.left - 6, mask.top - 6, mask.left + columns + 6, mask.top + rows + 6], np.float32)
        wanted = points[points[:, 2] == 1]  # "this too" may lie outside the present outline
        if len(wanted):
            box = np.concatenate([np.minimum(box[:2], wanted[:, :2].min(0)), np.maximum(box[2:], wanted[:, :2].max(0))])
    if box is not None:
        x, y = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
        return window_of(x * scale, y * scale, float(max(box[2] - box[0], box[3] - box[1])) * scale)
    wanted = points[points[:, 2] == 1]
    x, y = (wanted if len(wanted) else points)[:, :2].mean(0).tolist()
    return window_of(x * scale, y * scale, float(LARGE))


def _present(mask: Mask, scale: float, left: int, top: int, side: int) -> np.ndarray:
    """The present mask as logits in the window."""
    import cv2

    move = np.array(
        [
            [scale, 0, (mask.left + 0.5) * scale - 0.5 - left],
            [0, scale, (mask.top + 0.5) * scale - 0.5 - top],
        ],
        np.float32,
    )
    soft = cv2.warpAffine(mask.bits.astype(np.float32), move, (side, side), flags=cv2.INTER_LINEAR)
    return np.where(soft > 0.5, _PRESENT, -_PRESENT).astype(np.float32)


def _stick_out(masks: list[Mask], boxes: np.ndarray, scale: float) -> bool:
    """Whether boxes that are drawn close around the chromosomes are crossed by their outlines: who drew them sees the
    edge further in.  Boxes with some room around say nothing of it."""
    rooms = [
        (mask.left - x1, mask.top - y1, x2 - mask.left - mask.bits.shape[1], y2 - mask.top - mask.bits.shape[0])
        for mask, (x1, y1, x2, y2) in zip(masks, boxes.tolist(), strict=True)
        if mask.bits.any()
    ]
    room = np.array(rooms, np.float64).reshape(-1, 4)
    return len(room) > 0 and float(room.mean()) * scale < _CLOSE and float((room < -0.25).mean()) > _CROSSED

"""What the stages hand each other, and what a backend must be able to do.  No Django, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np


class AnalysisError(Exception):
    """A reason that a person can read; shown on the page as it stands."""


@dataclass(frozen=True)
class ModelInfo:
    role: str
    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Detections:
    """boxes: float32 (n, 4) xyxy, pixels of the original.  scores: float32 (n,).
    probabilities: float32 (n, 24), rows sum to 1, in the order of inference.labels.CHROMOSOMES."""

    boxes: np.ndarray
    scores: np.ndarray
    probabilities: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)


@dataclass(frozen=True)
class Mask:
    """A bool window of the image.  left, top: its corner in pixels of the original.  score in 0..1."""

    left: int
    top: int
    bits: np.ndarray
    score: float

    def full(self, height: int, width: int) -> np.ndarray:
        """bool (height, width)."""
        field_ = np.zeros((height, width), bool)
        rows, columns = self.bits.shape
        field_[self.top : self.top + rows, self.left : self.left + columns] = self.bits
        return field_

    def window(self, plane: np.ndarray) -> np.ndarray:
        """Its window of a plane (h, w), itself and not a copy."""
        rows, columns = self.bits.shape
        return plane[self.top : self.top + rows, self.left : self.left + columns]

    def common(self, other: Mask) -> Mask:
        """What both cover; without bits where they lie apart."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right = min(self.left + self.bits.shape[1], other.left + other.bits.shape[1])
        bottom = min(self.top + self.bits.shape[0], other.top + other.bits.shape[0])
        if left >= right or top >= bottom:
            return Mask(left, top, np.zeros((0, 0), bool), 0.0)
        own, its = (
            mask.bits[top - mask.top : bottom - mask.top, left - mask.left : right - mask.left]
            for mask in (self, other)
        )
        return Mask(left, top, own & its, 1.0)

    def iou(self, other: Mask) -> float:
        """0..1, what both cover to what either does; 0 for two without bits."""
        both = int(self.common(other).bits.sum())
        return both / max(int(self.bits.sum()) + int(other.bits.sum()) - both, 1)


class Detector(Protocol):
    info: ModelInfo

    def detect(self, pixels: np.ndarray) -> Detections:
        """pixels: uint8 (h, w), dark chromosomes on a light ground."""


class Segmenter(Protocol):
    """cut_trusted_from: the mask's score from which a cut needs no look even where chromosomes touch; None: never."""

    info: ModelInfo
    cut_trusted_from: float | None

    def segment(self, pixels: np.ndarray, boxes: np.ndarray, sure: np.ndarray | None = None) -> list[Mask]:
        """One mask a box, in the boxes' order.  Masks may overlap.  An empty mask has no true bits.

        sure: float (n,) 0..1, how sure each box is, for a segmenter that cuts each with a look at the others; None:
        all are."""


@runtime_checkable
class Prompter(Protocol):
    """Cuts what a person points at.  The picture is embedded once; every click after that is cheap.

    Usually the same object as the Segmenter: `registry.prompter` asks the configured one.
    """

    info: ModelInfo

    @property
    def key(self) -> str:
        """Everything that an embedding depends on beside the pixels (weights, preprocessing), for the cache."""

    def embed(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """pixels: uint8 (h, w), dark chromosomes on a light ground.  Arrays that `np.savez` can store; no objects."""

    def cut(
        self,
        pixels: np.ndarray,
        embedding: dict[str, np.ndarray],
        box: np.ndarray | None,
        points: np.ndarray,
        mask: Mask | None,
        others: Sequence[Mask] = (),
    ) -> Mask:
        """One chromosome.  An empty mask has no true bits.

        embedding: what `embed` gave for these pixels, perhaps in another process.  box: float32 (4,) xyxy.
        points: float32 (n, 3): x, y, and 1 for "this too" or 0 for "not this"; pixels of the original.
        mask: the present outline, to be refined by the points.  Of box, a 1-point and mask, one at least is given.
        others: the cell's other chromosomes, as far as they have an outline; the refined one may be among them.
        """


@runtime_checkable
class Recutter(Protocol):
    """A Segmenter whose picture, embedded once, serves for all boxes and then for what their cuts leave over."""

    info: ModelInfo

    def embed(self, pixels: np.ndarray, boxes: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """As Prompter says.  boxes: of most of the cell, where they are known."""

    def segment_embedded(
        self, pixels: np.ndarray, embedding: dict[str, np.ndarray], boxes: np.ndarray, sure: np.ndarray | None = None
    ) -> list[Mask]:
        """As Segmenter says of `segment`."""

    def cut_many(
        self, pixels: np.ndarray, embedding: dict[str, np.ndarray], prompts: Sequence[tuple[np.ndarray, np.ndarray]]
    ) -> list[Mask]:
        """As `Prompter.cut`, of boxes and points, one mask each."""


@dataclass(frozen=True)
class Looks:
    """What cut-outs look like, one row a chromosome.

    probabilities: float32 (n, 24), rows sum to 1.  whole: float32 (n,) 0..1, how well each box holds one whole
    chromosome (pieces, joined pairs and dirt are low), p_up: float32 (n,) 0..1, the chance that the p arm lies at the
    upper end of the upright crop; None from a classifier that does not say."""

    probabilities: np.ndarray
    whole: np.ndarray | None = None
    p_up: np.ndarray | None = None


class Judge(Protocol):
    """Says of all candidates of a cell together which are chromosomes."""

    info: ModelInfo

    def chance(self, pixels: np.ndarray, found: Detections, masks: Sequence[Mask], looks: Looks) -> np.ndarray:
        """float32 (n,) 0..1, that each is one whole chromosome of the cell and no other candidate stands for it.

        pixels: uint8 (h, w), dark chromosomes on a light ground.  masks, looks: one a candidate, in their order."""


@dataclass(frozen=True)
class Evidence:
    """What the names rest on, one row a chromosome.

    detector, pooled: float32 (n, 24), the detector's probabilities alone and those of detector and crop classifier
    together, before the cell was named as a whole.  margins: float (n,), what another name would have cost the cell.
    presence: float32 (n,), the detector's own score, before calibration."""

    detector: np.ndarray
    pooled: np.ndarray
    margins: np.ndarray
    presence: np.ndarray


@dataclass(frozen=True)
class Proposal:
    """document: `karyosite.karyogram/1`.  masks and evidence in the order of document["chromosomes"]."""

    document: dict[str, Any]
    masks: list[Mask]
    models: list[ModelInfo]
    timings_s: dict[str, float] = field(default_factory=dict)
    evidence: Evidence | None = None

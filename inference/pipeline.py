"""One cell, from pixels to a proposal: load, quality, detect, segment, orient, classify, assign.

No Django and no laboratory: the same function serves workers, the command line and the evaluation.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from inference.protocols import AnalysisError, Detections, Detector, Judge, Looks, Mask, Proposal, Segmenter
from inference.stages import axis
from inference.stages.assign import name_cell
from inference.stages.classify import Classifier, looks
from inference.stages.confidence import Calibration, Namer, name_known
from inference.stages.context import context
from inference.stages.cut import cut_all
from inference.stages.load import light_ground
from inference.stages.presence import ASIDE, MOST_ASIDE, features, settle, shared_areas
from inference.stages.proposal import propose
from inference.stages.quality import BLANK, hidden, is_blank, is_noise, note
from inference.stages.scale import detect_at_usual_scale
from inference.stages.unusual import absent, put_in_doubt

STAGES = ("load", "quality", "detect", "segment", "orient", "classify", "assign")
MOST = 120  # objects kept of one picture: far above any cell, and a bound on time for a picture that is none
_SLIVER = 0.05  # of the median area: less is nothing to look at, and a 21 has seven times as much
_AS_SAID = Calibration()
_NOTHING = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 24), np.float32))


def analyse(
    pixels: np.ndarray,
    *,
    detector: Detector,
    segmenter: Segmenter,
    image_facts: Mapping[str, Any],
    classifier: Classifier | None = None,
    judge: Judge | None = None,
    calibration: Calibration = _AS_SAID,
    namer: Namer = name_cell,
    progress: Callable[[str], None] | None = None,
) -> Proposal:
    """Find, cut, turn and name the chromosomes of one picture.

    pixels: uint8 (h, w) as `karyosite.imaging.read_grey` gives them.  image_facts: sha256, page, width, height, for
    the document.  judge: says which candidates are chromosomes; without one the calibration's regressions do.
    calibration: what the models' scores are worth.  namer: makes names of probabilities and scores.
    progress: called with the stage's name before each stage; what it raises ends the analysis.
    A picture without chromosomes gives an empty document whose note says so.  Raises AnalysisError.
    """
    if pixels.ndim != 2 or pixels.dtype != np.uint8:
        raise AnalysisError("The picture could not be read as grey values. Export it again and upload that.")
    timings: dict[str, float] = {}
    started = time.perf_counter()

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        if progress is not None:
            progress(name)
        began = time.perf_counter()
        yield
        timings[name] = round(time.perf_counter() - began, 4)

    with stage("load"):
        seen, _ = light_ground(np.ascontiguousarray(pixels))
    with stage("quality"):
        blank = is_blank(seen)
    with stage("detect"):
        detections = _NOTHING if blank else _best(detect_at_usual_scale(detector, seen))
        if is_noise(detections):
            detections = _NOTHING
    with stage("segment"):
        detections, masks = cut_all(seen, detections, segmenter, leftover=judge is not None)
    with stage("orient"):
        axes = [axis.describe(mask, seen) for mask in masks]
    with stage("classify"):
        looked = looks(seen, detections, masks, classifier)
        probabilities = looked.probabilities
        if looked.p_up is not None:
            axes = [axis.with_p_up(*one) for one in zip(axes, masks, looked.p_up.tolist(), strict=True)]
    with stage("assign"):
        is_there, present = taken(seen, detections, masks, looked, judge, calibration)
        kept = np.flatnonzero(present)
        if calibration.frame is not None:
            shape = (pixels.shape[0], pixels.shape[1])
            detections = replace(detections, boxes=calibration.frame.around(detections.boxes, masks, shape))
        names = name_known(probabilities[kept], detections.scores[kept], calibration, namer, is_there[kept])
        if (missed := hidden(seen, [masks[row] for row in kept])) is not None:
            row, doubt = missed
            names[row] = replace(names[row], flags=(*names[row].flags, doubt))
        names = put_in_doubt(names)
        proposal = propose(
            image_facts=image_facts,
            shape=(pixels.shape[0], pixels.shape[1]),
            detections=detections,
            masks=masks,
            axes=axes,
            probabilities=probabilities,
            names=dict(zip(kept.tolist(), names, strict=True)),
            aside=_aside(is_there, present, masks),
            is_there=is_there,
            cut_trusted_from=segmenter.cut_trusted_from,
            note=BLANK if blank else note(seen, _rows(detections, kept)) or absent(names),
            models=[model.info for model in (detector, segmenter, classifier, judge) if model is not None],
        )
    timings["total"] = round(time.perf_counter() - started, 4)
    proposal.timings_s.update(timings)
    return proposal


def taken(
    pixels: np.ndarray,
    detections: Detections,
    masks: list[Mask],
    looked: Looks,
    judge: Judge | None,
    calibration: Calibration,
) -> tuple[np.ndarray, np.ndarray]:
    """The chance that each candidate is a chromosome, float (n,), and whether it is taken for one, bool (n,).

    pixels: uint8 (h, w), dark chromosomes on a light ground.  masks, looked: a row a candidate, in their order."""
    if judge is None:
        return _judged(detections, masks, looked, calibration)
    is_there = judge.chance(pixels, detections, masks, looked)
    return is_there, settle(is_there, looked.probabilities)


def _judged(
    detections: Detections, masks: list[Mask], looked: Looks, calibration: Calibration
) -> tuple[np.ndarray, np.ndarray]:
    """As `taken`, by the regressions alone."""
    if calibration.presence is None:
        return calibration.is_there(detections.scores), np.ones(len(detections), bool)
    areas, shared = np.array([int(mask.bits.sum()) for mask in masks]), shared_areas(masks)
    table = features(detections.scores, detections.boxes, areas, shared, looked)
    is_there = calibration.presence.chance(table)
    if calibration.context is not None:
        beside = context(is_there, detections.boxes, masks, shared, looked.probabilities)
        is_there = calibration.context.chance(np.column_stack([table, beside]))
    return is_there, settle(is_there, looked.probabilities)


def _aside(is_there: np.ndarray, present: np.ndarray, masks: list[Mask]) -> list[int]:
    """Rows that were left out and stay in sight, in their order; none of which a mere sliver is left."""
    areas = np.array([int(mask.bits.sum()) for mask in masks])
    seen = areas >= _SLIVER * np.median(areas) if len(areas) else np.zeros(0, bool)
    rows = np.flatnonzero(~present & seen & (is_there >= ASIDE))
    return sorted(rows[np.argsort(-is_there[rows], kind="stable")][:MOST_ASIDE].tolist())


def _best(detections: Detections) -> Detections:
    if len(detections) <= MOST:
        return detections
    return _rows(detections, np.sort(np.argsort(-detections.scores)[:MOST]))


def _rows(detections: Detections, kept: np.ndarray) -> Detections:
    return Detections(detections.boxes[kept], detections.scores[kept], detections.probabilities[kept])

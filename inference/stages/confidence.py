"""What a figure is worth: from the models' own scores to shares that come true, and what is no class at all.

The numbers belong to one pair of detector and classifier; they are fitted on validation cells
(`manage.py evaluate --choose-confidence`) and stand in the manifest beside the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from inference.labels import UNKNOWN
from inference.stages.assign import Named, percent
from inference.stages.context import CONTEXT
from inference.stages.framed import Frame
from inference.stages.presence import FEATURES, Presence

_EDGE = 1e-4
# Chances below which a person is asked (decisions/0086): of being a chromosome, where that was fitted and where it is
# the detector's word, and of the name, where that was fitted.
_FAINT, _FAINT_AS_SAID, _UNSURE = 0.7, 0.35, 0.95


def log_odds(share: np.ndarray | float) -> np.ndarray:
    """Natural logarithm of the odds of shares 0..1, held a little away from both ends."""
    held = np.clip(np.asarray(share, np.float64), _EDGE, 1 - _EDGE)
    return np.asarray(np.log(held) - np.log1p(-held))


def _chance(odds: np.ndarray | float) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.asarray(odds, np.float64))))


@dataclass(frozen=True)
class Calibration:
    """How the log-odds of a right name follow from the class's probability and from what another name would cost the
    cell, and the log-odds of there being a chromosome from the detector's score.

    presence: how candidates are judged once they have been cut, context: and then once more, beside each other; None
    where nothing was fitted.
    frame: how boxes are drawn around cut-outs; None leaves them as the detector gave them.
    unknown_below: a probability of the likeliest class under which nothing is named; 0 names everything.
    """

    of_share: float = 1.0
    of_margin: float = 0.0
    offset: float = 0.0
    presence_slope: float = 1.0
    presence_offset: float = 0.0
    unknown_below: float = 0.0
    presence: Presence | None = None
    context: Presence | None = None
    frame: Frame | None = None

    @classmethod
    def of(cls, listed: Mapping[str, Any] | None) -> Calibration:
        """From the manifest; as the models say it where nothing was fitted."""
        numbers = {key: value for key, value in (listed or {}).items() if key in cls.__dataclass_fields__}
        judged = Presence.of(numbers.pop("presence", None))
        beside = Presence.of(numbers.pop("context", None), len(FEATURES) + len(CONTEXT))
        frame = Frame.of(numbers.pop("frame", None))
        known = {key: float(value) for key, value in numbers.items()}
        return cls(**known, presence=judged, context=beside, frame=frame)

    @property
    def names_fitted(self) -> bool:
        return (self.of_share, self.of_margin, self.offset) != (1.0, 0.0, 0.0)

    @property
    def presence_fitted(self) -> bool:
        return (self.presence_slope, self.presence_offset) != (1.0, 0.0)

    def name_right(self, share: float, margin: float) -> float:
        """0..1: the chance that a name is right."""
        if not self.names_fitted:
            return float(share)
        return float(_chance(self.of_share * log_odds(share) + self.of_margin * margin + self.offset))

    def is_there(self, scores: np.ndarray) -> np.ndarray:
        """float32 (n,): the chance that each detection is a chromosome."""
        if not self.presence_fitted:
            return scores
        return _chance(self.presence_slope * log_odds(scores) + self.presence_offset).astype(np.float32)


Namer = Callable[[np.ndarray], list[Named]]


def name_known(
    probabilities: np.ndarray,
    detection_scores: np.ndarray,
    calibration: Calibration,
    namer: Namer,
    is_there: np.ndarray | None = None,
) -> list[Named]:
    """Names with calibrated scores.  What looks like no class is left out of the naming and stays unknown.

    probabilities: float (n, 24), rows sum to 1.  detection_scores: float (n,), as the detector gives them.
    is_there: float (n,), the chance that each is a chromosome, where it is known better than from these scores.
    """
    faint = _FAINT if is_there is not None or calibration.presence_fitted else _FAINT_AS_SAID
    is_there = calibration.is_there(detection_scores) if is_there is None else is_there
    likeliest = probabilities.max(axis=1) if len(probabilities) else np.zeros(0)
    known = np.flatnonzero(likeliest >= calibration.unknown_below)
    named = dict(zip(known.tolist(), namer(probabilities[known]), strict=True))
    names: list[Named] = []
    strangers = 0
    for row in range(len(probabilities)):
        if row in named:
            one = named[row]
            flags = one.flags
            score = calibration.name_right(one.score, one.margin)
            if not flags and calibration.names_fitted and score < _UNSURE:
                flags = (f"only {percent(score)} sure of this name",)
            if is_there[row] < faint:
                flags = (*flags, f"perhaps no chromosome, or not rightly cut ({percent(is_there[row])} sure)")
            names.append(replace(one, score=score, flags=flags))
            continue
        strangers += 1
        reason = "looks like no class: a marker, a fragment or no chromosome"
        names.append(Named(UNKNOWN, float(1 - likeliest[row]), strangers, (reason,), 0.0))
    return names

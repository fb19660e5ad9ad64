"""The second look at the cuts of a cell in ONNX Runtime: each beside what the others take (inference.stages.beside)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from inference.stages.beside import Answer, planes

_PIXELS = 24 * 112 * 112  # of the windows looked at at once: memory stays bounded


class SecondLook:
    def __init__(self, session: Any) -> None:
        """session: of what `inference.training.beside_model.export` wrote."""
        self._session = session

    def again(
        self, density: np.ndarray, answers: Sequence[Answer], boxes: np.ndarray, sure: np.ndarray
    ) -> list[Answer]:
        """The answers, those of sure boxes anew.  As `planes` takes them."""
        seen = planes(density, answers, boxes, sure)
        found = list(answers)
        for side in {answers[row][1][2] for row in seen}:
            rows = [row for row in seen if answers[row][1][2] == side]
            most = max(1, _PIXELS // side**2)
            for start in range(0, len(rows), most):
                part = rows[start : start + most]
                expected = np.array([answers[row][2] for row in part], np.float32)
                given = {"planes": np.stack([seen[row] for row in part]), "expected": expected}
                logits, ious = self._session.run(["logits", "iou"], given)
                for row, moved, iou in zip(part, logits, ious, strict=True):
                    found[row] = (moved[0], answers[row][1], float(iou))
        return found

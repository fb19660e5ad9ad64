"""The second look at the cuts of a cell in ONNX Runtime: each beside what the others take (inference.stages.beside)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from inference.backends.side_by_side import side_by_side
from inference.stages.beside import Answer, part_of, planes


class SecondLook:
    def __init__(self, session: Any, threads: int = 1) -> None:
        """session: of what `inference.training.beside_model.export` wrote.  threads: as `side_by_side` takes them."""
        self._session, self._threads = session, threads

    def again(
        self, density: np.ndarray, answers: Sequence[Answer], boxes: np.ndarray, sure: np.ndarray
    ) -> list[Answer]:
        """The answers, anew but for those of the faintest boxes.  As `planes` takes them."""
        seen = planes(density, answers, boxes, sure)
        found = list(answers)

        def look(row: int) -> Answer:
            logits, (left, top, side), expected = answers[row]
            part = part_of(boxes[row] - [left, top, left, top], side)
            given = {"planes": seen[row][None, :, *part], "expected": np.array([expected], np.float32)}
            moved, iou = self._session.run(["logits", "iou"], given)
            anew = logits.copy()
            anew[part] = moved[0, 0]
            return anew, (left, top, side), float(iou[0])

        for row, answer in zip(seen, side_by_side(look, seen, self._threads), strict=True):
            found[row] = answer
        return found

"""The second look at the cuts of a cell in ONNX Runtime: each beside what the others take (inference.stages.beside)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from inference.backends.side_by_side import side_by_side
from inference.stages.beside import Answer, part_of, planes, planes_of_crossing


class SecondLook:
    def __init__(self, session: Any, threads: int = 1) -> None:
        """session: of what `inference.training.beside_model.export` wrote.  threads: as `side_by_side` takes them."""
        self._session, self._threads = session, threads

    def again(
        self, density: np.ndarray, answers: Sequence[Answer], boxes: np.ndarray, sure: np.ndarray
    ) -> list[Answer]:
        """The answers, anew but for those of the faintest boxes; those that cross once more, by what the others take
        now.  As `planes` takes them."""
        found = self.looked(density, answers, boxes, sure)
        return self.look(found, boxes, planes_of_crossing(density, found, boxes, sure), sides=2)

    def looked(
        self, density: np.ndarray, answers: Sequence[Answer], boxes: np.ndarray, sure: np.ndarray
    ) -> list[Answer]:
        """As `again`, but each once."""
        return self.look(answers, boxes, planes(density, answers, boxes, sure))

    def look(
        self, answers: Sequence[Answer], boxes: np.ndarray, seen: dict[int, np.ndarray], sides: int = 1
    ) -> list[Answer]:
        """The answers, those of `seen` anew.  seen: of `planes`, by row.  sides: 2 to look at each also standing on its
        head; the mean of both is the answer then."""
        found = list(answers)

        def one(row: int) -> Answer:
            logits, (left, top, side), expected = answers[row]
            part = part_of(boxes[row] - [left, top, left, top], side)
            shown = seen[row][:, *part]
            views = np.stack([np.rot90(shown, 2 * turned, (1, 2)) for turned in range(sides)])
            given = {"planes": views, "expected": np.full(sides, expected, np.float32)}
            moved, iou = self._session.run(["logits", "iou"], given)
            anew = logits.copy()
            anew[part] = np.mean([np.rot90(view[0], 2 * turned) for turned, view in enumerate(moved)], axis=0)
            return anew, (left, top, side), float(np.mean(iou))

        for row, answer in zip(seen, side_by_side(one, seen, self._threads), strict=True):
            found[row] = answer
        return found

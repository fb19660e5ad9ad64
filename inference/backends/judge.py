"""The judge of a whole cell's candidates in ONNX Runtime: a few milliseconds on one core."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inference.protocols import AnalysisError, Detections, Looks, Mask, ModelInfo
from inference.stages.together import PAIRS, ROWS, describe


class CellJudge:
    """A Judge.  temperature: what the network's log-odds are divided by, from validation cells."""

    def __init__(self, path: Path, info: ModelInfo, *, temperature: float, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            shapes = {entrance.name: entrance.shape for entrance in session.get_inputs()}
            fits = (shapes["rows"][-1], shapes["pairs"][-1]) == (len(ROWS), len(PAIRS))
        except Exception as error:  # the runtime's own errors share no base class
            raise AnalysisError(f"The judge file {path.name} is not a judge in ONNX form.") from error
        if not fits:
            raise AnalysisError(f"The judge file {path.name} was not exported by this program.")
        self._session, self._out = session, session.get_outputs()[0].name
        self.info, self.temperature = info, temperature

    def chance(self, pixels: np.ndarray, found: Detections, masks: Sequence[Mask], looks: Looks) -> np.ndarray:
        """As Judge says."""
        if len(found) == 0:
            return np.zeros(0, np.float32)
        odds = self._session.run([self._out], vars(describe(pixels, found, masks, looks)))[0]
        return np.asarray(1 / (1 + np.exp(-odds / self.temperature)), np.float32)

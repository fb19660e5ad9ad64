"""The crop classifier in ONNX Runtime: small enough that a graphics card would not be worth the way to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inference.labels import CHROMOSOMES
from inference.protocols import AnalysisError, Looks, Mask, ModelInfo
from inference.stages.crops import CHANNELS, HEIGHT, WIDTH, upright_crops

_CLASSES = len(CHROMOSOMES)
_ANSWERS = (_CLASSES, _CLASSES + 2)  # classes alone (kary-crops 0.1); classes, "one whole chromosome", "p arm up"
# From these on a crop is clear at first sight: the chance of its name, and the logits of "one whole chromosome" and of
# the p arm's end.  On 40 validation cells 55 of 100 candidates were; all names stayed, the log-loss rose by 0.001.
_CLEAR_NAME, _CLEAR_WHOLE, _CLEAR_END = 0.99, 1.1, 1.0


class CropClassifier:
    """A Classifier.  temperature: what the network's logits are divided by, from validation cells."""

    def __init__(self, path: Path, info: ModelInfo, *, temperature: float, detector_share: float, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            (entrance,), (out,) = session.get_inputs(), session.get_outputs()
            channels, *field = entrance.shape[1:]
            fits = channels in (2, CHANNELS) and field == [HEIGHT, WIDTH] and out.shape[1] in _ANSWERS
        except Exception as error:  # the runtime's own errors share no base class
            raise AnalysisError(f"The classifier file {path.name} is not a classifier in ONNX form.") from error
        if not fits:
            raise AnalysisError(f"The classifier file {path.name} was not exported by this program.")
        self._session, self._entrance, self._out = session, entrance.name, out.name
        self._channels = int(channels)  # kary-crops before 0.3 did not see what the others explain
        self.info, self.temperature, self.detector_share = info, temperature, detector_share

    def logits(self, crops: np.ndarray) -> np.ndarray:
        """uint8 (n, CHANNELS, HEIGHT, WIDTH) → float32 (n, 24 or 26).  Those that are not clear at first sight are seen
        upside down as well, and the mean over both is given."""
        crops = crops[:, : self._channels]
        seen = self._run(crops)
        doubtful = np.flatnonzero(~self._clear(seen))
        if len(doubtful):
            turned = self._run(np.ascontiguousarray(crops[doubtful, :, ::-1, ::-1]))
            if turned.shape[1] > _CLASSES:
                turned[:, _CLASSES + 1] *= -1  # upside down, the p arm is at the other end
            seen[doubtful] = (seen[doubtful] + turned) / 2
        return seen

    def _run(self, crops: np.ndarray) -> np.ndarray:
        return np.array(self._session.run([self._out], {self._entrance: crops})[0], np.float32)

    def _clear(self, logits: np.ndarray) -> np.ndarray:
        """bool (n,): a second look would change next to nothing."""
        if logits.shape[1] == _CLASSES:
            return np.zeros(len(logits), bool)
        name, whole, p_up = self._named(logits).max(axis=1), logits[:, _CLASSES], np.abs(logits[:, _CLASSES + 1])
        return np.asarray((name >= _CLEAR_NAME) & (whole >= _CLEAR_WHOLE) & (p_up >= _CLEAR_END))

    def _named(self, logits: np.ndarray) -> np.ndarray:
        """float32 (n, 24): chances of the classes, rows sum to 1."""
        likely = logits[:, :_CLASSES] / self.temperature
        likely = np.exp(likely - likely.max(axis=1, keepdims=True))
        return np.asarray(likely / likely.sum(axis=1, keepdims=True))

    def look(
        self,
        pixels: np.ndarray,
        boxes: np.ndarray,
        masks: list[Mask],
        areas: Sequence[float] = (),
        scores: np.ndarray | None = None,
    ) -> Looks:
        """As Classifier says."""
        logits = self.logits(upright_crops(pixels, boxes, masks, areas, scores))
        likely = self._named(logits)
        for index, mask in enumerate(masks):
            if int(mask.bits.sum()) < 3:
                likely[index] = 1 / likely.shape[1]
        if logits.shape[1] == _CLASSES:
            return Looks(likely)
        whole, p_up = (1 / (1 + np.exp(-logits[:, _CLASSES + place])) for place in (0, 1))
        return Looks(likely, whole, p_up)

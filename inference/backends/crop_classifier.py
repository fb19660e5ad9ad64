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
        """uint8 (n, CHANNELS, HEIGHT, WIDTH) → float32 (n, 24 or 26): the mean over each as it is and upside down."""
        crops = crops[:, : self._channels]
        turned = np.ascontiguousarray(crops[:, :, ::-1, ::-1])
        both = self._session.run([self._out], {self._entrance: np.concatenate([crops, turned])})[0]
        one, other = both[: len(crops)], both[len(crops) :]
        if both.shape[1] > _CLASSES:
            other[:, _CLASSES + 1] *= -1  # upside down, the p arm is at the other end
        return np.asarray((one + other) / 2, np.float32)

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
        likely = logits[:, :_CLASSES] / self.temperature
        likely = np.exp(likely - likely.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        for index, mask in enumerate(masks):
            if int(mask.bits.sum()) < 3:
                likely[index] = 1 / likely.shape[1]
        if logits.shape[1] == _CLASSES:
            return Looks(likely)
        whole, p_up = (1 / (1 + np.exp(-logits[:, _CLASSES + place])) for place in (0, 1))
        return Looks(likely, whole, p_up)

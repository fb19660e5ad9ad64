"""SAM through segment_anything: any official checkpoint by path and type, prompted with the detector's boxes.

The image is embedded once; all boxes go through the light decoder in batches bounded by memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from inference.backends.weights import fingerprint
from inference.protocols import AnalysisError, Mask, ModelInfo

_BATCH_BYTES = 256 * 2**20  # of float32 masks at the picture's full size
_LARGEST_BATCH = 64
_OWN_TYPES: dict[str, Callable[[], Any]] = {}


def register_sam_type(name: str, build: Callable[[], Any]) -> None:
    """Make a further model type known beside vit_b, vit_l and vit_h.  build: makes an untrained `Sam`."""
    _OWN_TYPES[name] = build


class SamSegmenter:
    """A Segmenter.  One caller at a time: the embedding of the picture is held between prompt batches."""

    def __init__(self, model: Any, info: ModelInfo, device: str) -> None:
        from segment_anything import SamPredictor

        self.info = info
        self._device = device
        self._predictor = SamPredictor(model.to(device).eval())
        self._lock = threading.Lock()

    @classmethod
    def load(cls, checkpoint: str, model_type: str, *, device: str = "cpu", threads: int = 0) -> SamSegmenter:
        """Raises AnalysisError in words for the one who set the file."""
        import torch

        if threads and device == "cpu":
            torch.set_num_threads(threads)
        if not checkpoint:
            raise AnalysisError(
                "SAM is set as the segmenter, but no checkpoint is (KARYOSITE_SAM_CHECKPOINT). "
                "Set the path of its file, or set KARYOSITE_SEGMENTER to threshold."
            )
        path = Path(checkpoint)
        if not path.is_file():
            raise AnalysisError(
                f"The SAM checkpoint {path.name} (KARYOSITE_SAM_CHECKPOINT) is not there. Correct the path, "
                "or set KARYOSITE_SEGMENTER to threshold."
            )
        model = _build(model_type)
        try:
            model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        except Exception as error:  # a damaged file can fail in any way
            raise AnalysisError(
                f"The SAM checkpoint {path.name} is damaged, or is not of the type {model_type} "
                "(KARYOSITE_SAM_MODEL_TYPE). It was not loaded. Download it again, or correct the type."
            ) from error
        sha256 = fingerprint(path)
        return cls(model, ModelInfo("segmenter", f"sam-{model_type}", sha256[:8], sha256), device)

    def segment(self, pixels: np.ndarray, boxes: np.ndarray) -> list[Mask]:
        """pixels: uint8 (h, w).  boxes: (n, 4) xyxy.  A mask's score is SAM's own estimate of its overlap, 0..1."""
        import torch

        if len(boxes) == 0:
            return []
        height, width = pixels.shape
        batch = int(np.clip(_BATCH_BYTES // (4 * height * width), 1, _LARGEST_BATCH))
        masks: list[Mask] = []
        with self._lock, torch.inference_mode(), self._precision():
            try:
                self._predictor.set_image(np.repeat(pixels[:, :, None], 3, axis=2))
                prompts = torch.as_tensor(np.asarray(boxes, np.float32), device=self._device)
                prompts = self._predictor.transform.apply_boxes_torch(prompts, (height, width))
                for start in range(0, len(boxes), batch):
                    found, estimates, _ = self._predictor.predict_torch(
                        point_coords=None,
                        point_labels=None,
                        boxes=prompts[start : start + batch],
                        multimask_output=False,
                    )
                    for bits, estimate in zip(found[:, 0].cpu().numpy(), estimates[:, 0].float().cpu(), strict=True):
                        masks.append(_cropped(bits, float(estimate)))
            finally:
                self._predictor.reset_image()
        return masks

    def _precision(self) -> Any:
        """Half precision on CUDA; as it is elsewhere."""
        import torch

        return torch.autocast("cuda", torch.float16, enabled=self._device == "cuda")


def _build(model_type: str) -> Any:
    from segment_anything import sam_model_registry

    builders = {name: sam_model_registry[name] for name in ("vit_b", "vit_l", "vit_h")} | _OWN_TYPES
    if model_type not in builders:
        raise AnalysisError(
            f"There is no SAM type “{model_type}”. "
            f"Set KARYOSITE_SAM_MODEL_TYPE to one of {', '.join(sorted(builders))}."
        )
    return builders[model_type]()


def _cropped(bits: np.ndarray, score: float) -> Mask:
    rows, columns = np.flatnonzero(bits.any(axis=1)), np.flatnonzero(bits.any(axis=0))
    score = float(np.clip(score, 0, 1))
    if len(rows) == 0:
        return Mask(0, 0, np.zeros((0, 0), bool), score)
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    return Mask(int(left), int(top), bits[top:bottom, left:right].copy(), score)

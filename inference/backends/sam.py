"""SAM through segment_anything: any official checkpoint by path and type, prompted with the detector's boxes.

The image is embedded once; all boxes go through the light decoder in batches bounded by memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inference.backends.weights import fingerprint
from inference.protocols import AnalysisError, Mask, ModelInfo

_BATCH_BYTES = 256 * 2**20  # of float32 masks at the picture's full size
_LARGEST_BATCH = 64
_SURE = 10.0  # the logit of a pixel that an outline is sure of; SAM's own reach about that far
_OWN_TYPES: dict[str, Callable[[], Any]] = {}


def register_sam_type(name: str, build: Callable[[], Any]) -> None:
    """Make a further model type known beside vit_b, vit_l and vit_h.  build: makes an untrained `Sam`."""
    _OWN_TYPES[name] = build


class SamSegmenter:
    """A Segmenter and a Prompter.  One caller at a time: the picture's embedding is held between prompt batches."""

    cut_trusted_from: float | None = None

    def __init__(self, model: Any, info: ModelInfo, device: str, threads: int = 0) -> None:
        """threads: of a CPU, to compute with; 0 for as many as torch takes."""
        from segment_anything import SamPredictor

        self.info, self._threads = info, threads
        self._device = device
        self._predictor = SamPredictor(model.to(device).eval())
        self._lock = threading.Lock()

    @classmethod
    def load(cls, checkpoint: str, model_type: str, *, device: str = "cpu", threads: int = 0) -> SamSegmenter:
        """Raises AnalysisError in words for the one who set the file."""
        import torch

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
        return cls(model, ModelInfo("segmenter", f"sam-{model_type}", sha256[:8], sha256), device, threads)

    def segment(self, pixels: np.ndarray, boxes: np.ndarray, sure: np.ndarray | None = None) -> list[Mask]:
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

    @property
    def key(self) -> str:
        return f"{self.info.name}-{self.info.sha256}-{self._device}"

    def embed(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """features: float16 (1, c, rows, columns).  sizes: int64 (2, 2), of the picture and as encoded."""
        import torch

        with self._lock, torch.inference_mode(), self._precision():
            try:
                self._predictor.set_image(np.repeat(pixels[:, :, None], 3, axis=2))
                sizes = np.array([self._predictor.original_size, self._predictor.input_size], np.int64)
                # Half the space in the cache; what is lost lies far below what a mask's edge can show.
                return {"features": self._predictor.features.half().cpu().numpy(), "sizes": sizes}
            finally:
                self._predictor.reset_image()

    def cut(
        self,
        pixels: np.ndarray,
        embedding: dict[str, np.ndarray],
        box: np.ndarray | None,
        points: np.ndarray,
        mask: Mask | None,
        others: Sequence[Mask] = (),
    ) -> Mask:
        """A mask's score is SAM's own estimate of its overlap, 0..1."""
        import torch

        refined = None if mask is None or not mask.bits.any() else self._as_logits(mask, pixels.shape[:2])
        with self._lock, torch.inference_mode(), self._precision():
            predictor = self._predictor
            try:
                predictor.features = torch.as_tensor(embedding["features"], device=self._device).float()
                predictor.original_size, predictor.input_size = (tuple(map(int, size)) for size in embedding["sizes"])
                predictor.is_image_set = True
                found, estimates, _ = predictor.predict(
                    point_coords=points[:, :2] if len(points) else None,
                    point_labels=(points[:, 2] > 0).astype(int) if len(points) else None,
                    box=None if box is None else np.asarray(box, np.float32),
                    mask_input=refined,
                    # One click alone is ambiguous: SAM then offers three, and its own estimate decides.
                    multimask_output=box is None and refined is None and len(points) == 1,
                )
            finally:
                predictor.reset_image()
        best = int(np.argmax(estimates))
        return _cropped(found[best], float(estimates[best]))

    def _as_logits(self, mask: Mask, shape: tuple[int, ...]) -> np.ndarray:
        """float32 (1, side, side): the outline in the form in which SAM refines its own first answer."""
        import cv2

        height, width = shape[:2]
        side = 4 * int(self._predictor.model.prompt_encoder.image_embedding_size[0])
        scale = side / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        share = cv2.resize(mask.full(height, width).astype(np.float32), size, interpolation=cv2.INTER_AREA)
        logits = np.full((1, side, side), -_SURE, np.float32)
        logits[0, : share.shape[0], : share.shape[1]] = _SURE * (2 * share - 1)
        return logits

    def _precision(self) -> Any:
        """Half precision on CUDA; as it is elsewhere, on the threads that were asked for."""
        import torch

        if self._threads and self._device == "cpu":
            torch.set_num_threads(self._threads)  # each time: the detector computes on others in the same process
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

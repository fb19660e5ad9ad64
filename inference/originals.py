"""The pixels of a cell, from the uploaded file as it was received."""

from __future__ import annotations

import hashlib
import io

import numpy as np

from cases.models import Metaphase
from inference.protocols import AnalysisError
from karyosite.env import environment
from karyosite.imaging import read_grey


def grey(metaphase: Metaphase) -> np.ndarray:
    """uint8 (h, w).  Raises AnalysisError when the file is gone or was changed, ImageRefused."""
    return read_grey(_original(metaphase), metaphase.page, max_pixels=environment.image_max_pixels)


def _original(metaphase: Metaphase) -> io.BytesIO:
    """The uploaded file, held against its SHA-256.  Raises AnalysisError when it is gone or was changed."""
    try:
        with metaphase.image.file.open("rb") as file:
            content = file.read()
    except FileNotFoundError:
        raise AnalysisError(
            "The original picture of this cell is missing from the storage. Nothing was analysed. "
            "Ask your administrator to bring it back from the backup, or upload it again."
        ) from None
    if hashlib.sha256(content).hexdigest() != metaphase.image.sha256:
        raise AnalysisError(
            "The stored original of this cell is not what was uploaded: its fingerprint (SHA-256) does not match. "
            "Nothing was analysed. Ask your administrator to bring it back from the backup."
        )
    return io.BytesIO(content)

"""What pictures look like to the segmenter, kept on disk: the first click pays for the encoder, the others do not.

One file an embedding, named by everything that it depends on, shared by all workers of a machine.  Files appear
whole or not at all, may be deleted at any time, and are checked when read: a damaged one is computed again.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

# Changes whenever pixels are prepared differently before they reach the models (stages/load.py).
_FORM = "1"
_LEFT_BEHIND_S = 3600  # a temporary file this old belongs to a process that is gone
log = logging.getLogger(__name__)


def name_of(sha256: str, page: int, prompter_key: str) -> str:
    """The name of an embedding.  sha256: of the original file."""
    return hashlib.sha256(f"{_FORM}\n{sha256}\n{page}\n{prompter_key}".encode()).hexdigest()


class EmbeddingCache:
    """folder: made when first needed.  limit_bytes: of all files together; 0 keeps nothing."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder, self._limit = folder, limit_bytes

    def get(self, name: str) -> dict[str, np.ndarray] | None:
        """None when it is not there, or not whole; reading it makes it the youngest."""
        path = self._path(name)
        try:
            # The zip format carries a CRC-32 of every array, which numpy's reading checks.
            with np.load(path, allow_pickle=False) as stored:
                found = {key: stored[key] for key in stored.files}
            os.utime(path)
            return found
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile):
            log.warning("a damaged embedding was thrown away: %s", path.name, exc_info=True)
            with contextlib.suppress(OSError):
                path.unlink()
            return None

    def put(self, name: str, embedding: dict[str, np.ndarray]) -> None:
        """Keeps it, and drops the longest unused ones that no longer fit.  A full disk is no error: nothing is kept."""
        size = sum(array.nbytes for array in embedding.values()) + 1024 * len(embedding)
        if size > self._limit:
            return
        path = self._path(name)
        waiting: Path | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
            waiting = Path(temporary)
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **embedding)  # type: ignore[arg-type]
            waiting.replace(path)
            waiting = None
            self._make_room()
        except OSError:
            log.warning("an embedding was not kept", exc_info=True)
        finally:
            if waiting is not None:
                waiting.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / f"{name}.npz"

    def _make_room(self) -> None:
        files: list[tuple[float, int, Path]] = []
        for path in self._folder.glob("??/*"):
            try:
                facts = path.stat()
                if path.suffix == ".npz":
                    files.append((facts.st_mtime, facts.st_size, path))
                elif facts.st_mtime < time.time() - _LEFT_BEHIND_S:
                    path.unlink()
            except FileNotFoundError:  # another worker was faster
                continue
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self._limit:
                return
            path.unlink(missing_ok=True)
            total -= size

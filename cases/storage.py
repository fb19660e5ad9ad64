"""Originals on disk: kept byte for byte under their SHA-256, never rewritten.

A file first goes to `incoming/` under a name of chance, is read there, and only then takes its place in one atomic
step.  Whoever gives it its place holds the laboratory's `.lock` until the database has committed or refused, so that
nobody's clean-up can take away what another upload has just found there.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import tempfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from karyosite.errors import Invalid, Refusal, TooLarge

_CHUNK = 2**20
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class StorageFull(Refusal):
    status_code = 507
    code = "storage-full"


@dataclass(frozen=True)
class Incoming:
    """A complete file that has no place yet."""

    path: Path
    sha256: str
    byte_size: int


def display_name(name: Any) -> str:
    """A file's name as people see it: no path, no control or direction characters, at most 255 characters.

    For display only; nothing on disk is ever named so.
    """
    text = unicodedata.normalize("NFC", str(name or "")).replace("\\", "/")
    text = text.rstrip("/").rsplit("/", 1)[-1]
    text = "".join(" " if unicodedata.category(sign)[0] == "Z" else sign for sign in text)
    text = "".join(sign for sign in text if unicodedata.category(sign)[0] != "C")
    text = " ".join(text.split())
    if text in ("", ".", ".."):
        return "unnamed"
    if len(text) > 255:
        stem, dot, ending = text.rpartition(".")
        text = f"{stem[: 253 - len(ending)]}…{dot}{ending}"[:255] if dot and len(ending) <= 10 else text[:254] + "…"
    return text


def original_name(laboratory_id: Any, sha256: str) -> str:
    """Where an original lies, relative to MEDIA_ROOT."""
    return f"originals/{laboratory_id}/{sha256[:2]}/{sha256}"


@contextlib.contextmanager
def received(upload: Any, *, limit: int) -> Iterator[Incoming]:
    """Streams an upload (chunks() or read()) to disk and gives its hash; what has not found its place is removed.

    limit: bytes.  Raises TooLarge, StorageFull, Invalid.
    """
    try:
        folder = Path(settings.MEDIA_ROOT) / "incoming"
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder)
    except OSError as error:
        raise _no_room(error) from error
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            sha256, size = _copy(upload, file, limit)
        yield Incoming(path, sha256, size)
    finally:
        path.unlink(missing_ok=True)


def _copy(upload: Any, file: Any, limit: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    try:
        for chunk in _chunks(upload):
            size += len(chunk)
            if size > limit:
                raise TooLarge(
                    f"The file is larger than {limit // 2**20} MB, the most that is accepted. Nothing of it was kept."
                )
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        raise _no_room(error) from error
    expected = getattr(upload, "size", None)
    if isinstance(expected, int) and expected != size:
        raise Invalid("The file did not arrive whole. Nothing of it was kept; upload it again.", code="upload-cut-off")
    return digest.hexdigest(), size


def _chunks(upload: Any) -> Iterator[bytes]:
    if hasattr(upload, "chunks"):
        yield from upload.chunks(_CHUNK)
        return
    while chunk := upload.read(_CHUNK):
        yield chunk


def _no_room(error: OSError) -> Exception:
    if error.errno not in _NO_ROOM:
        return error
    return StorageFull(
        "There is no room left on the server's disk. Nothing of this file was kept; "
        "tell your administrator, then upload it again."
    )


@contextlib.contextmanager
def placing(laboratory_id: Any) -> Iterator[None]:
    """Held by one upload of the laboratory at a time, from taking its place until the database has decided."""
    folder = Path(settings.MEDIA_ROOT) / "originals" / str(laboratory_id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise _no_room(error) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def place(incoming: Incoming, name: str) -> None:
    """Gives a received file its place, whole or not at all.  Call inside `placing`."""
    target = Path(settings.MEDIA_ROOT) / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        incoming.path.chmod(0o440)
        incoming.path.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise _no_room(error) from error


def remove(name: str) -> None:
    """Takes a file away that no row names.  Call inside `placing`."""
    (Path(settings.MEDIA_ROOT) / name).unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()

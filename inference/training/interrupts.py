"""Stopping a training run without losing it: signals, and a disk that fills up.

`manage.py train` runs a loop within `watching()`.  A loop that calls `pause_point(keep)` after each step is let come
to the end of the step and keeps its state there; one that does not is stopped at once and goes on later from its
last checkpoint.  So do the loops that are programs themselves (`python -m inference.training.…`), by `program`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Stopped(Exception):
    """A signal ended the run.  status: 128 + the signal, as shells have it.  kept: the present state was written."""

    def __init__(self, number: int, *, kept: bool) -> None:
        super().__init__(signal.Signals(number).name)
        self.number, self.kept = number, kept

    @property
    def status(self) -> int:
        return 128 + self.number


class DiskFull(Exception):
    """There was no room for what had to be written."""


class _Watch:
    def __init__(self) -> None:
        self.owner, self.asked, self.steps = os.getpid(), 0, 0

    def signalled(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self.owner:
            return  # a loader's worker: its parent ends it
        again, self.asked = bool(self.asked), number
        if again or not self.steps:  # nobody would come to a pause point
            raise Stopped(number, kept=False)


_watches: list[_Watch] = []


@contextlib.contextmanager
def watching() -> Iterator[None]:
    """SIGINT and SIGTERM become Stopped, a full disk DiskFull.  For the main thread."""
    watch = _Watch()
    before = {number: signal.signal(number, watch.signalled) for number in (signal.SIGINT, signal.SIGTERM)}
    _watches.append(watch)
    try:
        yield
    except Exception as error:
        if watch.asked and not isinstance(error, Stopped):
            # The signal reached the loader's workers first, and the loop fell over their death.
            raise Stopped(watch.asked, kept=False) from error
        if disk_is_full(error):
            raise DiskFull(str(error)) from error
        raise
    finally:
        _watches.remove(watch)
        for number, handler in before.items():
            signal.signal(number, handler)


def program(main: Callable[[], None]) -> None:
    """Runs `main` as a program that can be stopped: a sentence and the exit status say how it ended."""
    try:
        with watching():
            main()
    except Stopped as stopped:
        kept = "Everything up to now is kept" if stopped.kept else "The last checkpoint stands, if there is one"
        sys.stderr.write(f"Stopped by {stopped}. {kept}; the same command goes on.\n")
        sys.exit(stopped.status)
    except DiskFull:
        sys.exit("The disk is full. The last checkpoint stands, if there is one; make room first.")


def pause_point(keep: Callable[[], None] | None = None) -> None:
    """For a loop, after each step: where a signal has come, `keep` writes the checkpoint and the run ends (Stopped)."""
    if not _watches:
        return
    watch = _watches[-1]
    watch.steps += 1
    if watch.asked:
        if keep is not None:
            keep()
        raise Stopped(watch.asked, kept=keep is not None)


def steps() -> int:
    """How many pause points the running loop has come to."""
    return _watches[-1].steps if _watches else 0


def disk_is_full(error: BaseException | None) -> bool:
    """Also where torch hides it: its writer says only that writing failed."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        text = str(error)
        if isinstance(error, RuntimeError) and ("PytorchStreamWriter" in text or "inline_container" in text):
            return True
        error = error.__cause__ or error.__context__
    return False


def clear_leftovers(folder: Path) -> None:
    """Takes away what a broken-off write left: it may be what fills the disk."""
    for path in folder.rglob("*.tmp"):
        path.unlink(missing_ok=True)


class WholePath(type(Path())):  # type: ignore[misc]
    """A path whose write_bytes is all or nothing: written beside, synced, renamed."""

    def write_bytes(self, data: bytes) -> int:  # type: ignore[override]
        temporary = Path(f"{self}.tmp")
        try:
            with temporary.open("wb") as file:
                written = file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        temporary.replace(self)
        return written

"""Keeps a handful of processes running in the foreground: one stream of lines, one way to stop them all.

Children live in sessions of their own, so that Ctrl-C reaches only the keeper, which then stops them in order; and
the kernel tells them when the keeper itself is killed (Linux), so that none lingers.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

GRACE_S = 20.0
# A process that ends this often within this time is not helped by another start.
_ENDS, _WITHIN_S = 5, 60.0
_COLOURS = (36, 32, 33, 35, 34, 31)
_PR_SET_PDEATHSIG = 1
_LIBC: Any = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def end_with_parent(parent: int) -> Callable[[], None] | None:
    """For a child between fork and exec: the kernel sends SIGTERM when the parent ends, however it ends."""
    if _LIBC is None:
        return None

    def arrange() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it ended between fork and here
            os._exit(1)

    return arrange


@dataclass
class Kept:
    """One process: its command, and how often it has ended lately."""

    name: str
    command: tuple[str, ...]
    stops_last: bool = False
    process: asyncio.subprocess.Process | None = None
    ends: list[float] = field(default_factory=list)


class Supervisor:
    def __init__(self, environment: Mapping[str, str], out: Callable[[str], Any]) -> None:
        self._environment = {**environment, "PYTHONUNBUFFERED": "1"}
        self._out = out
        self._kept: list[Kept] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._failed = ""
        self._width = 8

    def add(self, name: str, command: tuple[str, ...], *, stops_last: bool = False) -> None:
        """`python` at the front of a command is the interpreter that runs this."""
        if command[0] == "python":
            command = (sys.executable, *command[1:])
        self._kept.append(Kept(name, command, stops_last))
        self._width = max(self._width, len(name))

    def say(self, sentence: str, name: str = "karyosite") -> None:
        label = f"{name:<{self._width}} |"
        if sys.stdout.isatty():
            places = [kept.name for kept in self._kept]
            colour = _COLOURS[places.index(name) % len(_COLOURS)] if name in places else 1
            label = f"\x1b[{colour}m{label}\x1b[0m"
        with contextlib.suppress(BrokenPipeError):
            self._out(f"{label} {sentence}")

    async def start(self, *names: str) -> None:
        """Start those named, or all that do not run yet."""
        for kept in self._kept:
            if kept.process is None and (not names or kept.name in names):
                await self._launch(kept)
                self._tasks.append(asyncio.create_task(self._keep(kept)))

    async def _launch(self, kept: Kept) -> None:
        kept.process = await asyncio.create_subprocess_exec(
            *kept.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self._environment,
            start_new_session=True,
            preexec_fn=end_with_parent(os.getpid()),
            limit=2**20,
        )

    async def _keep(self, kept: Kept) -> None:
        while True:
            assert kept.process is not None
            await self._relay(kept)
            status = await kept.process.wait()
            _signal_group(kept.process, signal.SIGKILL)  # what it may have left behind
            if self._stopping.is_set():
                return
            now = time.monotonic()
            kept.ends = [moment for moment in kept.ends if now - moment < _WITHIN_S] + [now]
            if len(kept.ends) >= _ENDS:
                self._failed = (
                    f"{kept.name} ended {_ENDS} times within a minute ({_how(status)}), so everything was stopped. "
                    "The lines above say why. Nothing uploaded or edited is lost."
                )
                self._stopping.set()
                return
            self.say(f"{kept.name} ended ({_how(status)}); starting it again")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 0.5 * 2 ** (len(kept.ends) - 1))
            if self._stopping.is_set():
                return
            await self._launch(kept)

    async def _relay(self, kept: Kept) -> None:
        assert kept.process is not None and kept.process.stdout is not None
        while True:
            try:
                line = await kept.process.stdout.readline()
            except ValueError:  # a line longer than the limit
                continue
            if not line:
                return
            self.say(line.decode(errors="replace").rstrip(), kept.name)

    def process_ids(self) -> dict[str, int]:
        return {kept.name: kept.process.pid for kept in self._kept if kept.process is not None}

    async def until_stopped(self) -> str:
        """Runs until SIGINT, SIGTERM or a process that will not stay up.  The reason, empty for a signal."""
        await self._stopping.wait()
        await self._stop_all()
        return self._failed

    def stop(self) -> None:
        """Once: stop all, gently.  Twice: at once."""
        if self._stopping.is_set():
            for kept in self._kept:
                _signal_group(kept.process, signal.SIGKILL)
            return
        self._stopping.set()

    @property
    def stopping(self) -> asyncio.Event:
        return self._stopping

    async def _stop_all(self) -> None:
        running = [kept for kept in self._kept if kept.process is not None and kept.process.returncode is None]
        if running:
            self.say("stopping " + ", ".join(kept.name for kept in running))
        await self._stop([kept for kept in running if not kept.stops_last])
        await self._stop([kept for kept in running if kept.stops_last])
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _stop(self, kept: list[Kept]) -> None:
        for one in kept:
            if one.process is not None and one.process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    one.process.terminate()
        waits = [asyncio.create_task(one.process.wait()) for one in kept if one.process is not None]
        if waits:
            _, late = await asyncio.wait(waits, timeout=GRACE_S)
            if late:
                self.say(f"still running after {GRACE_S:.0f} s: stopped at once; what they worked on comes back")
        for one in kept:
            _signal_group(one.process, signal.SIGKILL)
        if waits:
            await asyncio.wait(waits)


def _signal_group(process: asyncio.subprocess.Process | None, number: int) -> None:
    """The process and whatever it started; its session's number is its own process number."""
    if process is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)


def _how(status: int) -> str:
    if status >= 0:
        return f"exit {status}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-status).name
    return f"signal {-status}"

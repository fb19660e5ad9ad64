"""Who works on a job, and whether that process still lives."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path

import psutil


def _place() -> str:
    """This boot and this process-number space (a container has its own); empty where that cannot be told."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot[:13]}-{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


@cache
def _name_of(process_id: int) -> str:
    started = psutil.Process(process_id).create_time()
    return f"{socket.gethostname()[:60]}|{process_id}|{started:.2f}|{_place()}"


def this_worker() -> str:
    """host | process number | its start | boot and process-number space."""
    return _name_of(os.getpid())


def has_died(worker: str) -> bool:
    """True only where the process is known to be gone: it ran here, in this boot, and runs no more.

    Anything that cannot be told is False: the heartbeat decides then.
    """
    parts = worker.split("|")
    if len(parts) != 4 or not parts[3] or parts[3] != _place():
        return False
    try:
        process = psutil.Process(int(parts[1]))
        return abs(process.create_time() - float(parts[2])) > 1 or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except (psutil.Error, ValueError):
        return False

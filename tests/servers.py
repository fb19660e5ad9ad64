"""A private PostgreSQL for the suite: its own folder, its own port, stopped and removed at the end."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

HOW_TO_GET = (
    "The suite needs PostgreSQL's programs (initdb, postgres). On Debian and Ubuntu: apt-get install postgresql. "
    "Or name a server of your own: KARYOSITE_TEST_POSTGRES_URL=postgres://user:password@host/database"
)


def _program(name: str) -> str | None:
    packaged = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return str(packaged[0]) if packaged else shutil.which(name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Yields a database URL.  SystemExit with a sentence where PostgreSQL is not installed."""
    given = os.environ.get("KARYOSITE_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    initdb, server = _program("initdb"), _program("postgres")
    if initdb is None or server is None:
        raise SystemExit(HOW_TO_GET)
    folder = Path(tempfile.mkdtemp(prefix="karyosite-postgres-"))
    owner: dict[str, int] = {}
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root.
        known = {entry.pw_name for entry in pwd.getpwall()}
        entry = pwd.getpwnam("postgres" if "postgres" in known else "nobody")
        owner = {"user": entry.pw_uid, "group": entry.pw_gid}
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    port = free_port()
    quiet = {"stdout": subprocess.DEVNULL, "cwd": folder, **owner}
    process = None
    try:
        subprocess.run(
            [initdb, "-D", str(folder / "data"), "-U", "karyosite", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
            check=True, **quiet,
        )  # fmt: skip
        log = (folder / "log").open("wb")
        process = subprocess.Popen(
            [server, "-D", str(folder / "data"), "-p", str(port), "-h", "127.0.0.1", "-k", str(folder), "-F",
             "-c", "fsync=off", "-c", "full_page_writes=off"],
            stderr=log, **quiet,
        )  # fmt: skip
        url = f"postgres://karyosite@127.0.0.1:{port}/postgres"
        _wait_for(port, process, folder / "log")
        yield url
    finally:
        if process is not None:
            process.terminate()
            process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    import time

    import psycopg

    for _ in range(200):
        if process.poll() is not None:
            raise SystemExit(f"PostgreSQL stopped at once:\n{log.read_text()}")
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(host="127.0.0.1", port=port, user="karyosite", dbname="postgres").close()
            return
        time.sleep(0.1)
    raise SystemExit(f"PostgreSQL did not answer within twenty seconds:\n{log.read_text()}")

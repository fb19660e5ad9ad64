"""`manage.py up`: the whole of Karyosite in one foreground process.  Ctrl-C stops all of it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import http.client
import os
import shutil
import signal
import socket
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from karyosite import broker, processes
from karyosite.env import environment
from karyosite.supervisor import Supervisor

LEAST_FREE_BYTES = 500 * 1024 * 1024
PAGE_LIMIT_S = 120.0


class Command(BaseCommand):
    help = (
        "Runs Karyosite: a private message broker unless KARYOSITE_REDIS_URL names one, the database's migrations, "
        "the web process, the workers and the clock, all in the foreground. Ctrl-C stops every one of them."
    )
    # They import every page and view, which this process never serves; the suite and `manage.py check` run them.
    requires_system_checks: Any = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: 8000)")
        parser.add_argument(
            "--workers",
            type=int,
            default=1,
            help="cells analysed at once; each takes up to 1.5 GB of memory (default: 1)",
        )
        parser.add_argument("--demo", action="store_true", help="first make the demonstration laboratory")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port, workers = options["host"], options["port"], options["workers"]
        if not 1 <= workers <= 64:
            raise CommandError("--workers takes a number from 1 to 64.")
        check_port(host, port)
        check_disk(environment.data_dir.resolve())
        with only_one(environment.data_dir.resolve()):
            self._prepare()
            try:
                reason = asyncio.run(self._run(host, port, workers, demo=options["demo"]))
            except broker.BrokerRefused as refused:
                raise CommandError(str(refused)) from None
        if reason:
            raise CommandError(reason)
        self.stdout.write("Karyosite has stopped.")

    def _prepare(self) -> None:
        check_broker()
        check_database()
        call_command("migrate", interactive=False, verbosity=0)
        if not settings.DEBUG:
            collect_static_files()
        # Children open connections of their own.
        connection.close()

    def _make_demo(self) -> None:
        try:
            call_command("seed_demo", stdout=self.stdout)
        finally:
            connection.close()

    async def _run(self, host: str, port: int, workers: int, *, demo: bool) -> str:
        keeper = Supervisor(os.environ, self._line)
        loop = asyncio.get_running_loop()
        for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(ending, keeper.stop)
        if not environment.redis_url:
            await self._start_broker(keeper)
        if demo:
            await asyncio.to_thread(self._make_demo)
        keeper.add("web", processes.web(host, port))
        keeper.add("worker", processes.COMMANDS["worker"])
        for number in range(1, workers + 1):
            name = "inference" if workers == 1 else f"inference-{number}"
            keeper.add(name, processes.COMMANDS["worker-inference"])
        keeper.add("beat", processes.COMMANDS["beat"])
        if not keeper.stopping.is_set():
            await keeper.start()
        page = asyncio.create_task(self._announce(keeper, host, port))
        reason = await keeper.until_stopped()
        page.cancel()
        return reason

    async def _start_broker(self, keeper: Supervisor) -> None:
        broker.prepare()
        keeper.add("broker", tuple(broker.command()), stops_last=True)
        await keeper.start("broker")
        if await self._broker_answers(keeper):
            return
        # Its file may come from a newer server, or be broken by a full disk.  Only bells are in it.
        aside = broker.set_aside()
        if aside is not None:
            keeper.say(f"the broker could not read its file, now {aside.name}; it starts afresh, and no job is lost")
            if await self._broker_answers(keeper):
                return
        keeper.stop()
        await keeper.until_stopped()
        raise CommandError(
            f"The message broker does not start; {broker.folder() / 'broker.log'} says why. Everything was stopped."
        )

    async def _broker_answers(self, keeper: Supervisor, limit_s: float = 6.0) -> bool:
        loop = asyncio.get_running_loop()
        end = loop.time() + limit_s
        while loop.time() < end and not keeper.stopping.is_set():
            if await asyncio.to_thread(broker.answers, 1.0):
                return True
            await asyncio.sleep(0.05)
        return keeper.stopping.is_set()

    async def _announce(self, keeper: Supervisor, host: str, port: int) -> None:
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
        loop = asyncio.get_running_loop()
        end = loop.time() + PAGE_LIMIT_S
        while not await asyncio.to_thread(page_answers, shown.strip("[]"), port):
            if loop.time() > end:
                keeper.say(f"the page has not answered for {PAGE_LIMIT_S:.0f} s; the lines above may say why")
                return
            await asyncio.sleep(0.2)
        keeper.say(f"Karyosite is ready: http://{shown}:{port}/   (Ctrl-C stops it)")

    def _line(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def check_port(host: str, port: int) -> None:
    if not 1 <= port <= 65535:
        raise CommandError("--port takes a number from 1 to 65535.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise CommandError(
                f"This account may not listen on port {port}. Take one above 1023, for example: --port 8000"
            ) from None
        except (OSError, UnicodeError) as error:
            if getattr(error, "errno", None) == errno.EADDRINUSE:
                raise CommandError(
                    f"Port {port} is taken by another program. Stop it, or take another port, "
                    f"for example: manage.py up --port {port + 1}"
                ) from None
            raise CommandError(
                f"{host} is not an address of this machine. Leave --host out to serve it alone."
            ) from None


def check_disk(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable-{os.getpid()}"
        probe.write_bytes(b"\0" * 4096)
        probe.unlink()
    except OSError as error:
        raise CommandError(
            f"The data folder {folder} cannot be written to ({error.strerror}). "
            "Give this account the right to, or name another in KARYOSITE_DATA_DIR."
        ) from None
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        raise CommandError(
            f"The disk of the data folder {folder} has {free // 2**20} MB free; Karyosite needs "
            f"{LEAST_FREE_BYTES // 2**20} MB to start. Make room, or name another folder in KARYOSITE_DATA_DIR."
        )


def check_broker() -> None:
    if environment.redis_url and not broker.answers(5.0):
        raise CommandError(
            "The message broker named in KARYOSITE_REDIS_URL does not answer. Nothing was started. "
            "Start it, or leave the setting out: Karyosite then brings its own."
        )


def check_database() -> None:
    try:
        connection.ensure_connection()
    except (DatabaseError, OSError) as error:
        reason = str(error).strip().splitlines()
        raise CommandError(
            "The database does not answer, so nothing was started. Check DATABASE_URL, and that its server runs. "
            f"It said: {reason[0] if reason else error}"
        ) from None


def collect_static_files() -> None:
    """Hash and compress them, unless nothing has changed since that was last done: it takes seconds."""
    seen = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            facts = Path(storage.path(name)).stat()
            seen.update(f"{name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    if stamp.exists() and stamp.read_text() == seen.hexdigest():
        return
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(seen.hexdigest())


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """One `up` per data folder; the lock goes with the process, however it ends."""
    with (folder / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CommandError(
                f"Karyosite already runs on the data folder {folder} (process {lock.read().strip() or 'unknown'}). "
                "Stop that one first, or name another folder in KARYOSITE_DATA_DIR."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def page_answers(host: str, port: int) -> bool:
    """Whether /healthz answers, asked under a name that the site serves."""
    served = next((name for name in settings.ALLOWED_HOSTS if name != "*" and not name.startswith(".")), host)
    web = http.client.HTTPConnection(host, port, timeout=5)
    try:
        web.request("GET", "/healthz", headers={"Host": served})
        return web.getresponse().status == 200
    except OSError:
        return False
    except http.client.HTTPException:
        return False
    finally:
        web.close()

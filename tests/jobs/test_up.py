"""`manage.py up` as a person uses it: it comes up, mends itself, says what is wrong, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.jobs.world import until
from tests.program import ROOT, Program, answers, running

pytestmark = pytest.mark.jobs


def family(program: Program) -> list[psutil.Process]:
    return psutil.Process(program.process.pid).children(recursive=True)


def alive(processes: list[psutil.Process]) -> list[str]:
    found = []
    for process in processes:
        # It may end between one question and the next.
        with contextlib.suppress(psutil.NoSuchProcess):  # a zombie is one, too
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline())[:90])
    return found


def second_up(environment: dict[str, str], *flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "up", *flags]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90)


def test_it_mends_itself_and_leaves_nothing_behind() -> None:
    with running() as program:
        assert answers(f"{program.url}/readyz")
        children = family(program)
        [inference] = [p for p in children if p.cmdline()[-1] == "inference"]
        [broker] = [p for p in children if "broker.sock" in " ".join(p.cmdline())]
        inference.kill()
        broker.kill()

        def mended() -> bool:
            log = program.log.read_text()
            return "inference ended (SIGKILL); starting it again" in log and "broker ended (SIGKILL)" in log

        until(mended, 20, program.log.read_text)
        until(lambda: answers(f"{program.url}/readyz"), 30, program.log.read_text)
        until(lambda: any(p.cmdline()[-1:] == ["inference"] for p in family(program)), 20, program.log.read_text)

        port = program.url.rpartition(":")[2]
        again = second_up(program.environment, "--port", port)
        assert f"Port {port} is taken" in again.stderr
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            other = str(free.getsockname()[1])
        again = second_up(program.environment, "--port", other)
        assert "already runs on the data folder" in again.stderr and "Traceback" not in again.stderr

        children = [*children, *family(program)]
        program.process.send_signal(signal.SIGINT)
        assert program.process.wait(40) == 0
        assert "Karyosite has stopped." in program.log.read_text()
        assert not alive(children)
        assert not answers(f"{program.url}/healthz")


def test_killed_outright_it_takes_its_children_along() -> None:
    with running() as program:
        children = family(program)
        assert len(children) >= 5
        os.kill(program.process.pid, signal.SIGKILL)
        until(lambda: not alive(children), 30, lambda: "\n".join(alive(children)))


def test_a_data_folder_that_cannot_be_used_gets_a_sentence(tmp_path: Path) -> None:
    in_the_way = tmp_path / "a file"
    in_the_way.write_text("")
    environment = os.environ | {"KARYOSITE_SECRET_KEY": "x" * 50, "KARYOSITE_DATA_DIR": str(in_the_way / "data")}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    done = second_up(environment, "--port", "8999")
    assert done.returncode == 1
    assert "cannot be written to" in done.stderr and "Traceback" not in done.stderr


def test_a_broker_that_does_not_answer_gets_a_sentence(tmp_path: Path) -> None:
    environment = os.environ | {"KARYOSITE_DATA_DIR": str(tmp_path), "KARYOSITE_REDIS_URL": "redis://127.0.0.1:1/0"}
    environment |= {"KARYOSITE_ENV_FILE": ""}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    started = time.monotonic()
    done = second_up(environment, "--port", "8998")
    assert done.returncode == 1
    assert "KARYOSITE_REDIS_URL does not answer" in done.stderr and "Traceback" not in done.stderr
    assert time.monotonic() - started < 60

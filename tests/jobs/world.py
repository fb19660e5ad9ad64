"""A whole Karyosite without its pages, over a folder of its own: real broker, real workers, real database."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from karyosite.processes import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
# A dead worker's job is looked for every second and a half, a silent one counts as dead after nine.
SETTINGS = {"KARYOSITE_JOB_STALE_AFTER_S": "9", "KARYOSITE_WORKER_THREADS": "1", "OMP_NUM_THREADS": "1"}


class Process:
    """One process under test; its lines are kept to look into."""

    def __init__(self, name: str, command: tuple[str, ...] | list[str], environment: dict[str, str], log: Path) -> None:
        self.name, self.log = name, log
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, *command[1:]] if command[0] == "python" else list(command),
                cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.poll()

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, words: str, limit_s: float = 60) -> None:
        def there() -> bool:
            if words in self.text():
                return True
            assert self.returncode is None, f"{self.name} ended ({self.returncode}):\n{self.text()}"
            return False

        until(there, limit_s, lambda: f"{self.name} never said “{words}”:\n{self.text()}")

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """The plug is pulled."""
        if self.returncode is None:
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(20)

    def ends(self, limit_s: float = 30) -> int:
        return self._process.wait(limit_s)


def until(holds: Callable[[], Any], limit_s: float, otherwise: Callable[[], str]) -> None:
    end = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end, otherwise()
        time.sleep(0.05)


class World:
    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("KARYOSITE_", "DJANGO_"))
        } | {
            "DJANGO_SETTINGS_MODULE": "karyosite.settings",
            "DATABASE_URL": database_url or f"sqlite:///{folder / 'karyosite.sqlite3'}",
            "KARYOSITE_DATA_DIR": str(folder),
            "KARYOSITE_ENV_FILE": "",
            "PYTHONUNBUFFERED": "1",
            **SETTINGS,
        }
        self._processes: list[Process] = []

    def open(self) -> None:
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env=self.environment, check=True)
        self.start_broker()
        self.worker = self.start("worker", COMMANDS["worker"])
        self.beat = self.start("beat", COMMANDS["beat"])
        self._hand = subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.hand"], cwd=ROOT, env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    # ---- processes

    def start(self, name: str, command: tuple[str, ...] | list[str], **settings: str) -> Process:
        log = self.folder / f"{name}-{uuid.uuid4().hex[:6]}.log"
        process = Process(name, command, self.environment | settings, log)
        self._processes.append(process)
        return process

    def start_broker(self) -> None:
        from karyosite import broker

        broker.prepare(self.folder)
        self.broker = self.start("broker", broker.command(self.folder))
        assert broker.wait_until_answering(self.broker._process, self.folder), "the broker does not answer"

    def empty_broker(self) -> None:
        """Its disk is gone too."""
        self.broker.kill()
        shutil.rmtree(self.folder / "broker" / "appendonlydir")

    def start_inference(self, *, pause_at: str = "", pause_s: float = 120, **settings: str) -> Process:
        """A worker that serves the inference queue; with a plug to pull at a named point."""
        if pause_at:
            settings |= {"KARYOSITE_FAULT_PAUSE_AT": pause_at, "KARYOSITE_FAULT_PAUSE_S": str(pause_s)}
        return self.start("inference", COMMANDS["worker-inference"], **settings)

    def inference(self, *, pause_at: str = "", pause_s: float = 120, **settings: str) -> Process:
        """The same, up and listening."""
        process = self.start_inference(pause_at=pause_at, pause_s=pause_s, **settings)
        process.wait_for("ready.")
        return process

    def end_inference(self) -> None:
        for process in self._processes:
            if process.name == "inference":
                process.kill()

    def close(self) -> None:
        if hasattr(self, "_hand"):
            self._hand.kill()
            self._hand.wait()
        for process in reversed(self._processes):
            process.kill()

    # ---- deeds and looks

    def do(self, deed: str, **arguments: Any) -> Any:
        assert self._hand.stdin is not None and self._hand.stdout is not None
        self._hand.stdin.write(json.dumps({"do": deed, "with": arguments}) + "\n")
        self._hand.stdin.flush()
        for line in self._hand.stdout:
            if line.startswith("@"):
                reply = json.loads(line[1:])
                assert "fault" not in reply, reply.get("fault")
                return reply["answer"]
        raise AssertionError("the hand ended")

    def job(self, cell: dict[str, str]) -> dict[str, Any]:
        return dict(self.do("job", job=cell["job"]))

    def cell(self, cell: dict[str, str]) -> dict[str, Any]:
        return dict(self.do("cell", metaphase=cell["metaphase"]))

    def wait_for_state(self, cell: dict[str, str], state: str, limit_s: float = 60) -> dict[str, Any]:
        def told() -> str:
            lines = "\n".join(f"--- {p.name} {p.pid}\n{p.text()[-3000:]}" for p in self._processes if p.name != "beat")
            return f"the job never was {state}: {self.job(cell)}\n{lines}"

        until(lambda: self.job(cell)["state"] == state, limit_s, told)
        return self.job(cell)

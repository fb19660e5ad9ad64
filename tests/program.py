"""The real program as a stranger starts it: `manage.py up` on a free port over an empty data folder."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.servers import free_port

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Program:
    url: str
    process: subprocess.Popen[bytes]
    log: Path
    environment: dict[str, str]

    def manage(self, *arguments: str) -> str:
        """Runs one manage.py command over the same data."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"manage.py {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextlib.contextmanager
def running(*flags: str, prepare: tuple[str, ...] = (), **settings: str) -> Iterator[Program]:
    """Starts `manage.py up` with `flags`; first `manage.py migrate` and each command of `prepare`."""
    folder = Path(tempfile.mkdtemp(prefix="ks-"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KARYOSITE_")}
    environment.pop("DATABASE_URL", None)
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    environment |= {"KARYOSITE_DATA_DIR": str(folder), "KARYOSITE_ENV_FILE": "", "PYTHONUNBUFFERED": "1"} | settings
    port = free_port()
    log = folder / "up.log"
    program = None
    try:
        for command in ("migrate --verbosity 0", *prepare):
            subprocess.run(
                [sys.executable, "manage.py", *command.split()],
                cwd=ROOT,
                env=environment,
                check=True,
                capture_output=True,
            )
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(port), *flags], cwd=ROOT, env=environment,
            stdout=log.open("wb"), stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        program = Program(f"http://127.0.0.1:{port}", process, log, environment)
        for _ in range(600):
            if answers(f"{program.url}/healthz"):
                break
            assert process.poll() is None, f"`manage.py up` stopped:\n{log.read_text()}"
            time.sleep(0.2)
        else:
            raise AssertionError(f"`manage.py up` did not answer within two minutes:\n{log.read_text()}")
        yield program
    finally:
        if program is not None and program.process.poll() is None:
            program.process.send_signal(signal.SIGINT)
            try:
                program.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(program.process.pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


class Client:
    """A program that speaks the API with a token; nothing but the standard library."""

    def __init__(self, program: Program, token: str) -> None:
        self.base, self.token = f"{program.url}/api/v1/", token

    def call(self, method: str, path: str, body: bytes | dict | None = None, kind: str = "application/json") -> dict:
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        request = urllib.request.Request(path if "://" in path else self.base + path, content, method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        if content is not None:
            request.add_header("Content-Type", kind)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                answer = reply.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()[:2000]}") from error
        return dict(json.loads(answer)) if answer else {}

    def upload(self, case_id: str, image: Path) -> dict:
        mark = "karyosite-upload"
        body = (
            (
                f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{image.name}"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n"
            ).encode()
            + image.read_bytes()
            + f"\r\n--{mark}--\r\n".encode()
        )
        return self.call("POST", f"cases/{case_id}/metaphases/", body, f"multipart/form-data; boundary={mark}")


def token_for(program: Program, username: str) -> str:
    script = (
        "from karyosite.accounts.models import User; from karyosite.accounts.models import ApiToken; "
        f"print('TOKEN', ApiToken.objects.create(User.objects.get(username='{username}'), name='bench')[1])"
    )
    return program.manage("shell", "-c", script).split("TOKEN ")[1].split()[0]

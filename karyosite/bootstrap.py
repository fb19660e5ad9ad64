"""Makes `.venv` and fills it, on nothing but a plain Python; run as a script by the Makefile.

Every failure a stranger may meet ends in one sentence: wrong Python, no disk, no network, no venv module.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
NEEDED_GB = 9


def stop(sentence: str) -> None:
    print(f"\n{sentence}", file=sys.stderr)  # noqa: T201
    raise SystemExit(1)


def say(sentence: str) -> None:
    print(sentence, flush=True)  # noqa: T201


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036
        stop(
            f"Karyosite needs Python 3.11 or newer; this is {sys.version.split()[0]}. "
            "Install a newer one and name it: make demo PYTHON=python3.12"
        )
    lists = [ROOT / name for name in sys.argv[1:]]
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in lists) + sys.version.encode()).hexdigest()
    stamp = VENV / f".installed-{lists[-1].stem}"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    python = VENV / "bin" / "python"
    if not python.exists() and shutil.disk_usage(ROOT).free < NEEDED_GB * 1e9:
        stop(
            f"The programs Karyosite needs take about {NEEDED_GB} GB, and this disk has "
            f"{shutil.disk_usage(ROOT).free / 1e9:.1f} GB free. Make room and run the same command again."
        )
    if not python.exists():
        say("Making .venv …")
        if subprocess.run([sys.executable, "-m", "venv", str(VENV)]).returncode:
            shutil.rmtree(VENV, ignore_errors=True)
            stop("Python could not make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv")
    say(f"Installing {lists[-1].name} (torch is about 3 GB to fetch and takes the longest; later runs are quick) …")
    environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [str(python), "-m", "pip", "install", "--progress-bar", "off", "-q", "-r", str(lists[-1])]
    if subprocess.run(command, env=environment, cwd=ROOT).returncode:
        if shutil.disk_usage(ROOT).free < 1e9:
            stop("The disk filled up meanwhile. Make room and run the same command again; it goes on from there.")
        stop(
            "Some packages could not be installed; the lines above say which. If this machine has no network, "
            "connect it for this first run; then run the same command again: it goes on from there."
        )
    stamp.write_text(wanted)


if __name__ == "__main__":
    main()

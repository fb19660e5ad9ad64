"""The containers start what the suite starts."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import yaml

from karyosite import processes

ROOT = Path(__file__).resolve().parents[2]


def services() -> dict:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def test_every_process_has_its_service_and_starts_by_the_tested_command() -> None:
    described = services()
    for name, command in processes.COMMANDS.items():
        assert described[name]["command"].split() == list(command), name
    assert described["worker-gpu"]["command"].split() == list(processes.COMMANDS["worker-inference"])
    assert described["worker-gpu"]["environment"]["KARYOSITE_DEVICE"] == "cuda"


def test_every_setting_in_the_arrangement_exists() -> None:
    from karyosite.env import Environment

    known = {f"KARYOSITE_{name}".upper() for name in Environment.model_fields} | {"DATABASE_URL"}
    for name, service in services().items():
        for setting in service.get("environment", {}):
            if setting.startswith(("KARYOSITE_", "DATABASE_")):
                assert setting in known, f"{name}: {setting}"


def test_no_secret_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert "${POSTGRES_PASSWORD:?" in text
    assert "${KARYOSITE_SECRET_KEY:?" in text


def test_compose_reads_it_where_compose_is_installed() -> None:
    """`config` needs no engine.  The file's own structure is held by the tests above on every machine."""
    environment = os.environ | {"POSTGRES_PASSWORD": "x", "KARYOSITE_SECRET_KEY": "x"}
    candidates = [["docker-compose"], ["docker", "compose"]]
    for command in candidates:
        if shutil.which(command[0]) and subprocess.run([*command, "version"], capture_output=True).returncode == 0:
            done = subprocess.run([*command, "config", "-q"], cwd=ROOT, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            return
    assert not os.environ.get("CI"), "CI installs docker-compose (.ci/run), so that this is checked there."

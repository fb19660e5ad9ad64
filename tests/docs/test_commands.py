"""A command that the documents do not tell of fails here."""

from __future__ import annotations

import re
from pathlib import Path

from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
OURS = ("karyosite", "cases", "inference")


def test_every_command_has_a_line_in_the_documents() -> None:
    told = (ROOT / "docs" / "commands.md").read_text()
    ours = {name for name, app in get_commands().items() if str(app).split(".")[0] in OURS}
    assert ours, "no command of the project was found"
    untold = sorted(name for name in ours if f"`manage.py {name}" not in told)
    assert not untold, f"docs/commands.md does not tell of: {', '.join(untold)}"
    gone = sorted(set(re.findall(r"^\| `manage\.py ([a-z_-]+)", told, re.M)) - ours)
    assert not gone, f"docs/commands.md tells of commands that do not exist: {', '.join(gone)}"


def test_every_file_that_the_documents_point_to_exists() -> None:
    broken = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} → {target}")
    assert not broken, "\n".join(broken)


def test_the_demonstration_cells_are_those_that_were_credited() -> None:
    import hashlib

    cells = ROOT / "cases" / "demo" / "cells"
    listed = dict(reversed(line.split()) for line in (cells / "SHA256SUMS").read_text().splitlines())
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in cells.glob("*.jpg")}
    assert found == listed
    assert len(found) <= 12
    assert "CIL:54816" in (ROOT / "NOTICE").read_text()

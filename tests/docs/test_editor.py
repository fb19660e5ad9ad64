"""What the editor's guide says about the scripted technologist is what the script does."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

from tests import technologist

DOCS = Path(__file__).resolve().parents[2] / "docs"


def section() -> str:
    return (DOCS / "editor.md").read_text().split("## Three faults by keyboard alone\n")[1].split("\n## ")[0]


def test_the_keystrokes_told_are_those_of_the_script() -> None:
    told = re.search(r"\*\*(\d+) keystrokes\*\* in (\d+) decisions", section())
    assert told, "docs/editor.md does not say how many keystrokes the technologist needs"
    assert [int(number) for number in told.groups()] == [technologist.KEYSTROKES, len(technologist.MOVES)]
    pauses = technologist.THINKING_S + technologist.KEYSTROKES * technologist.KEY_S
    assert f"{pauses:.1f} s of them pauses" in section()


def keys_told(cell: str) -> list[str]:
    """ "`→` × 3" is three keys."""
    return [key for key, many in re.findall(r"`([^`]+)`(?: × (\d+))?", cell) for _ in range(int(many or 1))]


def test_every_decision_has_its_keys_in_the_table() -> None:
    caps = {"ArrowRight": "→", "ArrowUp": "↑", "Control+Enter": "Ctrl Enter", "Enter": "Enter"}
    rows = re.findall(r"^\| \d+ \| (.+?) \| (.+?) \|$", section(), re.M)
    assert [(decides, keys_told(keys)) for decides, keys in rows] == [
        (move.decides, [caps.get(key, key.upper()) for key in move.keys]) for move in technologist.MOVES
    ]


def test_the_picture_shows_every_decision() -> None:
    assert "pictures/technologist.gif" in section()
    picture = Image.open(DOCS / "pictures" / "technologist.gif")
    assert picture.n_frames == 1 + len(technologist.MOVES), "python -m tests.pictures draws it anew"
    assert (DOCS / "pictures" / "technologist.gif").stat().st_size < 1_000_000

"""A technologist by script: a cell of 46 chromosomes as a machine may propose it, corrected by keyboard alone.

`tests/editor` checks what is stored in the end, `make bench` times it, `python -m tests.pictures` draws the guide's
pictures.  The cell is real (cases/demo/cells/1055732.jpg); its chromosomes are the shipped models', named as the set's
authors name them (tests/editor/cells/README.md).  Three faults are put in:

- **a wrong pair:** a 9 stands among the 11s, and an 11 among the 9s;
- **debris:** a speck of dirt stands as a third 21;
- **a touching pair:** a 1 and a 17 lie under one outline, named 1.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PHOTOGRAPH = ROOT / "cases" / "demo" / "cells" / "1055732.jpg"
CELL = ROOT / "tests" / "editor" / "cells" / "1055732.json"

# Seconds, by the keystroke-level model (Card, Moran and Newell, Communications of the ACM 23, 1980): a key by someone
# who types neither fast nor slowly, and making up one's mind.
KEY_S, MIND_S = 0.28, 1.35

NINE, ELEVEN, ONE, SEVENTEEN, SPECK = "c18", "c21", "c01", "c35", "c47"


@dataclass(frozen=True)
class Move:
    """What the technologist decides, and the keys it takes; `then`: what the page shows before the next decision."""

    decides: str
    keys: tuple[str, ...]
    then: str = ""


# Going on to the next doubt is part of ending one, and no decision of its own.  The photograph fits a window of
# 1280 × 800: there one press of an arrow leads the crosshair about ten of its pixels.
MOVES = (
    Move("see the first doubt: an 11 that looks like a 9", ("n",)),
    Move("it is a 9; on to the next, a 9 that looks like an 11", ("9", "n")),
    Move("it is an 11; on to the next, a third 21, faint", ("1", "1", "n")),
    Move("it is dirt: to the debris; on to the next, a 1 with a side branch", ("d", "n")),
    Move("two lie under one outline: take up Split, and mark the first", ("k", "Enter", "Enter")),
    Move("lead the crosshair to the other; mark it", (*["ArrowRight"] * 3, *["ArrowUp"] * 4, "Enter"), "split in two"),
    Move("the short one is a 17, whether or not the machine has named it so", ("1", "7")),
    Move("nothing is left in doubt: accept the cell", ("Control+Enter",), "accepted"),
)
KEYSTROKES = sum(len(move.keys) for move in MOVES)
THINKING_S = len(MOVES) * MIND_S


def corrected() -> dict[str, Any]:
    """The cell as it should be: 46 chromosomes, no doubts."""
    document: dict[str, Any] = json.loads(CELL.read_text())["document"]
    return document


def proposed() -> dict[str, Any]:
    """The same cell with the three faults, each with a reason as the pipeline words it."""
    known = json.loads(CELL.read_text())
    document = copy.deepcopy(known["document"])
    by_id = {one["id"]: one for one in document["chromosomes"]}
    nine, eleven, one = by_id[NINE], by_id[ELEVEN], by_id[ONE]
    for wrong, its, other, share in ((nine, "9", "11", 0.52), (eleven, "11", "9", 0.54)):
        wrong["label"], wrong["score"] = other, share
        wrong["probabilities"] = {other: share, its: 0.97 - share}
        wrong["flags"] = [f"between {other} ({share * 100:.0f} %) and {its} ({97 - share * 100:.0f} %)"]
    nine["order"], eleven["order"] = eleven["order"], nine["order"]
    one |= {"rings": known["touching"]["rings"], "box": known["touching"]["box"], "axis": None, "centromere": None}
    one |= {"score": 0.71, "probabilities": {"1": 0.71, "2": 0.2}, "flags": ["perhaps 1 (71 %)"]}
    document["chromosomes"].remove(by_id[SEVENTEEN])
    for chromosome in document["chromosomes"]:
        if chromosome["label"] == "17":
            chromosome["order"] = 0
    speck = {
        "id": SPECK, "label": "21", "state": "present", "order": 2, **known["speck"], "angle": 0.0, "flip": False,
        "detection_score": 0.19, "score": 0.4, "probabilities": {"21": 0.4, "22": 0.3}, "reviewed": False,
        "flags": ["third copy of 21", "faint: perhaps no chromosome (19 %)"], "source": "machine",
    }  # fmt: skip
    document["chromosomes"].append(speck | {"axis": None, "centromere": None})
    return document


def correct(page: Any, *, hurried: bool = False, after: Callable[[int, Move], Any] | None = None) -> float:
    """Presses the keys on an opened cell page; → seconds from the first decision until the cell shows as accepted.

    hurried: without the pauses of the keystroke-level model.  after(number, move): called after each move; what it
    takes counts, so that whoever times leaves it out.
    """
    pause = (lambda _: None) if hurried else time.sleep
    began = time.perf_counter()
    for number, move in enumerate(MOVES):
        pause(MIND_S)
        for key in move.keys:
            pause(KEY_S)
            page.keyboard.press(key)
        if move.then == "split in two":
            page.locator("#say-text", has_text="Split in two").wait_for()
        if move.then == "accepted":
            page.locator("#decide.accepted").wait_for()
        if after:
            after(number, move)
    return time.perf_counter() - began

"""What people draw is held to the photograph, by the editor and by the server alike."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest

from cases.domain.karyogram_document import EditRefused
from cases.domain.outlines import check_outlines, crosses_itself
from tests.browser import ROOT, module_page
from tests.conftest import chromosome, karyogram_document

TABLE = json.loads((ROOT / "tests" / "contracts" / "outlines.json").read_text())


@pytest.fixture
def modules(browser_page: Any) -> Any:
    return module_page(browser_page)


def edits_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The same outline drawn anew, added, and as one of several changes."""
    reshape = {"op": "reshape", "id": "c01", "rings": row["rings"], "box": row["box"], "axis": None, "centromere": None}
    new = chromosome("c09", "8", 0, rings=row["rings"], box=row["box"])
    del new["order"]
    add = {"op": "add", "chromosome": new, "index": 0}
    return [reshape, add, {"op": "batch", "edits": [{"op": "flip", "id": "c01"}, reshape]}]


def refusal(edit: dict[str, Any]) -> str | None:
    try:
        check_outlines(karyogram_document(), edit)
    except EditRefused as refused:
        return refused.sentence
    return None


def test_the_shared_table(modules: Any) -> None:
    edits = [edit for row in TABLE for edit in edits_of(row)]
    here = [refusal(edit) for edit in edits]
    assert [sentence is not None for sentence in here] == [row["refused"] for row in TABLE for _ in range(3)]
    there = modules.evaluate(
        """async ({ document, edits }) => {
          const { checkOutlines } = await import("/outlines.js");
          return edits.map((edit) => {
            try { checkOutlines(document, edit); return null; } catch (error) { return error.message; }
          });
        }""",
        {"document": karyogram_document(), "edits": edits},
    )
    assert there == here


def plain_crossing(ring: list[list[float]]) -> bool:
    """Every edge against every other: slow, and without a grid to get wrong."""

    def side(a: list[float], b: list[float], c: list[float]) -> float:
        return math.copysign(1, area) if (area := (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])) else 0

    edges = [(point, ring[(index + 1) % len(ring)]) for index, point in enumerate(ring)]
    return any(
        side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
        for index, (a, b) in enumerate(edges)
        for c, d in edges[:index]
    )


def test_random_rings_are_judged_as_by_comparing_every_pair_of_edges(modules: Any) -> None:
    dice = random.Random(11)
    rings = []
    for _ in range(300):
        size = dice.randint(3, 40)
        wobble = dice.choice([0, 0.3, 3, 30])
        rings.append(
            [
                [
                    round(100 + 50 * math.cos(turn) + dice.uniform(-wobble, wobble), 1),
                    round(100 + 50 * math.sin(turn) + dice.uniform(-wobble, wobble), 1),
                ]
                for turn in (2 * math.pi * index / size for index in range(size))
            ]
        )
    expected = [plain_crossing(ring) for ring in rings]
    assert 50 < sum(expected) < 250
    assert [crosses_itself(ring) for ring in rings] == expected
    there = modules.evaluate(
        "async (rings) => rings.map((await import('/outlines.js')).crossesItself)",
        rings,
    )
    assert there == expected

"""Centromeres on one line: printed sheet and page agree, and a wild estimate does not push a row apart."""

from __future__ import annotations

from typing import Any

import pytest

from cases.domain import bands
from cases.reports.standing import lifts
from tests.browser import module_page
from tests.conftest import chromosome


def bar(identifier: str, label: str, height: float, **more: Any) -> dict[str, Any]:
    ring = [[10.0, 20.0], [22.0, 20.0], [22.0, 20.0 + height], [10.0, 20.0 + height]]
    return chromosome(identifier, label, 0, rings=[ring], box=[10, 20, 22, 20 + height], angle=0.0) | more


ROW = [
    bar("c01", "1", 100.0, centromere=0.5, axis=[[16.0, 20.0], [16.0, 120.0]]),
    bar("c02", "4", 80.0, centromere=0.25),
    bar("c03", "5", 60.0),  # not known: by its class
    bar("c04", "2", 90.0, centromere=0.99),  # not believed beyond its class
    bar("c05", "unknown", 40.0, centromere=0.9),  # nobody knows better
    bar("c06", "3", 100.0, centromere=0.4, angle=180.0, axis=[[16.0, 120.0], [16.0, 20.0]]),
]


def test_centromeres_stand_on_one_line() -> None:
    found = lifts(ROW)
    usual = bands.centromere("5")
    below = {
        "c01": 50,
        "c02": 60,
        "c03": 60 * (1 - usual),
        "c04": 90 * (1 - bands.centromere("2") - 0.15),
        "c05": 4,
        "c06": 60,
    }
    for identifier, own in below.items():
        assert found[identifier] == pytest.approx(60 - own, abs=0.6), identifier


def test_without_any_centromere_everyone_stands_on_the_ground() -> None:
    assert lifts([bar("c01", "1", 100.0), bar("c02", "2", 80.0)]) == {}


def test_page_and_printed_sheet_agree(browser_page: Any) -> None:
    answer = module_page(browser_page).evaluate(
        """async (row) => {
          const { CENTROMERES, standing } = await import("/standing.js");
          const found = standing(row);
          return { lifts: [...found.lifts], tall: found.above + found.below, usual: CENTROMERES };
        }""",
        ROW,
    )
    assert dict(answer["lifts"]) == pytest.approx(lifts(ROW), abs=0.6)
    assert answer["tall"] == pytest.approx(50 + 60, abs=0.6)
    assert answer["usual"] == pytest.approx({label: bands.centromere(label) for label in bands.LABELS}, abs=6e-4)


def test_the_printed_sheet_lifts_what_is_drawn() -> None:
    """Two bars of one row, the shorter with its centromere higher: its foot ends above the other's."""
    import numpy as np

    from cases.reports.sheet import render_sheet

    pixels = np.full((200, 200), 255, np.uint8)
    left = bar("c01", "1", 100.0)
    right = bar("c02", "2", 60.0)
    for one, x in ((left, 10), (right, 60)):
        one["rings"] = [[[px + x - 10, py] for px, py in one["rings"][0]]]
        pixels[20 : int(one["box"][3]), x : x + 12] = 30

    def feet(**more: Any) -> list[int]:
        document = {"chromosomes": [left | more, right | more], "note": ""}
        drawn = np.asarray(render_sheet(pixels, document, scale=1.0).convert("L")) < 90
        columns = np.flatnonzero(drawn[:150].sum(axis=0) > 40)
        halves = columns[columns < columns.mean()], columns[columns > columns.mean()]
        return [int(np.flatnonzero(drawn[:150, half[len(half) // 2]]).max()) for half in halves]

    on_ground, on_line = feet(), feet(centromere=0.5)
    assert on_ground[0] == on_ground[1]
    assert on_line[0] - on_line[1] == pytest.approx(100 * 0.5 - 60 * 0.5, abs=2)

"""Outlines drawn, painted and parted in the browser: pixels and back again, and two chromosomes out of one outline."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import numpy as np
import pytest

from cases.reports.geometry import ring_mask
from tests.browser import module_page

WIDTH, HEIGHT, FINE = 260, 200, 4
Ring = list[list[float]]


@pytest.fixture
def modules(browser_page: Any) -> Any:
    return module_page(browser_page)


def covered(rings: list[Ring]) -> np.ndarray:
    """The server's own mask of the rings, four cells to a pixel."""
    fine = [[[x * FINE, y * FINE] for x, y in ring] for ring in rings]
    return ring_mask(fine, HEIGHT * FINE, WIDTH * FINE)


def likeness(one: list[Ring], other: list[Ring]) -> float:
    first, second = covered(one), covered(other)
    return float((first & second).sum() / (first | second).sum())


def bar(x1: float, y1: float, x2: float, y2: float, width: float) -> Ring:
    """A straight chromosome from one end to the other."""
    length = math.hypot(x2 - x1, y2 - y1)
    across = [-(y2 - y1) / length * width / 2, (x2 - x1) / length * width / 2]
    ends = [(x1, y1, 1), (x2, y2, 1), (x2, y2, -1), (x1, y1, -1)]
    return [[x + side * across[0], y + side * across[1]] for x, y, side in ends]


def blob(dice: random.Random) -> list[Ring]:
    """A star-shaped outline of 9 to 40 corners, sometimes with a hole, sometimes over the edge of the picture."""
    x, y = dice.uniform(15, WIDTH - 15), dice.uniform(15, HEIGHT - 15)
    radius, corners = dice.uniform(14, 60), dice.randint(9, 40)
    turns = [math.tau * number / corners for number in range(corners)]
    outer = [[x + math.cos(turn) * (r := radius * dice.uniform(0.6, 1)), y + math.sin(turn) * r] for turn in turns]
    if dice.random() < 0.5:
        return [outer]
    return [outer, [[x + math.cos(turn) * radius * 0.3, y + math.sin(turn) * radius * 0.3] for turn in turns]]


def test_outlines_come_back_from_pixels_as_they_were(modules: Any) -> None:
    dice = random.Random(11)
    shapes = [blob(dice) for _ in range(40)]
    answer = modules.evaluate(
        """async ({ shapes, image }) => {
          const { maskOf, areaOf } = await import("/raster.js");
          const { ringsAround, crosses, boxAround } = await import("/contour.js");
          return shapes.map((shape) => {
            const mask = maskOf(shape, image);
            const rings = ringsAround(mask);
            const again = ringsAround(maskOf(rings, image));
            return { area: areaOf(mask), rings, again, crosses: crosses(rings), box: boxAround(rings) };
          });
        }""",
        {"shapes": shapes, "image": {"width": WIDTH, "height": HEIGHT}},
    )
    for shape, found in zip(shapes, answer, strict=True):
        assert found["area"] == pytest.approx(covered(shape).sum() / FINE**2, rel=1e-3)
        assert likeness(shape, found["rings"]) >= 0.97
        assert likeness(found["rings"], found["again"]) >= 0.98
        assert not found["crosses"]
        assert sum(map(len, found["rings"])) < 400
        x1, y1, x2, y2 = found["box"]
        assert 0 <= x1 < x2 <= WIDTH and 0 <= y1 < y2 <= HEIGHT


def test_pixels_that_touch_at_a_corner_give_rings_that_do_not_touch(modules: Any) -> None:
    rings, crosses = modules.evaluate(
        """async () => {
          const { emptyMask, stamp } = await import("/raster.js");
          const { ringsAround, crosses } = await import("/contour.js");
          const mask = emptyMask({ x1: 0, y1: 0, x2: 40, y2: 40 }, { width: 40, height: 40 });
          for (let row = 0; row < 160; row += 1)
            for (let column = 0; column < 160; column += 1)
              if ((column < 80) === (row < 80)) mask.bits[row * 160 + column] = 1;
          const rings = ringsAround(mask);
          return [rings, crosses(rings)];
        }"""
    )
    assert len(rings) == 2
    assert not crosses


@pytest.mark.parametrize(
    ("rings", "crossing"),
    [
        ([[[0, 0], [10, 0], [10, 10], [0, 10]]], False),
        ([[[0, 0], [10, 10], [10, 0], [0, 10]]], True),  # a bow tie
        ([[[0, 0], [10, 0], [10, 10], [0, 10]], [[2, 2], [5, 2], [5, 5]]], False),  # a hole
        ([[[0, 0], [10, 0], [10, 10], [0, 10]], [[5, 5], [15, 5], [15, 15]]], True),  # a ring over another
        ([[[0, 0], [10, 0], [10, 10], [5, 0], [0, 10]]], True),  # touches its own side
    ],
)
def test_an_outline_that_crosses_itself_is_known(modules: Any, rings: list[Ring], crossing: bool) -> None:
    found = modules.evaluate("async (rings) => (await import('/contour.js')).crosses(rings)", rings)
    assert found is crossing


def test_painting_and_wiping_change_what_the_brush_passes_and_nothing_else(modules: Any) -> None:
    square = [[50.0, 50.0], [90.0, 50.0], [90.0, 150.0], [50.0, 150.0]]
    answer = modules.evaluate(
        """async ({ square, image }) => {
          const { maskOf, grown, stamp, copyOf } = await import("/raster.js");
          const { ringsAround } = await import("/contour.js");
          const mask = maskOf([square], image);
          const line = [[120, 20], [150, 60]];
          const painted = stamp(grown(mask, { x1: 100, y1: 0, x2: 170, y2: 80 }, image), line, 6);
          const wiped = stamp(copyOf(mask), [[40, 100], [100, 100]], 5, 0);
          return { painted: ringsAround(painted), wiped: ringsAround(wiped) };
        }""",
        {"square": square, "image": {"width": WIDTH, "height": HEIGHT}},
    )
    painted, before = covered(answer["painted"]), covered([square])
    assert likeness([square], answer["painted"][:1]) > 0.99
    extra = painted.sum() / FINE**2 - before.sum() / FINE**2
    assert extra == pytest.approx(50 * 12 + math.pi * 36, rel=0.03)  # length × width and a round end each side
    assert len(answer["wiped"]) == 2
    gone = (before.sum() - covered(answer["wiped"]).sum()) / FINE**2
    assert gone == pytest.approx(40 * 10, rel=0.05)


def parted(modules: Any, shape: list[Ring], call: str, *gesture: Any) -> list[list[Ring]] | None:
    found: list[list[Ring]] | None = modules.evaluate(
        """async ({ shape, call, gesture, image }) => {
          const { maskOf, union } = await import("/raster.js");
          const { ringsAround } = await import("/contour.js");
          const split = await import("/split.js");
          const mask = shape.map((ring) => maskOf([ring], image)).reduce((all, one) => union(all, one, image));
          return split[call](mask, ...gesture)?.map(ringsAround) ?? null;
        }""",
        {"shape": shape, "call": call, "gesture": list(gesture), "image": {"width": WIDTH, "height": HEIGHT}},
    )
    return found


def test_a_line_across_parts_two_that_touch(modules: Any) -> None:
    upper, lower = bar(60, 20, 60, 100, 16), bar(60, 100, 110, 160, 16)
    parts = parted(modules, [upper, lower], "splitByLine", [[40, 106], [66, 98], [84, 92]])
    assert parts is not None
    assert max(likeness([upper], part) for part in parts) > 0.85
    assert max(likeness([lower], part) for part in parts) > 0.85


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ([[40, 60], [58, 60]], False),  # ends in the middle
        ([[10, 10], [30, 150]], False),  # beside it
        ([[54, 61], [66, 60]], True),  # a little short of both edges
    ],
)
def test_a_line_parts_only_what_it_crosses(modules: Any, line: Ring, parts: bool) -> None:
    assert (parted(modules, [bar(60, 20, 60, 100, 18)], "splitByLine", line) is not None) is parts


def test_a_click_on_each_parts_two_at_their_neck(modules: Any) -> None:
    one, other = bar(60, 20, 60, 100, 18), bar(76, 70, 76, 170, 16)
    parts = parted(modules, [one, other], "splitBetween", [60, 40], [76, 150])
    assert parts is not None
    assert sum(covered(part).sum() for part in parts) == pytest.approx(
        covered([one]).sum() + covered([other]).sum(), rel=0.03
    )
    assert parted(modules, [one, other], "splitBetween", [60, 40], [200, 150]) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [([115, 350], [163, 375]), ([115, 300], [155, 390]), ([143, 430], [150, 392]), ([163, 375], [115, 350])],
)
def test_two_real_ones_are_parted_wherever_each_is_clicked(modules: Any, one: Any, other: Any) -> None:
    """A 1 and a 17 of a photograph, which lie at each other's side: in the middle, at an end, beside the neck."""
    from tests.technologist import CELL, ONE, SEVENTEEN, corrected

    by_id = {known["id"]: known["rings"] for known in corrected()["chromosomes"]}
    shape = json.loads(CELL.read_text())["touching"]["rings"]
    parts = modules.evaluate(
        """async ({ shape, one, other }) => {
          const { maskOf } = await import("/raster.js");
          const { splitBetween } = await import("/split.js");
          const { ringsAround } = await import("/contour.js");
          return splitBetween(maskOf(shape, { width: 614, height: 760 }), one, other).map(ringsAround);
        }""",
        {"shape": shape, "one": one, "other": other},
    )
    for part, identifier in zip(parts, (ONE, SEVENTEEN), strict=True):
        here, there = (ring_mask(rings, 760, 614) for rings in (part, by_id[identifier]))
        assert (here & there).sum() / (here | there).sum() > 0.85, identifier


def test_two_that_cross_both_keep_the_crossing(modules: Any) -> None:
    one, other = bar(40, 100, 200, 110, 18), bar(110, 30, 130, 190, 16)
    lines = ([[44, 101], [120, 104], [196, 109]], [[111, 35], [128, 185]])
    both = parted(modules, [one, other], "splitAlong", *lines, True)
    assert both is not None
    assert max(likeness([one], part) for part in both) > 0.9
    assert max(likeness([other], part) for part in both) > 0.9
    apart = parted(modules, [one, other], "splitAlong", *lines, False)
    assert apart is not None
    assert not (covered(apart[0]) & covered(apart[1])).sum() > 60 * FINE**2
    assert (covered(both[0]) & covered(both[1])).sum() > 200 * FINE**2


def test_a_line_along_a_chromosome_is_told_from_one_across(modules: Any) -> None:
    shape = [bar(40, 100, 200, 110, 18)]
    along = parted_truth(modules, shape, [[50, 100], [190, 110]])
    across = parted_truth(modules, shape, [[120, 98], [121, 112]])
    outside = parted_truth(modules, shape, [[120, 60], [121, 150]])
    assert (along, across, outside) == (True, False, False)


def parted_truth(modules: Any, shape: list[Ring], line: Ring) -> bool:
    found: bool = modules.evaluate(
        """async ({ shape, line, image }) => {
          const { maskOf } = await import("/raster.js");
          const { runsAlong, dense } = await import("/split.js");
          return runsAlong(maskOf(shape, image), dense(line));
        }""",
        {"shape": shape, "line": line, "image": {"width": WIDTH, "height": HEIGHT}},
    )
    return found


@pytest.mark.parametrize(
    ("top", "bottom", "axis", "centromere"),
    [
        (50, 150, [50, 150], 0.3),  # nothing changed
        (50, 190, [50, 190], 30 / 140),  # painted on at the q end
        (70, 150, [70, 150], 10 / 80),  # wiped off at the p end
        (90, 150, [90, 150], None),  # with the centromere
    ],
)
def test_the_middle_line_follows_ends_that_are_painted_or_wiped(
    modules: Any, top: float, bottom: float, axis: list[float], centromere: float | None
) -> None:
    edit = modules.evaluate(
        """async ({ top, bottom, image }) => {
          const { reshaped } = await import("/tool-edits.js");
          const axis = Array.from({ length: 21 }, (_, index) => [60, 50 + index * 5]);
          const rings = [[[50, top], [70, top], [70, bottom], [50, bottom]]];
          return reshaped({ id: "c01", axis, centromere: 0.3 }, rings, image);
        }""",
        {"top": top, "bottom": bottom, "image": {"width": WIDTH, "height": HEIGHT}},
    )
    assert [edit["axis"][0][1], edit["axis"][-1][1]] == pytest.approx(axis, abs=2)
    assert edit["centromere"] == (pytest.approx(centromere, abs=0.02) if centromere else None)


def test_a_middle_line_that_leaves_the_outline_is_given_up(modules: Any) -> None:
    axis = modules.evaluate(
        """async (image) => {
          const { reshaped } = await import("/tool-edits.js");
          const axis = Array.from({ length: 21 }, (_, index) => [60, 50 + index * 5]);
          const arm = (y) => [[50, y], [70, y], [70, y + 40], [50, y + 40]];
          return reshaped({ id: "c01", axis, centromere: 0.3 }, [arm(50), arm(110)], image).axis;
        }""",
        {"width": WIDTH, "height": HEIGHT},
    )
    assert axis is None

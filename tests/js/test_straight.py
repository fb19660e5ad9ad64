"""Straightened chromosomes: the page and the printed sheet unroll them alike, and the sheet shows what was there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cases.reports import straight
from cases.reports.geometry import ring_mask, upright, upright_height
from cases.reports.standing import lifts
from inference.stages import outline
from inference.stages.axis import describe
from tests.browser import module_page
from tests.conftest import chromosome
from tests.inference.test_axis import bow, cut, tube


@pytest.fixture
def modules(browser_page: Any) -> Any:
    return module_page(browser_page)


def bent(bend: float = 1.7, turn: float = 0.7, **changes: Any) -> dict[str, Any]:
    mask = cut(tube(bow(80, bend, turn), 13))
    found = describe(mask)
    axis = np.round(found.points.astype(float), 1).tolist()
    return chromosome("c01", "1", 0, rings=outline.rings(mask), axis=axis, angle=found.angle, straight=True, **changes)


@pytest.mark.parametrize("upside_down", [False, True])
@pytest.mark.parametrize(("bend", "turn"), [(0.0, 0.3), (1.7, 0.7), (3.0, 4.0)])
def test_page_and_sheet_unroll_alike(modules: Any, bend: float, turn: float, upside_down: bool) -> None:
    one = bent(bend, turn)
    if upside_down:
        one["angle"] = (one["angle"] + 180) % 360
    answer = modules.evaluate(
        """async (one) => {
          const { unrolledRows, isUpsideDown } = await import("/straight.js");
          const { uprightBounds } = await import("/shapes.js");
          const { rows, length } = unrolledRows(one, 90);
          return { length, upside: isUpsideDown(one), size: uprightBounds(one),
                   rows: rows.map((r) => [r.x, r.y, ...r.across, r.left, r.right]) };
        }""",
        one,
    )
    frame = straight.frame(one, 90)
    rows = np.column_stack([frame.middles, frame.across, frame.left, frame.right])
    assert np.allclose(answer["rows"], rows, atol=1e-6)
    assert answer["upside"] is straight.is_upside_down(one) is upside_down
    assert answer["length"] == pytest.approx(upright_height(one))
    assert answer["size"]["height"] == pytest.approx(upright_height(one))
    assert answer["size"]["width"] == pytest.approx(14, abs=2.5)


def test_the_page_draws_what_the_sheet_prints_and_the_bar_is_straight(modules: Any) -> None:
    one = bent(flip=True)
    rows, columns = np.indices((220, 220))
    line = bow(80, 1.7, 0.7)
    nearest = ((columns[..., None] - line[::8, 0]) ** 2 + (rows[..., None] - line[::8, 1]) ** 2).argmin(axis=2)
    pixels = np.where(nearest % 16 < 8, 60, 170).astype(np.uint8)
    printed = upright(pixels, one, 2.0)
    assert printed is not None
    drawn = np.array(
        modules.evaluate(
            """async ({ one, pixels }) => {
              const { drawUpright } = await import("/shapes.js");
              const photograph = document.createElement("canvas");
              photograph.width = photograph.height = 220;
              const data = photograph.getContext("2d").createImageData(220, 220);
              pixels.forEach((grey, at) => data.data.set([grey, grey, grey, 255], 4 * at));
              photograph.getContext("2d").putImageData(data, 0, 0);
              const canvas = document.createElement("canvas");
              drawUpright(canvas, photograph, one, 2);
              const seen = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
              return [canvas.height, canvas.width, ...seen.data];
            }""",
            {"one": one, "pixels": pixels.ravel().tolist()},
        )
    )
    height, width = int(drawn[0]), int(drawn[1])
    seen = drawn[2:].reshape(height, width, 4)
    sheet = printed.grey[1:-1, (printed.width - width) // 2 :][:height, :width]
    cover = printed.cover[1:-1, (printed.width - width) // 2 :][:height, :width]
    both = (seen[: len(sheet), :, 3] > 250) & (cover > 250)
    assert both.mean() > 0.6
    assert np.abs(seen[: len(sheet), :, 0][both].astype(int) - sheet[both]).mean() < 8
    # A bar as wide and as long as the bent one, give or take an edge.
    covered = cover > 127
    assert covered.sum() / 4 == pytest.approx(ring_mask(one["rings"], 220, 220).sum(), rel=0.08)
    middles = (covered * np.arange(width)).sum(axis=1)[8:-8] / covered.sum(axis=1)[8:-8]
    assert np.ptp(middles) < 4.5  # two sheet pixels are one of the picture


def test_a_straight_one_without_an_axis_is_shown_as_it_lies() -> None:
    one = bent()
    pixels = np.full((220, 220), 90, np.uint8)
    as_it_lies = upright(pixels, {**one, "straight": False})
    without = upright(pixels, {key: value for key, value in one.items() if key != "axis"})
    assert as_it_lies is not None and without is not None
    assert np.array_equal(as_it_lies.cover, without.cover)
    assert upright_height(one) > upright_height({**one, "straight": False}) + 3


def test_straightened_ones_stand_on_the_common_line_too() -> None:
    row = [bent(centromere=0.4), {**bent(0.0, 0.7, centromere=0.5), "id": "c02"}]
    raised = lifts(row)
    heights = [upright_height(entry) for entry in row]
    below = [height * (1 - entry["centromere"]) for height, entry in zip(heights, row, strict=True)]
    assert raised["c02"] - raised["c01"] == pytest.approx(below[0] - below[1], abs=0.01)

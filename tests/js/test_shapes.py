"""Geometry: the editor turns and cuts chromosomes as the server's sheet does, and labels keep out of the way."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from cases.reports.geometry import turned
from tests.browser import module_page
from tests.conftest import chromosome


@pytest.fixture
def modules(browser_page: Any) -> Any:
    return module_page(browser_page)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("angle", [0, 12.5, 90, 213.7, 359.99])
def test_upright_is_the_same_on_page_and_printed_sheet(modules: Any, angle: float, flip: bool) -> None:
    points = [[3.0, 4.0], [-20.5, 7.25], [100.0, -50.0]]
    answer = modules.evaluate(
        """async ({ points, angle, flip }) => {
          const { turned } = await import("/shapes.js");
          return points.map((point) => turned(point, angle, flip));
        }""",
        {"points": points, "angle": angle, "flip": flip},
    )
    assert np.allclose(answer, turned(np.array(points), angle, flip))


def test_the_cut_out_has_its_hole_and_is_turned_then_mirrored(modules: Any) -> None:
    """A bar, black on its left and grey on its right, with a hole; turned a quarter clockwise, left comes up."""
    answer = modules.evaluate(
        """async () => {
          const { drawUpright } = await import("/shapes.js");
          const photograph = document.createElement("canvas");
          photograph.width = photograph.height = 60;
          const pen = photograph.getContext("2d");
          pen.fillStyle = "rgb(200,200,200)"; pen.fillRect(0, 0, 60, 60);
          pen.fillStyle = "rgb(10,10,10)"; pen.fillRect(10, 20, 20, 10);
          pen.fillStyle = "rgb(120,120,120)"; pen.fillRect(30, 20, 20, 10);
          const square = (x, y, w, h) => [[x, y], [x + w, y], [x + w, y + h], [x, y + h]];
          const rings = [square(10, 20, 40, 10), square(12, 22, 4, 3)];
          const look = (angle, flip) => {
            const canvas = document.createElement("canvas");
            const size = drawUpright(canvas, photograph, { rings, box: [], angle, flip }, 1);
            const at = (x, y) => [...canvas.getContext("2d").getImageData(x, y, 1, 1).data];
            return { size, top: at(5, 10), bottom: at(5, 35), holeRight: at(6, 3), holeLeft: at(3, 3) };
          };
          return { turned: look(90, false), mirrored: look(90, true) };
        }"""
    )
    quarter, mirrored = answer["turned"], answer["mirrored"]
    assert quarter["size"] == pytest.approx({"width": 10, "height": 40})
    assert quarter["top"] == mirrored["top"] == [10, 10, 10, 255]
    assert quarter["bottom"] == [120, 120, 120, 255]
    assert quarter["holeRight"][3] == 0 and quarter["holeLeft"][3] == 255
    assert mirrored["holeLeft"][3] == 0 and mirrored["holeRight"][3] == 255


def test_labels_of_a_crowded_cell_hide_neither_each_other_nor_chromosomes(modules: Any) -> None:
    dice = random.Random(7)
    chromosomes = []
    for number in range(46):
        x, y = 30 + 80 * (number % 8) + dice.uniform(-8, 8), 30 + 100 * (number // 8) + dice.uniform(-8, 8)
        ring = [[x, y], [x + 16, y], [x + 16, y + 50], [x, y + 50]]
        chromosomes.append(chromosome(f"c{number:02}", str(number % 22 + 1), 0, rings=[ring]))
    places = modules.evaluate(
        """async (chromosomes) => {
          const { placeLabels } = await import("/labels.js");
          return [...placeLabels(chromosomes, { width: 700, height: 660 }, 11)];
        }""",
        chromosomes,
    )
    assert len(places) == 46
    for index, (identifier, (x, y)) in enumerate(places):
        assert 0 < x < 700 and 0 < y < 660
        for one in chromosomes:
            (x1, y1), _, (x2, y2), _ = one["rings"][0]
            assert not (x1 < x < x2 and y1 < y < y2), identifier
        for other, (ox, oy) in places[index + 1 :]:
            assert abs(x - ox) > 7 or abs(y - oy) > 9, (identifier, other)

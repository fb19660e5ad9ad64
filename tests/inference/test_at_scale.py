"""Pictures are scaled by exactly as much as their boxes and masks: nothing lies half a pixel off at the far side."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.backends.boxes import letterbox
from inference.evaluation import segmentation
from inference.protocols import Mask
from inference.stages.window import at_scale
from inference.training.beside_rows import seen_larger
from inference.training.cil import AnnotatedCell, read_grey
from inference.training.cutouts import annotated_scene
from inference.training.scenes import Placed

EDGE, FAR = 6, 30  # pixels from the side, which interpolation bends; columns at either side that are looked at


def _ramp(width: int) -> np.ndarray:
    return np.tile(np.arange(width, dtype=np.float32), (24, 1))


def _off(scaled: np.ndarray, ones: np.ndarray, scale: float) -> float:
    """How far, in pixels of the original, what a scaled ramp shows lies from where it should, at either side."""
    columns = np.arange(EDGE, scaled.shape[1] - EDGE)
    # OpenCV drops shares below a thousandth: a picture of ones is not all ones.
    off = scaled[10, columns] / ones[10, columns] - ((columns + 0.5) / scale - 0.5)
    return float(max(abs(off[:FAR].mean()), abs(off[-FAR:].mean())))


@given(st.integers(100, 1400), st.floats(0.6, 2.5))
@settings(deadline=None, max_examples=60)
def test_a_picture_is_scaled_by_exactly_so_much(width: int, scale: float) -> None:
    ramp, ones = _ramp(width), np.ones((24, width), np.float32)
    for scaled in (at_scale, seen_larger) if scale > 1 else (at_scale,):
        assert _off(scaled(ramp, scale), scaled(ones, scale), scale) < 0.1


def test_a_picture_of_next_to_nothing_stays_a_picture() -> None:
    assert at_scale(np.full((1, 1), 7, np.uint8), 0.2).tolist() == [[7]]
    assert at_scale(np.full((1, 40), 7, np.uint8), 0.4).shape == (1, 16)


@pytest.mark.parametrize("width", [333, 641, 977])
def test_a_box_comes_back_from_the_square_to_where_it_was(width: int) -> None:
    pixels = np.full((1000, width), 230, np.uint8)
    pixels[900:960, width - 60 : width - 30] = 30
    square, laid = letterbox(pixels, 800)
    dark = (230 - np.where(square == 114, 230, square).astype(float)).sum(axis=0)  # the grey around is no picture
    middle = (dark * (np.arange(800) + 0.5)).sum() / dark.sum()
    back = laid.to_original(np.array([[0, 0, middle, 10]]), width, 1000)
    assert back[0, 2] == pytest.approx(width - 45, abs=0.1)


@pytest.mark.parametrize("scale", [0.93, 1.137, 1.4997])
def test_a_made_scene_shows_a_chromosome_where_its_mask_is(scale: float) -> None:
    pixels = np.full((401, 703), 230, np.uint8)
    down, across = np.mgrid[:401, :703]
    disc = (down - 340.0) ** 2 + (across - 640.0) ** 2 < 30**2
    pixels[disc] = 60
    one = Mask(600, 300, disc[300:390, 600:690], 1.0)
    truth = segmentation._enlarged(
        segmentation.Truth("x", pixels, np.array([[605, 305, 675, 375]], np.float32), [Placed(one, None)]), scale
    )
    shown = truth.pixels < 145
    mask = truth.known[0].mask.full(*shown.shape)
    assert np.argwhere(shown).mean(axis=0) == pytest.approx(np.argwhere(mask).mean(axis=0), abs=0.1)


def test_a_scene_made_of_a_cell_shows_each_chromosome_where_its_mask_is(held_out: list[AnnotatedCell]) -> None:
    """Cut at one darkness, so their rims are as dark on all sides: a picture half a pixel off would show them darker
    on one."""
    for cell in held_out:
        scene = annotated_scene(cell.name, read_grey(cell.image), cell.boxes)
        sides = np.mean([_rims(scene.density, mask) for mask in scene.masks], axis=0)
        assert np.ptp(sides) < 12, cell.name


def _rims(density: np.ndarray, mask: Mask) -> list[float]:
    """How dark a mask's rim is on the right, left, lower and upper side, on average."""
    bits = mask.full(*density.shape)
    found = []
    for shift, axis in ((1, 1), (-1, 1), (1, 0), (-1, 0)):
        rim = bits & ~np.roll(bits, -shift, axis)
        found.append(float(density[rim].mean()))
    return found


def test_no_chromosome_of_a_made_scene_is_asked_for_twice(held_out: list[AnnotatedCell]) -> None:
    for cell, truth in zip(held_out, segmentation.made_scenes(held_out), strict=True):
        scene = annotated_scene(cell.name, read_grey(cell.image), cell.boxes)
        laid = len(truth.known) - len(scene.masks)
        assert len(truth.boxes) == len(cell.boxes) + laid

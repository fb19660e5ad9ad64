"""Stages one by one: load, quality, orient, outline, assign."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.reports.geometry import ring_mask, turned
from inference.labels import CHROMOSOMES
from inference.protocols import Detections, Mask
from inference.stages.assign import SEXES, name_cell, place_cost
from inference.stages.axis import describe
from inference.stages.load import light_ground
from inference.stages.outline import box_mask, rings, touching
from inference.stages.quality import BLURRED, has_nucleus, is_blank, is_noise, note, sharpness
from inference.training.cil import AnnotatedCell
from karyosite.imaging import read_grey
from tests.inference.conftest import drawn_cell

# ---- load and quality


def test_fluorescence_is_turned_over_and_bright_field_left_alone(held_out: list[AnnotatedCell]) -> None:
    for cell in held_out:
        pixels = read_grey(cell.image)
        same, inverted = light_ground(pixels)
        assert not inverted and same is pixels
        dark_ground = (0.4 * (255 - pixels)).astype(np.uint8)
        turned_over, inverted = light_ground(dark_ground)
        assert inverted and np.median(turned_over) > 200
        assert np.corrcoef(turned_over[::5, ::5].ravel(), pixels[::5, ::5].ravel())[0, 1] > 0.97


@pytest.mark.parametrize("value", [0, 90, 255])
def test_an_even_field_is_blank_and_stays_as_it_is(value: int) -> None:
    flat = np.full((200, 200), value, np.uint8)
    assert is_blank(flat) and light_ground(flat)[0] is flat
    noise = np.random.default_rng(0).normal(value, 3, (200, 200))
    assert is_blank(np.clip(noise, 0, 255).astype(np.uint8))


def detections(count: int, score: float) -> Detections:
    shares = np.full((count, 24), 1 / 24, np.float32)
    return Detections(np.zeros((count, 4), np.float32), np.full(count, score, np.float32), shares)


def test_the_note_says_what_is_wrong_with_the_whole_picture(held_out: list[AnnotatedCell]) -> None:
    import cv2

    pixels = read_grey(held_out[0].image)
    assert not is_blank(pixels)
    assert note(pixels, detections(46, 0.8)) == ""
    assert "Only 7 chromosomes" in note(pixels, detections(7, 0.8))
    assert "Only 1 chromosome found" in note(pixels, detections(1, 0.8))
    assert "does not look like a metaphase" in note(pixels, detections(30, 0.2))
    assert note(cv2.GaussianBlur(pixels, (0, 0), 6), detections(46, 0.8)) == BLURRED
    assert sharpness(pixels) > 0.11
    assert is_noise(detections(30, 0.2)) and not is_noise(detections(30, 0.4)) and not is_noise(detections(0, 0))


def test_an_interphase_nucleus_alone_is_named() -> None:
    import cv2

    field = np.full((500, 600), 225, np.uint8)
    assert not has_nucleus(field)
    cv2.ellipse(field, (300, 250), (130, 100), 20, 0, 360, 120, -1)
    assert has_nucleus(field)
    assert "interphase" in note(field, detections(0, 0))
    assert "does not seem to show a metaphase" in note(drawn_cell()[0], detections(0, 0))


# ---- orient


def waisted(angle: float, short: float = 0.3) -> Mask:
    """A chromosome 90 × 16 whose waist lies `short` of its length from the p end, lying so that `angle` sets it up."""
    length = 90.0
    waist = -length / 2 + short * length
    outline = [(-8, -45), (8, -45), (8, waist - 5), (4, waist), (8, waist + 5), (8, 45)]
    outline += [(-8, 45), (-8, waist + 5), (-4, waist), (-8, waist - 5)]
    points = turned(np.array(outline, float), -angle, False) + 60
    return Mask(0, 0, ring_mask([points.tolist()], 120, 120), 1.0)


@pytest.mark.parametrize("angle", [0.0, 20.0, 75.0, 90.0, 130.0, 180.0, 211.0, 270.0, 333.0])
def test_the_short_arm_comes_up(angle: float) -> None:
    found = describe(waisted(angle)).angle
    assert 0 <= found < 360
    assert abs((found - angle + 180) % 360 - 180) < 4


def test_shapes_without_an_axis_still_get_an_angle() -> None:
    for bits in (np.zeros((0, 0), bool), np.ones((1, 1), bool), np.ones((20, 20), bool), np.ones((1, 40), bool)):
        assert 0 <= describe(Mask(3, 4, bits, 1.0)).angle < 360


# ---- outline


def test_outlines_fill_to_the_mask_they_were_drawn_from() -> None:
    pixels, _, true = drawn_cell()
    for mask in true:
        rows, columns = np.nonzero(mask)
        top, left = rows.min(), columns.min()
        cut = Mask(int(left), int(top), mask[top : rows.max() + 1, left : columns.max() + 1], 1.0)
        filled = ring_mask(rings(cut), *pixels.shape)
        assert (filled & mask).sum() / (filled | mask).sum() > 0.93
        assert sum(map(len, rings(cut))) < 75


def test_holes_are_rings_and_empty_masks_have_none() -> None:
    bits = np.ones((30, 30), bool)
    bits[10:20, 10:20] = False
    found = rings(Mask(5, 7, bits, 1.0))
    assert len(found) == 2
    filled = ring_mask(found, 60, 60)
    assert not filled[7 + 15, 5 + 15] and abs(int(filled.sum()) - 800) < 40
    assert rings(Mask(0, 0, np.zeros((0, 0), bool), 0.0)) == []
    assert rings(Mask(0, 0, np.ones((1, 1), bool), 0.0)) != []


def test_touching_is_mutual_and_needs_contact() -> None:
    one = Mask(0, 0, np.ones((20, 10), bool), 1.0)
    beside = Mask(10, 0, np.ones((20, 10), bool), 1.0)
    apart = Mask(23, 0, np.ones((20, 10), bool), 1.0)
    corner = Mask(10, 18, np.ones((20, 10), bool), 1.0)
    assert touching([one, beside, apart]) == [{1}, {0}, set()]
    assert touching([one, corner])[0] == set()
    assert touching([]) == []


def test_the_box_stands_in_for_a_mask_within_the_picture() -> None:
    mask = box_mask(np.array([-3.0, 5.5, 40.2, 300.0]), 100, 80)
    assert (mask.left, mask.top, mask.bits.shape) == (0, 5, (95, 41))


# ---- assign


def shares(*likely: dict[str, float]) -> np.ndarray:
    rows = np.zeros((len(likely), 24))
    for row, entry in zip(rows, likely, strict=True):
        for label, share in entry.items():
            row[CHROMOSOMES.index(label)] = share
        row += (1 - row.sum()) / 24
    return rows


def whole_cell(
    *, without: tuple[str, ...] = (), plus: tuple[str, ...] = (), sex: str = "XX", sure: float = 0.9
) -> list[dict[str, float]]:
    labels = [str(number) for number in range(1, 23) for _ in (0, 1)] + list(sex) + list(plus)
    for label in without:
        labels.remove(label)
    return [{label: sure} for label in labels]


def named(likely: list[dict[str, float]]) -> list[str]:
    return sorted(name.label for name in name_cell(shares(*likely)))


@pytest.mark.parametrize(
    ("without", "plus", "sex"),
    [
        ((), (), "XX"),
        ((), (), "XY"),
        ((), ("21",), "XX"),
        ((), ("8", "8", "21"), "XY"),
        (("7",), (), "XX"),
        ((), (), "X"),
        ((), (), "XXY"),
        ((), (), "XYY"),
        (("13", "14"), ("18",), "XXX"),
        ((), (), ""),
        (("7",), ("8",), "XX"),
        ((), ("13",), "X"),
    ],
)
def test_gains_and_losses_survive(without: tuple[str, ...], plus: tuple[str, ...], sex: str) -> None:
    """A gain alone or a loss alone of itself; both at once, which leave 46, where all are as sure as most are."""
    both = bool(plus or len(sex) > 2) and bool(without or len(sex) < 2)
    likely = whole_cell(without=without, plus=plus, sex=sex, sure=0.9995 if both else 0.9)
    assert named(likely) == sorted(next(iter(entry)) for entry in likely)


def test_a_third_copy_beside_a_single_one_of_another_has_to_be_sure_and_is_asked_about_otherwise() -> None:
    likely = [*whole_cell(without=("22",), sure=0.9995), {"19": 0.99, "22": 0.008}]
    names = name_cell(shares(*likely))
    assert names[-1].label == "22" and names[-1].flags == ("looks like 19 (99 %), placed as 22 (1 %)",)
    assert sorted(name.label for name in names) == named(whole_cell())


def test_of_a_fragment_nobody_knows_what_is_short() -> None:
    assert named([{"21": 0.9}] * 8) == ["21"] * 8
    assert place_cost("21", 3, SEXES[0], 8) < place_cost("21", 3, SEXES[0], 35) < place_cost("21", 3, SEXES[0], 46)


@pytest.mark.parametrize("sex", ["XX", "XY"])
def test_what_is_one_too_many_is_no_sex_chromosome_because_either_sex_is_usual(sex: str) -> None:
    likely = [*whole_cell(sex=sex), {"22": 0.9, "X": 0.04, "Y": 0.04}]
    assert named(likely) == named(whole_cell(sex=sex, plus=("22",)))


def test_a_third_copy_is_kept_and_flagged_once() -> None:
    likely = [*whole_cell(without=("21", "21")), {"21": 0.95}, {"21": 0.9}, {"21": 0.8, "22": 0.1}]
    names = name_cell(shares(*likely))[-3:]
    assert [name.label for name in names] == ["21"] * 3
    assert [name.copy for name in names] == [1, 2, 3]
    assert [[flag for flag in name.flags if "copy" in flag] for name in names] == [[], [], ["third copy of 21"]]


def test_a_doubtful_one_goes_to_the_place_that_is_free_and_says_so() -> None:
    likely = [{"21": 0.9}, {"21": 0.9}, {"22": 0.9}, {"21": 0.5, "22": 0.4}]
    names = name_cell(shares(*likely))
    assert names[3].label == "22"
    assert names[3].flags == ("looks like 21 (50 %), placed as 22 (40 %)",)


def test_reasons_are_in_words() -> None:
    names = name_cell(shares({"8": 0.71, "X": 0.26}, {"8": 0.99}, {"3": 0.9}))
    assert names[0].flags == ("between 8 (71 %) and X (26 %)",)
    assert names[1].flags == ()
    assert names[2].flags == ()
    assert name_cell(np.zeros((0, 24))) == []


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.integers(0, 10**6))
def test_every_chromosome_gets_one_name_and_none_is_lost(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = name_cell(rng.dirichlet(np.full(24, 0.3), count))
    assert len(names) == count
    for label in {name.label for name in names}:
        copies = sorted(name.copy for name in names if name.label == label)
        assert copies == list(range(1, len(copies) + 1))
    assert all(0 <= name.score <= 1 for name in names)

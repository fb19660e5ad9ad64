"""Masks that scenes are made of keep their edge through scaling and turning."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np

from inference.protocols import Mask
from inference.training.cutouts import Exact, Scene, keep, kept, shrunk, softened, tight_boxes
from inference.training.scenes import crop_of, donor


def _slanted(angle: float) -> Mask:
    """A rod of 60 by 18 pixels."""
    down, across = np.mgrid[-40:40, -40:40]
    along = across * np.cos(angle) + down * np.sin(angle)
    beside = down * np.cos(angle) - across * np.sin(angle)
    return Mask(30, 20, (np.abs(along) < 30) & (np.abs(beside) < 9), 1.0)


def _there_and_back(mask: Mask) -> float:
    return shrunk(shrunk(mask, 0.73), 1.31).iou(shrunk(mask, 0.73 * 1.31))


def test_a_mask_scaled_twice_is_the_mask_scaled_once() -> None:
    angles = np.linspace(0.1, 1.5, 9)
    exact = np.mean([_there_and_back(softened(_slanted(angle))) for angle in angles])
    drawn_anew = np.mean(
        [
            shrunk(Mask(one.left, one.top, one.bits, 1.0), 1.31).iou(shrunk(_slanted(angle), 0.73 * 1.31))
            for angle in angles
            for one in [shrunk(_slanted(angle), 0.73)]
        ]
    )
    assert exact > 0.99 > drawn_anew + 0.005


def test_softening_moves_no_edge_and_a_tight_box_ignores_the_room_around() -> None:
    mask = _slanted(0.4)
    soft = softened(mask)
    assert soft.iou(mask) > 0.985
    assert np.abs(tight_boxes([soft]) - tight_boxes([mask])).max() <= 1
    assert soft.bits.shape[0] == mask.bits.shape[0] + 6


def test_scenes_are_kept_with_their_edges_and_earlier_ones_are_still_read(tmp_path: Path) -> None:
    mask = softened(_slanted(0.7))
    scene = Scene("a", np.zeros((140, 160), np.uint8), [mask], tight_boxes([mask]), False)
    keep([scene], tmp_path / "scenes.npz")
    (back,) = kept(tmp_path / "scenes.npz")
    (one,) = back.masks
    assert isinstance(one, Exact) and np.array_equal(one.share, mask.share) and np.array_equal(one.bits, mask.bits)
    with np.load(tmp_path / "scenes.npz") as parts:  # as an earlier version cut them
        earlier: Any = {name: parts[name] for name in parts if not name.endswith(".shares")}
    earlier["0.bits"] = np.packbits(mask.bits.ravel())
    np.savez(tmp_path / "earlier.npz", **earlier)
    assert np.array_equal(kept(tmp_path / "earlier.npz")[0].masks[0].bits, mask.bits)


def test_what_is_laid_into_a_scene_lies_where_its_density_is() -> None:
    mask = softened(_slanted(0.5))
    density = np.zeros((140, 160), np.uint8)
    density[mask.top : mask.top + mask.bits.shape[0], mask.left : mask.left + mask.bits.shape[1]] = mask.share
    scene = Scene("a", density, [mask], tight_boxes([mask]), False)
    for number in range(12):
        patch, share = donor(scene, 0, random.Random(number))
        assert patch.shape == share.shape
        both = ((patch > 127) & (share > 127)).sum()
        assert both / ((patch > 127) | (share > 127)).sum() > 0.95
        crop = crop_of(scene, 120, random.Random(number))
        for one in crop.placed:
            seen = crop.density > 127
            assert (one.mask.full(*seen.shape) & seen).sum() / (one.mask.full(*seen.shape) | seen).sum() > 0.95

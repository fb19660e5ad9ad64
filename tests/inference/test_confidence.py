"""Scores that come true, and what is left unnamed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from inference import registry
from inference.backends import weights
from inference.evaluation.calibration import choose, reliability
from inference.evaluation.cells import STAGES, Observation
from inference.stages.assign import name_cell
from inference.stages.confidence import Calibration, log_odds, name_known


def shares(*rows: dict[int, float]) -> np.ndarray:
    table = np.full((len(rows), 24), 1e-4)
    for table_row, row in zip(table, rows, strict=True):
        for index, value in row.items():
            table_row[index] = value
    return table / table.sum(axis=1, keepdims=True)


def test_the_margin_is_what_another_name_would_cost_the_cell() -> None:
    sure, split = name_cell(shares({0: 0.98, 1: 0.02}, {3: 0.5, 4: 0.45}))
    assert sure.margin > split.margin == pytest.approx(np.log(0.5 / 0.45), abs=1e-6)
    # Three that look like 21; a fourth wavers between 21 and 22: with the 21s filled it is surely the 22.
    names = name_cell(shares({20: 0.9}, {20: 0.9}, {20: 0.9}, {20: 0.5, 21: 0.5}))
    assert [name.label for name in names] == ["21", "21", "21", "22"] and names[3].margin > 1.5


def test_scores_are_as_the_models_say_unless_something_was_fitted() -> None:
    table, presence = shares({0: 0.7, 1: 0.3}), np.array([0.6], np.float32)
    (plain,) = name_known(table, presence, Calibration(), name_cell)
    assert plain.score == pytest.approx(0.7, abs=0.01) and Calibration().is_there(presence) is presence
    fitted = Calibration(of_share=0.5, of_margin=1.0, offset=1.0, presence_slope=1.5, presence_offset=2.0)
    (scaled,) = name_known(table, presence, fitted, name_cell)
    odds = 0.5 * log_odds(plain.score) + plain.margin + 1.0
    assert scaled.score == pytest.approx(1 / (1 + np.exp(-odds))) and scaled.label == plain.label
    assert 0.9 < fitted.is_there(presence)[0] < 1
    assert fitted.is_there(np.array([0.0, 0.2, 0.5, 1.0])).tolist() == sorted(
        fitted.is_there(np.array([0, 0.2, 0.5, 1]))
    )


def test_what_looks_like_no_class_stays_unknown_and_takes_no_ones_place() -> None:
    table = np.concatenate([shares({5: 0.97}, {5: 0.96}), np.full((1, 24), 1 / 24), shares({5: 0.3, 6: 0.3, 7: 0.3})])
    strict = Calibration(unknown_below=0.35)
    names = name_known(table, np.full(4, 0.9), strict, name_cell)
    assert [name.label for name in names] == ["6", "6", "unknown", "unknown"]
    assert [name.copy for name in names] == [1, 2, 1, 2]
    assert all("no class" in name.flags[0] for name in names[2:])
    assert "unknown" not in [name.label for name in name_known(table, np.full(4, 0.9), Calibration(), name_cell)]
    assert name_known(np.zeros((0, 24)), np.zeros(0), strict, name_cell) == []


def test_a_person_is_asked_about_what_is_perhaps_no_chromosome() -> None:
    table, presence = shares({2: 0.9}), np.array([0.2])
    asked = "perhaps no chromosome, or not rightly cut ({} % sure)"
    (doubted,) = name_known(table, presence, Calibration(), name_cell)
    assert doubted.flags == (asked.format(20),)
    # A detector's word is worth what it is worth: 0.5 is no doubt where nothing was fitted, and one where it was.
    (kept,) = name_known(table, np.array([0.5]), Calibration(), name_cell)
    assert kept.flags == ()
    (kept,) = name_known(table, presence, Calibration(presence_slope=1.7, presence_offset=3.3), name_cell)
    assert kept.flags == ()
    (doubted,) = name_known(table, np.array([0.5]), Calibration(presence_slope=1.0, presence_offset=0.5), name_cell)
    assert doubted.flags == (asked.format(62),)
    (doubted,) = name_known(table, np.array([0.99]), Calibration(), name_cell, is_there=np.array([0.69]))
    assert doubted.flags == (asked.format(69),)


def test_a_person_is_asked_about_a_name_that_is_less_sure_than_it_looks() -> None:
    """Each looks like a class by 0.9 and another by nearly nothing; by what the cell has it is worth less."""
    table, presence = shares({2: 0.9}), np.array([0.99])
    (named,) = name_known(table, presence, Calibration(), name_cell)
    fitted = Calibration(of_share=0.0, of_margin=1.0, offset=-named.margin + 2.0)
    (doubted,) = name_known(table, presence, fitted, name_cell)
    assert named.flags == () and doubted.flags == ("only 88 % sure of this name",)
    (sure,) = name_known(table, presence, Calibration(of_margin=1.0, offset=-named.margin + 4.0), name_cell)
    assert sure.flags == ()
    # What has its reason already is not asked about twice.
    (between,) = name_known(shares({2: 0.5, 3: 0.45}), presence, fitted, name_cell)
    assert len(between.flags) == 1 and between.flags[0].startswith("between")


def test_reliability_counted_by_hand() -> None:
    measured = reliability(np.array([0.95, 0.95, 0.95, 0.95, 0.45]), np.array([True, True, True, False, True]), bins=10)
    assert measured.error == pytest.approx((4 * 0.2 + 1 * 0.55) / 5)
    assert np.isnan(reliability(np.zeros(0), np.zeros(0, bool)).error)


def drawn_observations(cells: int = 40) -> list[Observation]:
    """Models that are too timid: what they say at 50 % is right in 9 of 10; one box in ten is nothing and is faint."""
    rng = np.random.default_rng(4)
    seen = []
    for _ in range(cells):
        count = 46
        real = rng.random(count) < 0.9
        share = np.where(rng.random(count) < 0.5, 0.5, 0.9)
        right = rng.random(count) < np.where(share == 0.5, 0.9, 0.99)
        pooled = np.full((count, 24), 0.0)
        truth = rng.integers(0, 23, count)
        named = np.where(right, truth, truth + 1)
        pooled[np.arange(count), named] = share
        pooled[np.arange(count), 23 - named] += 1 - share
        pairs = np.stack([np.flatnonzero(real), np.arange(int(real.sum()))], axis=1)
        boxes = np.zeros((count, 4), np.float32)
        presence = np.where(real, 0.5, 0.1)
        seen.append(
            Observation(
                name="drawn",
                image=Path("drawn.png"),
                truth_boxes=boxes[real],
                truth=truth[real],
                boxes=boxes,
                named={STAGES[-1]: named},
                probabilities={STAGES[-1]: pooled},
                detection_scores=presence,
                scores=share,
                flagged=np.zeros(count, bool),
                pairs=pairs,
                margins=log_odds(share),
                presence=presence,
            )  # fmt: skip
        )
    return seen


def test_the_fit_makes_scores_come_true_on_cells_it_did_not_see() -> None:
    chosen = choose(drawn_observations())
    assert chosen["name_ece"]["before"] > 0.1 > 0.02 > chosen["name_ece"]["after"]
    assert chosen["detection_ece"]["before"] > 0.3 > 0.03 > chosen["detection_ece"]["after"]
    assert chosen["unknown"]["of_annotated"] <= 0.001
    made = Calibration.of(chosen["detector"]["calibration"] | chosen["classifier"]["calibration"])
    assert set(dataclasses.asdict(made)) - {"presence", "context", "frame"} == {
        *chosen["detector"]["calibration"],
        *chosen["classifier"]["calibration"],
    }
    with pytest.raises(ValueError, match="Too few"):
        choose(drawn_observations(1))


def test_a_calibration_counts_only_for_the_pair_it_was_fitted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {
        "detector": [{"name": "d", "version": "1", "calibration": {"presence_slope": 2.0}}],
        "classifier": [{"name": "c", "version": "1", "calibration": {"detector": "d 1", "of_margin": 3.0}}],
    }
    monkeypatch.setattr(weights, "entries", lambda role, *_: entries.get(role, []))

    def model(role: str, name: str) -> Any:
        return SimpleNamespace(info=SimpleNamespace(role=role, name=name, version="1"))

    both = registry.calibration(model("detector", "d"), model("classifier", "c"))
    assert (both.presence_slope, both.of_margin) == (2.0, 3.0)
    other = registry.calibration(model("detector", "own"), model("classifier", "c"))
    assert other == Calibration()
    assert registry.calibration(model("detector", "d"), None) == Calibration(presence_slope=2.0)

"""All candidates of a cell judged together: what is told of them, what is learned, and what the shipped judge does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference import registry
from inference.backends import weights
from inference.backends.judge import CellJudge
from inference.evaluation.cells import evaluate
from inference.labels import CHROMOSOMES
from inference.pipeline import analyse
from inference.protocols import AnalysisError, Detections, Looks, Mask, ModelInfo, Proposal
from inference.stages.classify import looks
from inference.stages.cut import cut_all
from inference.stages.presence import settle, shared_areas
from inference.stages.scale import detect_at_usual_scale
from inference.stages.together import PAIRS, ROWS, Described, describe, regions
from inference.training.cil import AnnotatedCell
from inference.training.judged import Judged, keep, load, look, sizes
from karyosite.imaging import read_grey
from tests.inference.conftest import shipped

WITHIN = PAIRS.index("share of the one's mask within the other's")
INFO = ModelInfo("judge", "trial", "1", "0" * 64)


@st.composite
def cuts(draw: st.DrawFn) -> list[Mask]:
    """One to six masks of any shape within 60 × 60 pixels; some may be empty."""
    made = []
    for _ in range(draw(st.integers(1, 6))):
        left, top, width, height = (draw(st.integers(low, 24)) for low in (0, 0, 1, 1))
        grain = np.random.default_rng(draw(st.integers(0, 9)))
        made.append(Mask(left, top, grain.random((height, width)) < draw(st.sampled_from([0, 0.3, 0.9])), 0.8))
    return made


def found(masks: list[Mask]) -> tuple[np.ndarray, Detections, Looks]:
    """A picture and what else is known of the cuts, drawn from fixed numbers."""
    grain = np.random.default_rng(len(masks))
    pixels = grain.integers(0, 255, (60, 60)).astype(np.uint8)
    boxes = np.array([[m.left, m.top, m.left + m.bits.shape[1], m.top + m.bits.shape[0]] for m in masks], np.float32)
    names = grain.dirichlet(np.full(24, 0.2), len(masks)).astype(np.float32)
    scores = grain.uniform(0.01, 0.99, len(masks)).astype(np.float32)
    return pixels, Detections(boxes, scores, names), Looks(names, scores[::-1].copy())


@given(cuts())
def test_regions_are_what_the_same_cuts_cover(masks: list[Mask]) -> None:
    covers, sizes, density = regions(found(masks)[0], masks)
    union = np.any([mask.full(60, 60) for mask in masks], axis=0)
    assert sizes.sum() == union.sum()
    shared = (covers.T * sizes) @ covers
    np.testing.assert_array_equal(np.diag(shared), [mask.bits.sum() for mask in masks])
    np.fill_diagonal(shared, 0)
    np.testing.assert_array_equal(shared, shared_areas(masks))
    assert ((density >= 0) & (density <= 255)).all()


@given(cuts(), st.randoms(use_true_random=False))
def test_what_is_told_does_not_depend_on_the_order(masks: list[Mask], random: Any) -> None:
    pixels, boxes, seen = found(masks)
    boxes = replace(boxes, scores=np.linspace(0.1, 0.9, len(masks)).astype(np.float32))  # no two alike
    order = list(range(len(masks)))
    random.shuffle(order)
    told = describe(pixels, boxes, masks, seen)
    again = describe(
        pixels,
        Detections(boxes.boxes[order], boxes.scores[order], boxes.probabilities[order]),
        [masks[row] for row in order],
        Looks(seen.probabilities[order], None if seen.whole is None else seen.whole[order]),
    )
    assert np.isfinite(told.rows).all() and np.isfinite(told.pairs).all()
    assert told.rows.shape == (len(masks), len(ROWS)) and told.pairs.shape == (len(masks), len(masks), len(PAIRS))
    np.testing.assert_allclose(again.rows, told.rows[order], atol=1e-4)
    np.testing.assert_allclose(again.pairs, told.pairs[order][:, order], atol=1e-4)
    np.testing.assert_array_equal(again.near, told.near[order][:, order])


def test_a_piece_lies_within_the_whole_and_darker_where_two_cross() -> None:
    across, down = Mask(10, 25, np.ones((10, 40), bool), 0.9), Mask(25, 10, np.ones((40, 10), bool), 0.9)
    piece = Mask(10, 25, np.ones((10, 10), bool), 0.9)
    pixels = np.full((60, 60), 220, np.uint8)
    pixels[25:35, 10:50] -= 80
    pixels[10:50, 25:35] -= 80
    _, boxes, seen = found([across, down, piece])
    told = describe(pixels, boxes, [across, down, piece], seen)
    assert told.pairs[2, 0, WITHIN] == 1 and told.pairs[0, 2, WITHIN] == pytest.approx(0.25)
    assert told.pairs[0, 1, -1] == pytest.approx(1, abs=0.01), "twice as dark as the rest"
    assert told.near[0, 1] == told.near[0, 2] == 1 and told.near[1, 2] == 0


def cell_of(seed: int) -> Judged:
    """A made cell of 24 chromosomes, each found twice; which of the two boxes is a hair better says nothing else."""
    grain = np.random.default_rng(seed)
    masks, scores, fits, names = [], [], [], []
    for place in range(24):
        left, top = 20 * (place % 6), 40 * (place // 6)
        for second in (0, 1):
            masks.append(Mask(left + second, top, np.ones((30, 10), bool), 0.9))
            scores.append(grain.uniform(0.4, 0.9))
            fits.append(np.where(np.arange(24) == place, 0.8 + 0.01 * second, 0))
            names.append(np.where(np.arange(24) == place, 0.9, 0.1 / 23))
    boxes = np.array([[m.left, m.top, m.left + 10, m.top + 30] for m in masks], np.float32)
    probabilities = np.array(names, np.float32)
    pixels = np.full((170, 130), 230, np.uint8)
    for mask in masks:
        pixels[mask.top : mask.top + 30, mask.left : mask.left + 10] = 120
    looked = Looks(probabilities, grain.uniform(0.4, 0.9, len(masks)).astype(np.float32))
    described = describe(pixels, Detections(boxes, np.array(scores, np.float32), probabilities), masks, looked)
    return Judged(described, np.array(fits, np.float32))


def test_of_several_that_fit_the_favourite_is_the_right_one() -> None:
    from inference.training.judge import targets

    fits = np.array([[0.9, 0], [0.8, 0], [0, 0.7], [0.4, 0.3]])
    assert targets(np.array([-1.0, 2.0, -3.0, 5.0]), fits).tolist() == [0, 1, 1, 0]
    assert targets(np.array([1.0, 1.0, -3.0, 5.0]), fits).tolist() == [1, 0, 1, 0], "the better box where both do"
    assert targets(np.array([1.0, 1.0]), np.zeros((2, 0))).tolist() == [0, 0]


@pytest.mark.models
def test_it_learns_to_take_one_of_two_and_its_file_says_the_same(tmp_path: Path) -> None:
    """No candidate's own numbers say which of the two is right: that the other is there has to be heard."""
    from inference.training import judge

    cells = [cell_of(seed) for seed in range(12)]
    losses: list[float] = []
    model = judge.train(cells, epochs=14, batch=2, rate=1e-2, faint=0, real=0, say=lambda _, loss: losses.append(loss))
    assert losses[-1] < 0.5 * losses[0]
    fresh = cell_of(99).described
    taken = judge.odds_of([model], fresh).reshape(24, 2) > 0
    assert (taken.sum(axis=1) == 1).sum() >= 20, taken
    further = judge.train(cells, epochs=1, batch=2, rate=1e-4, faint=0, real=0, begun=model)
    judge.export([model, further], tmp_path / "judge.onnx")
    shipped = CellJudge(tmp_path / "judge.onnx", INFO, temperature=1.0, threads=1)
    said = shipped._session.run(None, vars(fresh))[0]
    np.testing.assert_allclose(said, judge.odds_of([model, further], fresh), atol=1e-3)
    first, second = judge.read(tmp_path / "judge.onnx")
    np.testing.assert_allclose(judge.odds_of([first], fresh), judge.odds_of([model], fresh), atol=1e-4)
    np.testing.assert_allclose(judge.odds_of([second], fresh), judge.odds_of([further], fresh), atol=1e-4)
    moved = np.abs(judge.odds_of([second], fresh) - judge.odds_of([first], fresh)).max()
    assert 1e-3 < moved < 1, "it goes on from where the first was"
    crops, _ = weights.checked(weights.entries("classifier")[0], "onnx")
    with pytest.raises(ValueError, match="another network"):
        judge.read(crops)


def test_a_padded_batch_says_what_each_cell_says_alone() -> None:
    from inference.training import judge

    whole = cell_of(1)
    part = whole.only(np.arange(0, 30))
    model = judge.build(np.zeros(len(ROWS)), np.ones(len(ROWS)), np.zeros(24)).eval()
    together = model(judge.batched([whole.described, part.described]))[-1].detach().numpy()
    np.testing.assert_allclose(together[0], judge.odds_of([model], whole.described), atol=1e-4)
    np.testing.assert_allclose(together[1, :30], judge.odds_of([model], part.described), atol=1e-4)


def test_what_is_kept_comes_back_and_says_what_it_is_worth(tmp_path: Path) -> None:
    from inference.training import judge

    kept = [cell_of(seed) for seed in range(3)]
    for number, cell in enumerate(kept):
        keep(cell, tmp_path / f"{number}.npz")
    (tmp_path / "4.tmp.npz").write_bytes(b"a run was ended here")
    again = load(tmp_path)
    assert len(again) == 3
    for one, other in zip(kept, again, strict=True):
        np.testing.assert_array_equal(one.fits, other.fits)
        for name, array in vars(one.described).items():
            np.testing.assert_array_equal(array, getattr(other.described, name))
    model = judge.build(np.zeros(len(ROWS)), np.ones(len(ROWS)), sizes(again)).eval()
    said = judge.figures([model], again)
    assert said["candidates"] == 3 * 48 and said["cells"] == 3 and said["loss"] <= said["loss_without"] + 1e-4
    with pytest.raises(FileNotFoundError, match="no cells"):
        load(tmp_path / "none")


@pytest.mark.models
def test_it_learns_from_what_the_pipeline_sees(held_out: list[AnnotatedCell], configuration: Any) -> None:
    detector, segmenter, classifier, judge = models(configuration)
    frame = registry.calibration(detector, classifier, segmenter).frame
    seen = look(held_out[1], detector, segmenter, classifier, frame)
    assert seen is not None and seen.fits.shape == (len(seen.described.rows), len(held_out[1].classes))
    assert (seen.fits.max(axis=0) >= 0.5).mean() > 0.95, "most annotated chromosomes have a candidate that fits"
    pixels = read_grey(held_out[1].image)
    found, masks = cut_all(pixels, detect_at_usual_scale(detector, pixels), segmenter, leftover=True)
    told = describe(pixels, found, masks, looks(pixels, found, masks, classifier))
    for name, array in vars(told).items():
        np.testing.assert_allclose(getattr(seen.described, name), array, atol=1e-4)


def test_a_file_that_is_no_judge_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(AnalysisError, match="is not a judge"):
        CellJudge(path, INFO, temperature=1.0, threads=1)
    crops, _ = weights.checked(weights.entries("classifier")[0], "onnx")
    with pytest.raises(AnalysisError, match="is not a judge"):
        CellJudge(crops, INFO, temperature=1.0, threads=1)


def models(configuration: Any) -> tuple[Any, Any, Any, Any]:
    made = shipped(configuration)
    return made["detector"], made["segmenter"], made["classifier"], made["judge"]


@pytest.mark.models
def test_a_judge_is_asked_only_about_what_it_was_trained_on(configuration: Any) -> None:
    detector, segmenter, classifier, judge = models(configuration)
    assert judge is not None and judge.info.role == "judge"
    assert registry.judge(configuration, detector, segmenter, None) is None
    from inference.backends.threshold import ThresholdSegmenter

    assert registry.judge(configuration, detector, ThresholdSegmenter(), classifier) is None


@pytest.mark.models
def test_what_was_found_twice_is_counted_once(held_out: list[AnnotatedCell], configuration: Any) -> None:
    detector, segmenter, classifier, judge = models(configuration)
    pixels = read_grey(held_out[0].image)
    once = detect_at_usual_scale(detector, pixels)
    masks = segmenter.segment(pixels, once.boxes, once.scores)
    seen = looks(pixels, once, masks, classifier)
    taken = settle(judge.chance(pixels, once, masks, seen), seen.probabilities).sum()
    assert abs(int(taken) - len(held_out[0].classes)) <= 1
    # The second of each a little fainter: nothing but its twin says that it is none.
    moved = Detections(once.boxes + 1, once.scores * 0.9, once.probabilities)
    both = Detections(*(np.concatenate([getattr(once, name), getattr(moved, name)]) for name in vars(once)))
    doubled = [*masks, *(replace(mask, left=mask.left + 1) for mask in masks)]
    assert seen.whole is not None
    again = Looks(np.tile(seen.probabilities, (2, 1)), np.tile(seen.whole, 2))
    twice = settle(judge.chance(pixels, both, doubled, again), again.probabilities).sum()
    assert abs(int(twice) - int(taken)) <= 3, (taken, twice)


@pytest.mark.models
def test_how_many_of_a_class_there_are_is_none_of_its_business(
    held_out: list[AnnotatedCell], configuration: Any
) -> None:
    """Were it, it would take the third 21 for one too many: most cells that it learned from are normal."""
    detector, segmenter, classifier, judge = models(configuration)
    pixels = read_grey(held_out[0].image)
    found = detect_at_usual_scale(detector, pixels)
    masks = segmenter.segment(pixels, found.boxes, found.scores)
    seen = looks(pixels, found, masks, classifier)
    before = judge.chance(pixels, found, masks, seen)
    alone = np.flatnonzero((describe(pixels, found, masks, seen).near.sum(axis=1) == 0) & (before > 0.9))
    assert len(alone) >= 3, "chromosomes that lie by themselves"
    row = int(alone[0])
    for label in ("21", "22", "1", "X", "Y"):
        renamed = seen.probabilities.copy()
        own, other = int(renamed[row].argmax()), CHROMOSOMES.index(label)
        renamed[row, [own, other]] = renamed[row, [other, own]]
        after = judge.chance(pixels, found, masks, replace(seen, probabilities=renamed))
        others = np.arange(len(before)) != row
        np.testing.assert_allclose(after[others], before[others], atol=1e-5)
    # And another of the same size there may be three of.
    size = {"13": "14", "14": "15", "15": "13", "19": "20", "20": "19", "21": "22", "22": "21", "4": "5", "5": "4"}
    for row in alone.tolist():
        own = int(seen.probabilities[row].argmax())
        if (label := size.get(CHROMOSOMES[own], "")) == "":
            continue
        renamed = seen.probabilities.copy()
        renamed[row, [own, CHROMOSOMES.index(label)]] = renamed[row, [CHROMOSOMES.index(label), own]]
        chance = judge.chance(pixels, found, masks, replace(seen, probabilities=renamed))
        assert settle(chance, renamed)[row], label


@pytest.mark.models
def test_the_pipeline_does_what_the_judge_says_and_names_it(held_out: list[AnnotatedCell], configuration: Any) -> None:
    detector, segmenter, classifier, _ = models(configuration)
    pixels = read_grey(held_out[0].image)

    class Scripted:
        info = INFO

        def __init__(self, said: float) -> None:
            self.said = said

        def chance(self, _: np.ndarray, found: Detections, masks: Any, seen: Looks) -> np.ndarray:
            assert len(masks) == len(seen.probabilities) == len(found)
            return np.full(len(found), self.said, np.float32)

    def states(said: float) -> list[str]:
        facts = {"sha256": "0" * 64, "page": 0, "width": pixels.shape[1], "height": pixels.shape[0]}
        document = analyse(
            pixels, detector=detector, segmenter=segmenter, classifier=classifier, judge=Scripted(said),
            image_facts=facts, calibration=registry.calibration(detector, classifier, segmenter),
        ).document  # fmt: skip
        assert [model["name"] for model in document["models"]][-1] == "trial"
        return [entry["state"] for entry in document["chromosomes"]]

    assert "present" not in states(0.0)
    assert states(0.99).count("present") > 50, "all candidates, the doubles too"


@pytest.mark.models
def test_with_the_judge_fewer_corrections_are_left(held_out: list[AnnotatedCell], configuration: Any) -> None:
    detector, segmenter, classifier, judge = models(configuration)

    def corrections(asked: Any) -> int:
        def analysed(cell: AnnotatedCell) -> Proposal:
            pixels = read_grey(cell.image)
            facts = {"sha256": "0" * 64, "page": 0, "width": pixels.shape[1], "height": pixels.shape[0]}
            return analyse(
                pixels, detector=detector, segmenter=segmenter, classifier=classifier, judge=asked, image_facts=facts,
                calibration=registry.calibration(detector, classifier, segmenter),
            )  # fmt: skip

        seen = evaluate(held_out, analysed)
        return sum(one.errors() for one in seen)

    assert corrections(judge) <= corrections(None)


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 3))
def test_few_or_no_candidates_are_no_fault(count: int) -> None:
    shipped = weights.entries("judge")[0]
    path, _ = weights.checked(shipped, "onnx")
    judge = CellJudge(path, INFO, temperature=1.0, threads=1)
    masks = [Mask(0, 0, np.zeros((0, 0), bool), 0.0)] * count
    boxes = np.tile(np.array([[5, 5, 20, 30]], np.float32), (count, 1))
    names = np.full((count, len(CHROMOSOMES)), 1 / 24, np.float32)
    chance = judge.chance(
        np.full((60, 60), 200, np.uint8),
        Detections(boxes, np.full(count, 0.5, np.float32), names),
        masks,
        Looks(names, np.full(count, 0.5, np.float32)),
    )
    assert chance.shape == (count,) and np.isfinite(chance).all()
    assert set(Described.__dataclass_fields__) == {entrance.name for entrance in judge._session.get_inputs()}

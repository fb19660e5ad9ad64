"""What was left out stays in sight, with words that a person can act on."""

from __future__ import annotations

import numpy as np
import pytest

from inference.labels import CHROMOSOMES
from inference.management.commands.karyotype import contract
from inference.pipeline import _aside
from inference.protocols import Detections, Mask, Proposal
from inference.stages.assign import name_cell
from inference.stages.axis import Axis
from inference.stages.presence import MOST_ASIDE
from inference.stages.proposal import propose


def proposed(labels: list[str], chance: float) -> Proposal:
    """A row of objects, the last of them left out with this chance to be a chromosome."""
    count = len(labels)
    table = np.full((count, 24), 0.02 / 23, np.float32)
    for row, label in enumerate(labels):
        table[row, CHROMOSOMES.index(label)] = 0.98
    boxes = np.array([[10 + 30 * row, 10, 20 + 30 * row, 30] for row in range(count)], np.float32)
    return propose(
        image_facts={"sha256": "0" * 64, "page": 0, "width": 30 * count + 10, "height": 60},
        shape=(60, 30 * count + 10),
        detections=Detections(boxes, np.ones(count, np.float32), table),
        masks=[Mask(int(left), 10, np.ones((20, 10), bool), 0.9) for left in boxes[:, 0]],
        axes=[Axis(np.zeros((0, 2), np.float32), None, 0.0)] * count,
        probabilities=table,
        names=dict(enumerate(name_cell(table[:-1]))),
        aside=[count - 1],
        is_there=np.array([0.99] * (count - 1) + [chance]),
        cut_trusted_from=0.85,
        note="",
        models=[],
    )


@pytest.mark.parametrize(
    ("chance", "third", "reason"),
    [
        (0.86, True, "left out: it would be the third copy of 21 (86 % a chromosome): look at it before you count"),
        (0.3, True, "left out: perhaps a 21, perhaps a piece of another (30 % a chromosome)"),
        (0.86, False, "left out: perhaps a 21, perhaps a piece of another (86 % a chromosome)"),
    ],
)
def test_a_likely_further_copy_is_not_passed_over_in_silence(chance: float, third: bool, reason: str) -> None:
    proposal = proposed(["21", "21" if third else "22", "21"], chance)
    (left_out,) = [one for one in proposal.document["chromosomes"] if one["state"] == "debris"]
    assert left_out["flags"] == [reason] and left_out["label"] == "21" and not left_out["reviewed"]


@pytest.mark.parametrize("chance", [0.86, 0.31, 0.29])
def test_what_was_left_out_is_no_chromosome_of_the_headless_file_and_its_doubt_is_told_of(chance: float) -> None:
    """It was written as one and counted, once: 49 chromosomes of a cell in which the sheet showed 46."""
    written = contract("cell.png", proposed(["1", "21", "21", "21"], chance))
    assert [one["label"] for one in written["chromosomes"]] == ["1", "21", "21"]
    assert written["count"] == 3
    nearest, others = written["chromosomes"][-1], written["chromosomes"][:-1]
    assert nearest["box"][0] == 70 and not any(one["flags"] for one in others)
    if chance < 0.3:
        assert nearest["flags"] == []
    else:
        (told,) = nearest["flags"]
        assert told.startswith("beside it one was left out: ") and f"{round(100 * chance)} % a chromosome" in told


def test_the_second_version_gives_it_a_place_of_its_own() -> None:
    written = contract("cell.png", proposed(["1", "21", "21", "21"], 0.86), 2)
    (left_out,) = written["left_out"]
    assert written["schema"] == "karyosite.karyotype/2" and written["count"] == 3
    assert left_out["box"][0] == 100 and left_out["flags"][0].startswith("left out: ") and left_out["mask"]["counts"]
    assert not any(one["flags"] for one in written["chromosomes"])


def test_of_many_that_were_left_out_the_likeliest_stay_in_sight() -> None:
    chance = np.linspace(0.05, 0.6, 30)
    alike = [Mask(0, 0, np.ones((10, 20), bool), 0.9)] * 30
    kept = _aside(chance, chance > 0.5, alike)
    assert len(kept) == MOST_ASIDE == 8 and kept == sorted(kept)
    assert min(chance[kept]) > max(np.delete(chance, [*kept, *np.flatnonzero(chance > 0.5)]))
    assert _aside(chance[:4], np.zeros(4, bool), alike[:4]) == np.flatnonzero(chance[:4] >= 0.1).tolist()


def test_a_mere_sliver_is_nothing_to_look_at() -> None:
    masks = [Mask(0, 0, np.ones(shape, bool), 0.9) for shape in ((10, 20), (10, 20), (1, 9), (2, 8), (10, 20))]
    present = np.array([True, True, False, False, False])
    assert _aside(np.array([0.9, 0.9, 0.4, 0.4, 0.4]), present, masks) == [3, 4]
    assert _aside(np.zeros(0), np.zeros(0, bool), []) == []

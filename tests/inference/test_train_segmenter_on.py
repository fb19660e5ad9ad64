"""The shipped segmenter is taken up again where it stands, to be trained on."""

from __future__ import annotations

import random

import numpy as np
import onnxruntime
import pytest

from inference.backends import weights
from inference.stages.window import NEIGHBOURS

FIELD_SIDE, WINDOW = 128, 112


def test_the_shipped_segmenter_taken_up_again_gives_the_same_answers() -> None:
    import torch

    from inference.training.sam_export import begin_with
    from inference.training.sam_model import CompactSam, windows

    entry = next(entry for entry in weights.entries() if entry["role"] == "segmenter")
    field, prompt = (weights.checked(entry, kind)[0] for kind in ("field", "prompt"))
    rng = np.random.default_rng(3)
    fields = rng.random((2, 1, FIELD_SIDE, FIELD_SIDE)).astype(np.float32)
    # As training lays its weights out in memory: a flat view of such a tensor is a copy.
    model = CompactSam().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    begin_with(model, field, prompt, torch.from_numpy(fields))
    model.eval()
    points = np.zeros((1, 6, 2), np.float32)
    labels = np.full((1, 6), -1, np.float32)
    points[0, :3], labels[0, :3] = [(20, 30), (60, 90), (41, 52)], (2, 3, 1)
    neighbours = np.zeros((1, NEIGHBOURS, 5), np.float32)
    neighbours[0, 0] = 30, 10, 70, 95, 0.9
    present, has = np.zeros((1, 1, WINDOW, WINDOW), np.float32), np.zeros(1, np.float32)
    seen = onnxruntime.InferenceSession(str(field)).run(None, {"density": fields[:1]})
    with torch.inference_mode():
        ours = model.image_encoder(torch.from_numpy(fields[:1]))
        for mine, theirs in zip(ours, seen, strict=True):
            assert np.abs(mine.numpy() - theirs).max() < 1e-3
        views = [windows(one, [0], [(0, 0)], WINDOW // step) for one, step in zip(ours, (4, 2, 1), strict=True)]
        mine = model.prompt(*views, *(torch.from_numpy(one) for one in (points, labels, present, has, neighbours)))
    names = ("embedding", "middle", "fine", "points", "labels", "present", "has_mask", "neighbours")
    given = dict(zip(names, (*(view.numpy() for view in views), points, labels, present, has, neighbours), strict=True))
    for ours_now, theirs in zip(mine, onnxruntime.InferenceSession(str(prompt)).run(None, given), strict=True):
        assert np.abs(ours_now.numpy() - theirs).max() < 1e-3


def test_another_networks_files_are_refused() -> None:
    import torch

    from inference.training.sam_export import begin_with
    from inference.training.sam_model import CompactSam

    classifier = next(entry for entry in weights.entries() if entry["role"] == "classifier")
    path = weights.files(classifier)[0][0]
    with pytest.raises(ValueError, match="another network"):
        begin_with(CompactSam(), path, path, torch.zeros(1, 1, 64, 64))


def test_what_two_chromosomes_share_counts_most() -> None:
    from inference.protocols import Mask
    from inference.training.sam_prompts import OTHERS_COUNT, SHARED_COUNTS, prompt_for
    from inference.training.scenes import Composed, Placed

    bar = np.ones((10, 60), bool)
    placed = [Placed(Mask(20, 45, bar, 1.0), None), Placed(Mask(45, 20, bar.T.copy(), 1.0), None)]
    composed = Composed(np.zeros((128, 128), np.uint8), placed)
    box = np.array([20, 45, 80, 55], np.float32)
    prompt = prompt_for(composed, 0, box, np.zeros((NEIGHBOURS, 5), np.float32), random.Random(1))
    truth, counts = prompt.truth, prompt.counts
    assert (counts == 1 + SHARED_COUNTS).sum() == 100  # 10 by 10 lie under both
    assert (counts == 1 + OTHERS_COUNT).sum() == 500
    assert truth[counts == 1 + SHARED_COUNTS].all() and not truth[counts == 1 + OTHERS_COUNT].any()

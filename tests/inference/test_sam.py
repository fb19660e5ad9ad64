"""The SAM segmenter on a small model of the official classes: the same masks as SamPredictor gives box by box."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from inference import registry
from inference.backends.sam import SamSegmenter, register_sam_type
from inference.protocols import AnalysisError

BOXES = np.array([[10, 12, 60, 80], [100, 20, 180, 44], [30, 90, 70, 150], [5, 5, 199, 149], [120, 100, 121, 101]])
TOLERANCE = 0.001  # of a mask's pixels: batching changes the order of additions, and a logit of ±0 may tip


def small_sam() -> Any:
    import torch
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    return Sam(
        image_encoder=ImageEncoderViT(
            depth=2,
            embed_dim=32,
            img_size=128,
            mlp_ratio=2,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
            num_heads=2,
            patch_size=16,
            qkv_bias=True,
            use_rel_pos=True,
            global_attn_indexes=[1],
            window_size=4,
            out_chans=32,
        ),
        prompt_encoder=PromptEncoder(
            embed_dim=32, image_embedding_size=(8, 8), input_image_size=(128, 128), mask_in_chans=4
        ),
        mask_decoder=MaskDecoder(
            num_multimask_outputs=3,
            transformer=TwoWayTransformer(depth=2, embedding_dim=32, mlp_dim=64, num_heads=4),
            transformer_dim=32,
            iou_head_depth=2,
            iou_head_hidden_dim=32,
        ),
        pixel_mean=[123.675, 116.28, 103.53],
        pixel_std=[58.395, 57.12, 57.375],
    )


register_sam_type("test_small", small_sam)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    torch.manual_seed(2)  # gives masks of part of the picture, a different one for each box
    model = small_sam()
    path = tmp_path_factory.mktemp("sam") / "small.pth"
    torch.save(model.state_dict(), path)
    return path


PIXELS = np.random.default_rng(3).integers(0, 255, (150, 200)).astype(np.uint8)


def test_masks_are_those_of_the_official_predictor_box_by_box(checkpoint: Path, monkeypatch: Any) -> None:
    import torch
    from segment_anything import SamPredictor

    segmenter = SamSegmenter.load(str(checkpoint), "test_small")
    encoded = []
    encoder = segmenter._predictor.model.image_encoder
    encoder.register_forward_hook(lambda *_: encoded.append(1))
    monkeypatch.setattr("inference.backends.sam._BATCH_BYTES", 2 * 4 * PIXELS.size)  # batches of two
    masks = segmenter.segment(PIXELS, BOXES)
    assert len(masks) == len(BOXES) and len(encoded) == 1

    model = small_sam()
    model.load_state_dict(torch.load(checkpoint, weights_only=True))
    official = SamPredictor(model.eval())
    official.set_image(np.repeat(PIXELS[:, :, None], 3, axis=2))
    sizes = []
    for box, mask in zip(BOXES, masks, strict=True):
        wanted, estimate, _ = official.predict(box=box, multimask_output=False)
        assert (mask.full(*PIXELS.shape) != wanted[0]).mean() <= TOLERANCE
        assert mask.score == pytest.approx(float(np.clip(estimate[0], 0, 1)), abs=1e-3)
        sizes.append(int(wanted[0].sum()))
    # The comparison means something: prompts lead to different, partial masks.
    assert len(set(sizes)) > 1 and 0 < min(sizes) < PIXELS.size


def test_no_boxes_no_work(checkpoint: Path) -> None:
    assert SamSegmenter.load(str(checkpoint), "test_small").segment(PIXELS, np.zeros((0, 4))) == []


def configured(**changes: Any) -> Any:
    return SimpleNamespace(
        **(
            {"device": "cpu", "detector_weights": "", "segmenter": "sam", "worker_threads": 1}
            | {"sam_checkpoint": "", "sam_model_type": "test_small"}
            | changes
        )
    )


def test_the_registry_loads_one_per_configuration(checkpoint: Path) -> None:
    first = registry.segmenter(configured(sam_checkpoint=str(checkpoint)))
    assert registry.segmenter(configured(sam_checkpoint=str(checkpoint))) is first
    assert first.info.name == "sam-test_small" and len(first.info.sha256) == 64
    assert registry.segmenter(configured(segmenter="threshold")).info.name == "threshold"


def test_damaged_or_mismatched_checkpoints_are_told_in_one_sentence(checkpoint: Path, tmp_path: Path) -> None:
    import torch

    damaged = tmp_path / "damaged.pth"
    damaged.write_bytes(checkpoint.read_bytes()[:5000])
    other = tmp_path / "other.pth"
    torch.save({"weight": torch.zeros(3)}, other)
    for path in (damaged, other):
        with pytest.raises(AnalysisError, match="damaged, or is not of the type test_small"):
            registry.segmenter(configured(sam_checkpoint=str(path)))
    with pytest.raises(AnalysisError, match="is not there"):
        registry.segmenter(configured(sam_checkpoint=str(tmp_path / "none.pth")))
    with pytest.raises(AnalysisError, match="no checkpoint is"):
        registry.segmenter(configured())
    with pytest.raises(AnalysisError, match="no SAM type"):
        registry.segmenter(configured(sam_checkpoint=str(checkpoint), sam_model_type="vit_z"))
    with pytest.raises(AnalysisError, match="threshold or sam"):
        registry.segmenter(configured(segmenter="magic"))


def test_clicks_on_a_stored_embedding_are_the_official_predictors(checkpoint: Path) -> None:
    import torch
    from segment_anything import SamPredictor

    segmenter = registry.prompter(configured(sam_checkpoint=str(checkpoint)))
    embedding = segmenter.embed(PIXELS)
    model = small_sam()
    model.load_state_dict(torch.load(checkpoint, weights_only=True))
    official = SamPredictor(model.eval())
    official.set_image(np.repeat(PIXELS[:, :, None], 3, axis=2))
    points = np.array([[40, 50, 1], [90, 120, 0]], np.float32)
    for box, many in ((None, points), (BOXES[1].astype(np.float32), points), (None, points[:1])):
        mask = segmenter.cut(PIXELS, embedding, box, many, None)
        wanted, estimates, _ = official.predict(
            point_coords=many[:, :2],
            point_labels=many[:, 2].astype(int),
            box=box,
            multimask_output=box is None and len(many) == 1,
        )
        # The stored embedding has half the digits.
        assert (mask.full(*PIXELS.shape) != wanted[int(np.argmax(estimates))]).mean() <= 0.01
    before = segmenter.cut(PIXELS, embedding, BOXES[0].astype(np.float32), points[:0], None)
    after = segmenter.cut(PIXELS, embedding, None, points, before)
    assert (before.full(*PIXELS.shape) != after.full(*PIXELS.shape)).any()
    # The picture that a batch of boxes meets afterwards is its own.
    assert len(segmenter.segment(PIXELS, BOXES)) == len(BOXES)

"""Files kept in half precision: half as large, the same network, taken up again as if it were whole."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from inference.backends import weights
from inference.training.halved import HALF, halve
from inference.training.shipped import read

SEGMENTER = next(entry for entry in weights.entries() if entry["role"] == "segmenter")


@pytest.mark.models
def test_the_file_is_half_as_large_and_answers_as_before(tmp_path: Path) -> None:
    prompt = weights.checked(SEGMENTER, "prompt")[0]
    halved = tmp_path / "halved.onnx"
    shutil.copy(prompt, halved)
    halve(halved)
    assert halved.stat().st_size < 0.55 * prompt.stat().st_size
    assert [path.name for path in tmp_path.iterdir()] == ["halved.onnx"]
    (graph, numbers), (_, whole) = read(halved), read(prompt)
    assert numbers.keys() == whole.keys()
    for name, tensor in numbers.items():
        assert tensor.dtype == whole[name].dtype, name
        np.testing.assert_allclose(tensor.numpy(), whole[name].numpy(), rtol=1e-3, atol=1e-7, err_msg=name)
    assert sum(one.name.endswith(HALF) for one in graph.initializer) > 10
    rng = np.random.default_rng(2)
    shapes = {"embedding": (2, 128, 28, 28), "middle": (2, 32, 56, 56), "fine": (2, 16, 112, 112)}
    given = {name: rng.random(shape, np.float32) for name, shape in shapes.items()}
    given |= {"points": np.full((2, 6, 2), 50, np.float32), "labels": np.full((2, 6), -1, np.float32)}
    given |= {"present": np.zeros((2, 1, 112, 112), np.float32), "has_mask": np.zeros(2, np.float32)}
    given["neighbours"] = np.zeros((2, 4, 5), np.float32)
    before, after = (onnxruntime.InferenceSession(str(path)).run(None, given)[0] for path in (prompt, halved))
    assert before.std() > 0.5
    assert 0 < np.abs(after - before).max() < 0.01 * before.std()


def test_what_half_precision_cannot_hold_and_what_is_small_stays_whole(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    numbers = {
        "large": rng.random((40, 40), np.float32) * 1e6,  # beyond 65,504
        "small": rng.random((40, 1), np.float32),
        "usual": rng.random((40, 40), np.float32),
    }
    nodes = [helper.make_node("Identity", [name], [f"{name}-out"]) for name in numbers]
    outputs = [helper.make_tensor_value_info(f"{name}-out", TensorProto.FLOAT, None) for name in numbers]
    kept = [numpy_helper.from_array(value, name) for name, value in numbers.items()]
    model = helper.make_model(
        helper.make_graph(nodes, "three", [], outputs, initializer=kept), opset_imports=[helper.make_opsetid("", 17)]
    )
    model.ir_version = 8
    onnx.save(model, str(tmp_path / "three.onnx"))
    halve(tmp_path / "three.onnx")
    after = dict(zip(numbers, onnxruntime.InferenceSession(str(tmp_path / "three.onnx")).run(None, {}), strict=True))
    assert np.array_equal(after["large"], numbers["large"]) and np.array_equal(after["small"], numbers["small"])
    assert np.array_equal(after["usual"], numbers["usual"].astype(np.float16).astype(np.float32))
    assert not np.array_equal(after["usual"], numbers["usual"])
    halve(tmp_path / "three.onnx")  # what is halved already stays as it is
    (graph, again) = read(tmp_path / "three.onnx")
    assert sorted(again) == sorted(numbers) and len(graph.initializer) == 3


def test_the_shipped_files_keep_to_their_bounds() -> None:
    assert sum(path.stat().st_size for path, _ in weights.files(SEGMENTER)) <= 20 * 10**6
    everything = [path for entry in weights.entries() for path, _ in weights.files(entry)]
    assert sum(path.stat().st_size for path in set(everything)) <= 40 * 10**6

"""Weights between those that a run began with and those that it learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from inference.training.averaged import average


def _file(path: Path, weight: np.ndarray, operation: str = "Mul") -> Path:
    entrance, out = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in ("given", "answer"))
    graph = helper.make_graph(
        [helper.make_node(operation, ["given", "weight"], ["answer"])], "one", [entrance], [out],
        initializer=[numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(np.array([2, 7]), "shape")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, str(path))
    return path


def test_numbers_lie_between_by_the_share_and_the_file_is_whole(tmp_path: Path) -> None:
    first = _file(tmp_path / "first.onnx", np.array([1, 10], np.float32))
    second = _file(tmp_path / "second.onnx", np.array([3, 30], np.float32))
    given = {"given": np.ones(2, np.float32)}
    for share, expected in ((0.5, [2, 20]), (0.25, [1.5, 15])):
        average(first, second, tmp_path / "mean.onnx", share)
        answer = onnxruntime.InferenceSession(str(tmp_path / "mean.onnx")).run(None, given)[0]
        np.testing.assert_allclose(answer, expected)
    kept = {one.name: numpy_helper.to_array(one) for one in onnx.load(str(tmp_path / "mean.onnx")).graph.initializer}
    assert kept["shape"].tolist() == [2, 7], "whole numbers are no weights"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.onnx", "mean.onnx", "second.onnx"]


@pytest.mark.parametrize(
    ("weight", "operation"), [(np.ones(2, np.float32), "Add"), (np.ones((1, 2), np.float32), "Mul")]
)
def test_another_network_is_refused(tmp_path: Path, weight: np.ndarray, operation: str) -> None:
    first = _file(tmp_path / "first.onnx", np.ones(2, np.float32))
    with pytest.raises(ValueError, match="not the same network"):
        average(first, _file(tmp_path / "other.onnx", weight, operation), tmp_path / "mean.onnx")
    assert not (tmp_path / "mean.onnx").exists()

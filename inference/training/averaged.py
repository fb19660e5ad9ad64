"""The mean of two files of one network, number by number: of the shipped weights and those learned on from them.

Between where a run began and where it ended lie weights that are often better than both (M. Wortsman et al. 2022,
arXiv:2109.01903).
"""

from __future__ import annotations

import argparse
from pathlib import Path


def average(first: Path, second: Path, out: Path, share: float = 0.5) -> None:
    """Writes an ONNX file as `second` with `share` of its numbers and the rest of those of `first`.

    Raises ValueError where the two are not one network."""
    import numpy as np
    import onnx
    from onnx import numpy_helper

    one, other = onnx.load(str(first)), onnx.load(str(second))
    known = {kept.name: numpy_helper.to_array(kept) for kept in one.graph.initializer}
    if [node.SerializeToString() for node in one.graph.node] != [node.SerializeToString() for node in other.graph.node]:
        raise ValueError(f"{first.name} and {second.name} are not the same network.")
    for kept in other.graph.initializer:
        numbers = numpy_helper.to_array(kept)
        if kept.name not in known or known[kept.name].shape != numbers.shape:
            raise ValueError(f"{first.name} and {second.name} are not the same network.")
        if np.issubdtype(numbers.dtype, np.floating):
            mixed = numbers.astype(np.float64) * share + known[kept.name] * (1 - share)
            kept.CopyFrom(numpy_helper.from_array(mixed.astype(numbers.dtype), kept.name))
    temporary = out.with_suffix(".tmp.onnx")
    onnx.save(other, str(temporary))
    temporary.replace(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="how much of the second")
    arguments = parser.parse_args()
    average(arguments.first, arguments.second, arguments.out, arguments.share)


if __name__ == "__main__":
    main()

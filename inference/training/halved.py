"""An ONNX file whose many numbers are kept in half precision and reckoned with in single.

Half the size; the runtime turns them back once, when it loads the file, and is as fast as before (decisions/0089).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

HALF = ".half"  # what the name of a number kept in half precision ends with
_FEWEST = 1024  # numbers in a tensor that is worth it


def halve(path: Path) -> None:
    """In place; written beside and renamed.  Small tensors, and those that half precision cannot hold, stay."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(path))
    graph, casts = model.graph, []
    for one in graph.initializer:
        numbers = numpy_helper.to_array(one)
        if one.data_type != TensorProto.FLOAT or numbers.size < _FEWEST:
            continue
        if np.abs(numbers).max() > np.finfo(np.float16).max:
            continue
        name = one.name
        one.CopyFrom(numpy_helper.from_array(numbers.astype(np.float16), name + HALF))
        casts.append(helper.make_node("Cast", [name + HALF], [name], to=TensorProto.FLOAT, name=name + ".whole"))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    temporary = path.with_suffix(".tmp.onnx")
    onnx.save(model, str(temporary))
    temporary.replace(path)


def whole(name: str, numbers: Any) -> tuple[str, Any]:
    """A tensor (torch) of such a file under the name that the graph asks for it by, in single precision."""
    return (name.removesuffix(HALF), numbers.float()) if name.endswith(HALF) else (name, numbers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    for file in parser.parse_args().files:
        halve(file)


if __name__ == "__main__":
    main()

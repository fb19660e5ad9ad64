"""What the judge is trained on: the pipeline's candidates in annotated cells, described, and where they fit.

One file a cell in a git-ignored folder; cells that are there are skipped, so that an interrupted run goes on, and
several processes can share the work (`--part 1/2`, `--part 2/2`).
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from tqdm import tqdm

from inference.backends.boxes import overlap
from inference.labels import CHROMOSOMES
from inference.stages.together import SIZE, Described, describe
from inference.training.cil import AnnotatedCell, read_grey, read_split
from inference.training.interrupts import pause_point, program
from inference.training.laid import once_more

_GOOD = 0.7  # IoU from which a candidate's size says what is usual


@dataclass(frozen=True)
class Judged:
    """fits: float32 (n, m), IoU of each candidate's box, as it is drawn in the end, with the annotated ones."""

    described: Described
    fits: np.ndarray

    def only(self, kept: np.ndarray) -> Judged:
        """kept: int (k,), candidates.  Regions that nobody has any more stay, of no account."""
        cell = self.described
        part = Described(
            rows=cell.rows[kept],
            pairs=cell.pairs[kept][:, kept],
            near=cell.near[kept][:, kept],
            names=cell.names[kept],
            covers=cell.covers[:, kept],
            sizes=cell.sizes,
            dark=cell.dark,
            areas=cell.areas[kept],
        )
        return Judged(part, self.fits[kept])


def look(
    cell: AnnotatedCell, detector: Any, segmenter: Any, classifier: Any, frame: Any, pixels: np.ndarray | None = None
) -> Judged | None:
    """None where nothing was found.  frame: how boxes are drawn around cut-outs, or None.  pixels: uint8 (h, w), where
    they are not the picture's own."""
    from inference.evaluation import looked

    pixels = read_grey(cell.image) if pixels is None else pixels
    seen = looked.look(pixels, detector, segmenter, classifier, frame)
    if not len(seen.found):
        return None
    described = describe(seen.pixels, seen.found, seen.masks, seen.looked)
    return Judged(described, overlap(seen.drawn, cell.boxes).astype(np.float32))


def make(
    data: Path, split: str, out: Path, *, first: int, most: int, part: int = 1, parts: int = 1, threads: int = 1,
    shown: bool = True, laid: bool = False, marked_off: tuple[float, float] = (0.0, 0.0),
) -> None:  # fmt: skip
    """Writes out/NAME.npz for every parts-th of `most` cells (0: all) from the `first`, in an order drawn once, the
    same in which the crop classifier's cells were taken.  laid, marked_off: NAME-laid.npz instead, as `laid.once_more`
    takes it."""
    from inference import registry

    configuration: Any = SimpleNamespace(
        device="cpu", detector_weights="", classifier="shipped", segmenter="shipped", sam_checkpoint="",
        sam_model_type="vit_b", worker_threads=threads,
    )  # fmt: skip
    detector, segmenter = registry.detector(configuration), registry.segmenter(configuration)
    classifier = registry.classifier(configuration)
    frame = registry.calibration(detector, classifier, segmenter).frame
    cells = read_split(data, split)
    random.Random(11).shuffle(cells)
    out.mkdir(parents=True, exist_ok=True)
    wanted = cells[first : first + most if most else None][part - 1 :: parts]
    for cell in tqdm(wanted, desc=f"candidates, {split}", mininterval=2, disable=not shown):
        pause_point(lambda: None)
        path = out / f"{cell.name}{'-laid' * laid}.npz"
        if path.exists():
            continue
        asked, pixels = once_more(cell, marked_off) if laid else (cell, None)
        made = look(asked, detector, segmenter, classifier, frame, pixels)
        if made is not None:
            keep(made, path)


def keep(cell: Judged, path: Path) -> None:
    temporary = path.with_suffix(".tmp.npz")
    np.savez(temporary, fits=cell.fits, **vars(cell.described))
    temporary.replace(path)


def load(folder: Path) -> list[Judged]:
    """Raises FileNotFoundError where there are none."""
    cells = []
    for path in sorted(path for path in folder.glob("*.npz") if not path.name.endswith(".tmp.npz")):
        with np.load(path) as kept:
            arrays = {name: kept[name] for name in kept.files}
        fits = arrays.pop("fits")
        cells.append(Judged(Described(**arrays), fits))
    if not cells:
        raise FileNotFoundError(f"There are no cells to judge in {folder}.")
    return cells


def sizes(cells: Sequence[Judged]) -> np.ndarray:
    """float (24,): the mean SIZE of what each class's candidates have, where they fit a chromosome well."""
    total, weight = np.zeros(len(CHROMOSOMES)), np.full(len(CHROMOSOMES), 1e-6)
    for cell in cells:
        good = cell.fits.max(axis=1, initial=0) >= _GOOD
        named = cell.described.names[good]
        total += (named * cell.described.rows[good, SIZE : SIZE + 1]).sum(axis=0)
        weight += named.sum(axis=0)
    return np.asarray(total / weight)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="train")
    parser.add_argument("--out", type=Path, default=Path("training-runs/judged"))
    parser.add_argument("--first", type=int, default=0, help="cells left out before, which the classifier has seen")
    parser.add_argument("--most", type=int, default=0, help="cells; 0 for all")
    parser.add_argument("--part", default="1/1", metavar="K/N", help="this process's share of the cells")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--laid", action="store_true", help="with some of a cell's own chromosomes laid once more")
    parser.add_argument(
        "--marked-off", type=float, nargs=2, default=(0.0, 0.0), metavar=("X", "Y"),
        help="pixels that annotated boxes lie to the left of and above what they mark, for --laid",
    )  # fmt: skip
    arguments = parser.parse_args()
    part, parts = (int(number) for number in arguments.part.split("/"))
    make(
        arguments.data, arguments.split, arguments.out, first=arguments.first, most=arguments.most,
        part=part, parts=parts, threads=arguments.threads, laid=arguments.laid,
        marked_off=tuple(arguments.marked_off),
    )  # fmt: skip


if __name__ == "__main__":
    program(main)

"""Cells whose truth is not 46 with XX or XY: whether they come through as they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from inference.datasets.split import case_of
from inference.evaluation.cells import STAGES, Observation, share
from inference.labels import CHROMOSOMES
from inference.training.cil import AnnotatedCell

_GAINED_IN, _LOST_IN = 2, 3  # cells of a case that make a clone (ISCN)
_X, _Y = CHROMOSOMES.index("X"), CHROMOSOMES.index("Y")


def counts_of(classes: np.ndarray) -> np.ndarray:
    """int (24,): how many of each class."""
    return np.bincount(classes[classes < len(CHROMOSOMES)], minlength=len(CHROMOSOMES))


def deviation(counts: np.ndarray) -> np.ndarray:
    """int (24,): gains above and losses below two of each autosome and XX or XY, whichever is nearer."""
    usual = np.full(len(CHROMOSOMES), 2)
    usual[_Y] = 0
    if counts[_Y] > 0:
        usual[_X], usual[_Y] = 1, 1
    return np.asarray(counts - usual)


def clones(cells: Sequence[tuple[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """By case, int (24,): 1 where a class is gained in two or more of its cells, −1 where it is lost in three or more.
    cells: name and annotated classes, of every cell that is known."""
    cases: dict[str, list[np.ndarray]] = defaultdict(list)
    for name, classes in cells:
        cases[case_of(name)].append(deviation(counts_of(classes)))
    return {
        case: ((np.stack(odd) > 0).sum(axis=0) >= _GAINED_IN).astype(int)
        - ((np.stack(odd) < 0).sum(axis=0) >= _LOST_IN)
        for case, odd in cases.items()
    }


def invented(seen: Observation) -> int:
    """How many classes that are as usual come out as not."""
    truth, named = counts_of(seen.truth), counts_of(seen.named[STAGES[-1]])
    return int(((deviation(truth) == 0) & (deviation(named) != 0) & (named != truth)).sum())


def abnormal_cells(observations: Sequence[Observation], others: Sequence[AnnotatedCell] = ()) -> dict[str, Any]:
    """How many abnormal cells there are, and how many keep every gain and loss.

    kept: every class that is not as usual has the annotated number of chromosomes, X and Y taken together.  A gain or
    loss is invented where a class that is as usual comes out as not.  Lost and stray chromosomes count as losses and
    gains: what is in the picture is what must be reported.

    Most annotated losses of one cell are a sex chromosome that nobody boxed.  So those that other cells of the case
    share, as a clone would, are counted apart: clonal.  others: further cells of the cases, for that.
    """
    seen_already = {seen.name for seen in observations}
    shared = clones(
        [(seen.name, seen.truth) for seen in observations]
        + [(cell.name, cell.classes) for cell in others if cell.name not in seen_already]
    )
    clonal = clonal_kept = 0
    abnormal = kept = gains = gains_kept = losses = losses_kept = 0
    for seen in observations:
        truth, named = counts_of(seen.truth), counts_of(seen.named[STAGES[-1]])
        odd = deviation(truth)
        as_it_is = named == truth
        right = as_it_is.copy()
        right[[_X, _Y]] = as_it_is[[_X, _Y]].all()  # 47,XXY without its Y is 46,XX, though the number of X is right
        of_clone = shared[case_of(seen.name)] * odd > 0
        if of_clone.any():
            clonal += 1
            clonal_kept += bool(right[of_clone].all())
        if odd.any():
            abnormal += 1
            kept += bool(right[odd != 0].all())
            gains += int((odd > 0).sum())
            gains_kept += int((right & (odd > 0)).sum())
            losses += int((odd < 0).sum())
            losses_kept += int((right & (odd < 0)).sum())
    made_up = [invented(seen) for seen in observations]
    of_those = [seen for seen, classes in zip(observations, made_up, strict=True) if classes]
    return {
        "cells": abnormal,
        "cells_kept": kept,
        "cells_kept_rate": share(kept, abnormal),
        "clonal_cells": clonal,
        "clonal_cells_kept": clonal_kept,
        "gains": gains,
        "gains_kept": gains_kept,
        "losses": losses,
        "losses_kept": losses_kept,
        "invented": sum(made_up),
        "cells_with_invented": len(of_those),
        "cells_with_invented_rate": share(len(of_those), len(observations)),
        "cells_with_invented_without_a_doubt": sum(not seen.doubts for seen in of_those),
    }

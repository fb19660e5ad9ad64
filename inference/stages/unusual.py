"""No change of number goes unasked: what is fewer than usual is put to a person, as what is more is.

A third copy carries its reason itself (inference.stages.assign).  What is not there cannot: the one that is left does,
and where none of a class is left, the cell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from inference.labels import CHROMOSOMES
from inference.stages.assign import Named

_WHOLE = 40  # found in a cell; of fewer, what is missing is not told class by class
_BEFORE = "before you count"


def put_in_doubt(names: Sequence[Named]) -> list[Named]:
    """The names of a cell, in their order, with a further reason for doubt where too few are of their class."""
    if len(names) < _WHOLE:
        return list(names)
    reasons = _reasons(Counter(one.label for one in names))
    return [replace(one, flags=(*one.flags, reasons[one.label])) if one.label in reasons else one for one in names]


def absent(names: Sequence[Named]) -> str:
    """A sentence about the classes of which nothing was found; empty where there is nothing to say."""
    counts = Counter(one.label for one in names)
    missing = [label for label in CHROMOSOMES[:22] if not counts[label]]
    missing += ["X or Y"] * (not counts["X"] and not counts["Y"])
    if len(names) < _WHOLE or not missing:
        return ""
    listed = ", ".join(missing[:-1]) + " or " + missing[-1] if len(missing) > 1 else missing[0]
    return f"No {listed} was found: look for {'them' if len(missing) > 1 else 'it'} {_BEFORE}."


def _reasons(counts: Counter[str]) -> dict[str, str]:
    """By label, of whose chromosomes each is in doubt."""
    found = {
        label: f"the only {label}: look for the other {_BEFORE}" for label in CHROMOSOMES[:22] if counts[label] == 1
    }
    if (counts["X"], counts["Y"]) == (1, 0):
        found["X"] = f"the only sex chromosome: look for another {_BEFORE}"
    elif counts["Y"] and not counts["X"]:
        found["Y"] = f"a Y without an X: look for the X {_BEFORE}"
    elif counts["Y"] and counts["X"] > 1:
        found["Y"] = f"a Y beside {counts['X']} X: look at all of them {_BEFORE}"
    return found

"""The 24 classes, as the public set spells them and as people read them.

Order is the detector's own output order: A1 … G22, X, Y.
"""

from __future__ import annotations

CHROMOSOMES: tuple[str, ...] = tuple(str(number) for number in range(1, 23)) + ("X", "Y")
UNKNOWN = "unknown"
LABELS: tuple[str, ...] = (*CHROMOSOMES, UNKNOWN)

_GROUP_BOUNDS = (("A", 1, 3), ("B", 4, 5), ("C", 6, 12), ("D", 13, 15), ("E", 16, 18), ("F", 19, 20), ("G", 21, 22))


def group_of(label: str) -> str:
    """Denver group of a class: A–G for autosomes; X and Y stand apart on the sheet."""
    if label in ("X", "Y", UNKNOWN):
        return label
    number = int(label)
    return next(name for name, low, high in _GROUP_BOUNDS if low <= number <= high)


CIL_NAMES: tuple[str, ...] = tuple(
    label if label in ("X", "Y") else f"{group_of(label)}{label}" for label in CHROMOSOMES
)

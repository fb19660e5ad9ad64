"""Several runs of one network at once, each on one processor.

On two cores a small run is split badly between threads: what splits are its single operations, of a tenth of a
millisecond each.  Whole runs beside each other waste nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_MOST = 6  # at once: what each holds in memory adds up


Part = TypeVar("Part")
Found = TypeVar("Found")


def side_by_side(work: Callable[[Part], Found], parts: Iterable[Part], threads: int) -> list[Found]:
    """work of each part, in their order; what it raises is raised."""
    parts = list(parts)
    at_once = min(_MOST, len(parts), threads)
    if at_once < 2:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(work, parts))

from __future__ import annotations

import threading
from time import sleep

import pytest

from inference.backends.side_by_side import side_by_side


def test_found_in_the_order_of_the_parts_whichever_ends_first() -> None:
    def work(part: int) -> int:
        sleep(0.02 if part == 0 else 0)
        return part * part

    assert side_by_side(work, range(9), 3) == [part * part for part in range(9)]
    assert side_by_side(work, [], 3) == []


def test_so_many_at_once_and_with_one_thread_none_beside_the_caller() -> None:
    met = threading.Barrier(2, timeout=10)
    assert side_by_side(lambda _: met.wait() >= 0, range(4), 2) == [True] * 4
    assert set(side_by_side(lambda _: threading.get_ident(), range(4), 1)) == {threading.get_ident()}


def test_what_fails_fails_for_the_caller() -> None:
    def work(part: int) -> int:
        if part == 3:
            raise ValueError("the third")
        return part

    with pytest.raises(ValueError, match="the third"):
        side_by_side(work, range(6), 2)

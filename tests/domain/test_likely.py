"""Which of many cells is likely to need the least."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.domain.likely import expected_corrections


def _entry(there: float, score: float, state: str = "present", reviewed: bool = False, source: str = "machine") -> Any:
    return {"detection_score": there, "score": score, "state": state, "reviewed": reviewed, "source": source}


def _expected(*entries: Any) -> float:
    return expected_corrections({"chromosomes": list(entries)})


def test_what_is_there_may_be_none_or_named_wrongly_and_what_was_left_out_may_be_one() -> None:
    assert _expected() == 0
    assert _expected(_entry(1, 1), _entry(1, 1)) == 0
    assert _expected(_entry(0.9, 0.5)) == pytest.approx(0.55)
    assert _expected(_entry(0.2, 0.9, "debris")) == pytest.approx(0.2)
    assert _expected(_entry(0.9, 0.5), _entry(0.2, 0.9, "debris"), _entry(1, 0.75)) == pytest.approx(1.0)


def test_what_a_person_has_looked_at_needs_nothing() -> None:
    assert _expected(_entry(0.9, 0.5, reviewed=True), _entry(0.2, 0.9, "debris", reviewed=True)) == 0
    assert _expected(_entry(0.9, 0.5, source="person")) == 0


_SHARE = st.floats(0, 1)


@given(st.lists(st.builds(_entry, _SHARE, _SHARE, st.sampled_from(["present", "debris"])), max_size=60))
def test_looking_at_one_more_never_makes_it_need_more(entries: list[Any]) -> None:
    whole = _expected(*entries)
    assert 0 <= whole <= len(entries) + 1e-3
    for row in range(len(entries)):
        looked_at = [*entries[:row], {**entries[row], "reviewed": True}, *entries[row + 1 :]]
        assert _expected(*looked_at) <= whole + 1e-3

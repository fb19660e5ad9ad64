from __future__ import annotations

import itertools

import pytest

from cases.domain import states

ALLOWED = {
    ("open", "submit"): "submitted",
    ("returned", "submit"): "submitted",
    ("submitted", "return"): "returned",
    ("submitted", "sign"): "signed",
    ("signed", "amend"): "open",
}


@pytest.mark.parametrize(
    ("state", "transition"),
    itertools.product(["open", "submitted", "returned", "signed"], ["submit", "return", "sign", "amend"]),
)
def test_only_these_ways_lead_between_states(state: str, transition: str) -> None:
    if (state, transition) in ALLOWED:
        assert states.after(state, transition) == ALLOWED[state, transition]
        return
    with pytest.raises(states.TransitionRefused) as refused:
        states.after(state, transition)
    assert refused.value.sentence.count(".") >= 2, "what is the case, and what to do"


def test_work_goes_on_only_while_open_or_returned() -> None:
    assert [state for state in ("open", "submitted", "returned", "signed") if not states.locked_because(state)] == [
        "open",
        "returned",
    ]


def test_the_states_are_those_that_the_record_knows() -> None:
    from cases.models import CaseState

    known = {target for _, target in states.TRANSITIONS.values()} | {states.OPEN}
    assert known == set(CaseState.values)

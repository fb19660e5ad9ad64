"""The states of a case, and the only ways between them."""

from __future__ import annotations

OPEN, SUBMITTED, RETURNED, SIGNED = "open", "submitted", "returned", "signed"

# transition → (states that it starts from, state that it ends in)
TRANSITIONS: dict[str, tuple[frozenset[str], str]] = {
    "submit": (frozenset({OPEN, RETURNED}), SUBMITTED),
    "return": (frozenset({SUBMITTED}), RETURNED),
    "sign": (frozenset({SUBMITTED}), SIGNED),
    "amend": (frozenset({SIGNED}), OPEN),
}
EDITABLE = frozenset({OPEN, RETURNED})

_WHERE = {
    OPEN: "is still being worked on",
    SUBMITTED: "is under review",
    RETURNED: "was returned and is being worked on",
    SIGNED: "is signed",
}
_WAY_ON = {
    OPEN: "Submit it first.",
    RETURNED: "Submit it again first.",
    SUBMITTED: "A supervisor can return it to its author.",
    SIGNED: "To change it, a supervisor opens an amendment: a new version beside the signed one.",
}


class TransitionRefused(ValueError):
    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def after(state: str, transition: str) -> str:
    """The state that the transition leads to.  Raises TransitionRefused with a sentence where it is not allowed."""
    sources, target = TRANSITIONS[transition]
    if state not in sources:
        raise TransitionRefused(f"This case {_WHERE[state]}, so it cannot be {_done(transition)}. {_WAY_ON[state]}")
    return target


def locked_because(state: str) -> str:
    """Why nothing in the case may be changed now; empty while it may."""
    if state in EDITABLE:
        return ""
    return f"This case {_WHERE[state]} and cannot be changed. {_WAY_ON[state]}"


def _done(transition: str) -> str:
    return {"submit": "submitted", "return": "returned", "sign": "signed", "amend": "amended"}[transition]

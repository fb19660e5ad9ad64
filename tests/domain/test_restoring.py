"""One chromosome back as the machine proposed it, whatever people did to it and to the others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.domain import karyogram as domain
from cases.domain.restoring import restoring
from tests.conftest import chromosome
from tests.domain.test_karyogram import EDIT, walk_document


def walked(edits: list[dict[str, Any]]) -> dict[str, Any]:
    document = walk_document()
    for edit in edits:
        try:
            document = domain.apply(document, edit).document
        except domain.EditRefused:
            continue
    return document


@settings(max_examples=150, deadline=None)
@given(st.lists(EDIT, max_size=10), st.integers(1, 12))
def test_whatever_was_done_it_comes_back_and_can_be_undone(edits: list[dict[str, Any]], number: int) -> None:
    proposal, document, identifier = walk_document(), walked(edits), f"c{number:02d}"
    edit = restoring(document, proposal, identifier)
    if edit is None:
        after = document
    else:
        after, inverse = domain.apply(document, edit)
        assert domain.apply(after, inverse).document == document
        assert restoring(after, proposal, identifier) is None
    domain.check(after)
    # Probabilities, scores and flags are no edit's to change, except where another of this name was added meanwhile.
    edited = {"label", "state", "reviewed", "source", "rings", "box", "angle", "flip"}
    now = next(one for one in after["chromosomes"] if one["id"] == identifier)
    then = next(one for one in proposal["chromosomes"] if one["id"] == identifier)
    assert {key: now[key] for key in edited} == {key: then[key] for key in edited}
    assert set(now) == set(then)
    assert now["order"] <= then["order"]


def test_its_place_is_the_proposed_one_as_far_as_there_is_one() -> None:
    proposal = walk_document()
    gone = walked([{"op": "remove", "id": identifier} for identifier in ("c05", "c06", "c07")])
    edit = restoring(gone, proposal, "c07")
    assert edit is not None
    after = domain.apply(gone, edit).document
    assert [one["id"] for one in domain.slots(after)["8"]] == ["c07"]


def test_what_a_person_added_has_no_proposal_to_go_back_to() -> None:
    document = walk_document()
    document["chromosomes"].append(chromosome("c13", "3", 0))
    with pytest.raises(domain.EditRefused):
        restoring(document, walk_document(), "c13")

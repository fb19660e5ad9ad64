"""Versions, changes, presence and comments by API."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.api.conftest import Clients, problem

pytestmark = pytest.mark.django_db
MOVE = {"op": "move", "id": "c03", "label": "X", "index": 1}


@pytest.fixture
def cell(karyogram: Any) -> str:
    return f"/api/v1/metaphases/{karyogram.metaphase_id}/"


@pytest.fixture
def cole(program: Clients, colleague: Any) -> APIClient:
    return program(colleague)


def edit(client: APIClient, cell: str, base: int, change: Any = None) -> None:
    body = {"base_version": base, "edit": change or MOVE}
    assert client.post(f"{cell}karyogram/edits/", body, format="json").status_code == 200


def test_versions_are_listed_newest_first_and_each_can_be_read(tess: APIClient, cell: str) -> None:
    start = tess.get(f"{cell}karyogram/").json()["document"]
    edit(tess, cell, 1)
    edit(tess, cell, 2, {"op": "flip", "id": "c01"})
    listed = tess.get(f"{cell}karyogram/versions/?page_size=2").json()
    assert [step["version"] for step in listed["results"]] == [3, 2]
    rest = tess.get(listed["next"]).json()
    assert [(step["version"], step["kind"], step["edit"]) for step in rest["results"]] == [
        (1, "proposal", {"op": "replace"})
    ]
    old = tess.get(f"{cell}karyogram/versions/1/").json()
    assert (old["document"], old["version"], old["newest"], old["doubts"]) == (start, 1, 3, 1)
    assert old["step"]["author"] == "Karyosite"
    problem(tess.get(f"{cell}karyogram/versions/4/"), 404, "not-found")


def test_an_earlier_version_comes_back_as_a_step(tess: APIClient, sunil: APIClient, cell: str) -> None:
    edit(tess, cell, 1)
    body = sunil.post(f"{cell}karyogram/versions/1/restore/", {"base_version": 2}, format="json").json()
    assert (body["version"], body["step"]["kind"], body["step"]["restores"], body["can_undo"]) == (
        3,
        "restore",
        1,
        True,
    )
    assert body["step"]["edit"]["document"] == tess.get(f"{cell}karyogram/").json()["document"]
    stale = tess.post(f"{cell}karyogram/versions/2/restore/", {"base_version": 2}, format="json")
    problem(stale, 409, "stale-version")
    problem(tess.post(f"{cell}karyogram/versions/9/restore/", {"base_version": 3}, format="json"), 404)


def test_origins_name_the_person(tess: APIClient, cell: str) -> None:
    edit(tess, cell, 1)
    body = tess.get(f"{cell}karyogram/origins/").json()
    (one,) = body["chromosomes"]
    assert (body["version"], one["id"]) == (2, "c03")
    assert {key: one["decisions"][0][key] for key in ("what", "by", "version")} == {
        "what": "named", "by": "Tess Okafor", "version": 2,
    }  # fmt: skip


def test_changes_since_a_version_and_nothing_when_nothing_changed(tess: APIClient, cole: APIClient, cell: str) -> None:
    changes = f"{cell}karyogram/changes/"
    first = tess.get(changes, {"since": 1})
    body = first.json()
    assert (body["version"], body["steps"], body["reload"], body["here"], body["editable"]) == (1, [], False, [], True)
    again = tess.get(changes, {"since": 1}, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    edit(cole, cell, 1)
    body = tess.get(changes, {"since": 1}, headers={"If-None-Match": first["ETag"]}).json()
    (step,) = body["steps"]
    assert (step["version"], step["edit"], step["author"], body["can_undo"]) == (2, MOVE, "Cole Lindqvist", True)
    taken = tess.get(changes, {"since": 2})
    assert taken.json()["steps"] == []
    assert tess.get(changes, {"since": 1}, headers={"If-None-Match": taken["ETag"]}).status_code == 200
    assert tess.get(changes, {"since": 3}).json()["reload"] is True
    problem(tess.get(changes), 400, "invalid")


def test_a_page_far_behind_loads_everything(tess: APIClient, cell: str) -> None:
    for base in range(1, 53):
        edit(tess, cell, base, {"op": "flip", "id": "c01"})
    body = tess.get(f"{cell}karyogram/changes/", {"since": 2}).json()
    assert (body["reload"], body["steps"]) == (True, [])
    assert len(tess.get(f"{cell}karyogram/changes/", {"since": 3}).json()["steps"]) == 50


def test_who_is_here(tess: APIClient, cole: APIClient, cell: str) -> None:
    assert cole.post(f"{cell}presence/").status_code == 204
    body = tess.get(f"{cell}karyogram/changes/", {"since": 1}).json()
    assert [(one["name"], one["initials"]) for one in body["here"]] == [("Cole Lindqvist", "CL")]
    assert cole.get(f"{cell}karyogram/changes/", {"since": 1}).json()["here"] == []


def test_a_cell_without_a_karyogram_has_a_pulse_too(tess: APIClient, metaphase: Any) -> None:
    body = tess.get(f"/api/v1/metaphases/{metaphase.pk}/karyogram/changes/", {"since": 0}).json()
    assert (body["version"], body["steps"], body["reload"]) == (0, [], False)


def test_comments_are_made_read_resolved_and_reopened(tess: APIClient, cole: APIClient, cell: str, case: Any) -> None:
    made = tess.post(f"{cell}comments/", {"text": "8 or X?", "chromosome": "c03"}, format="json")
    assert made.status_code == 201, made.content
    body = made.json()
    assert (body["author"], body["cell"], body["chromosome"], body["resolved_at"]) == ("Tess Okafor", 1, "c03", None)
    cole.post(f"{cell}comments/", {"text": "Overlap here.", "spot": [40, 50]}, format="json")
    assert [one["text"] for one in tess.get(f"{cell}comments/").json()["results"]] == ["8 or X?", "Overlap here."]
    done = cole.post(f"/api/v1/comments/{body['id']}/resolve/").json()
    assert (done["resolved_by"], done["may_resolve"]) == ("Cole Lindqvist", True)
    of_case = f"/api/v1/cases/{case.pk}/comments/"
    assert [one["text"] for one in tess.get(of_case).json()["results"]] == ["Overlap here."]
    tess.post(f"/api/v1/comments/{body['id']}/reopen/")
    assert len(tess.get(of_case).json()["results"]) == 2
    problem(tess.post(f"{cell}comments/", {"text": "?", "spot": [4000, 5]}, format="json"), 422, "invalid")


def test_nothing_of_this_shows_to_a_stranger(tess: APIClient, stella: APIClient, cell: str, case: Any) -> None:
    made = tess.post(f"{cell}comments/", {"text": "Ours."}, format="json").json()["id"]
    for read in ("karyogram/versions/1/", "karyogram/versions/", "karyogram/origins/", "karyogram/changes/?since=1",
                 "comments/"):  # fmt: skip
        problem(stella.get(f"{cell}{read}"), 404)
    problem(stella.get(f"/api/v1/cases/{case.pk}/comments/"), 404)
    for write in (f"{cell}presence/", f"/api/v1/comments/{made}/resolve/", f"/api/v1/comments/{made}/reopen/"):
        problem(stella.post(write), 404)
    problem(stella.post(f"{cell}comments/", {"text": "Theirs."}, format="json"), 404)
    restore = stella.post(f"{cell}karyogram/versions/1/restore/", {"base_version": 1}, format="json")
    problem(restore, 404)


def test_the_case_goes_to_review_with_open_comments_only_when_told(tess: APIClient, cell: str, case: Any) -> None:
    tess.post(f"{cell}karyogram/accept/", {"base_version": 1}, format="json")
    tess.post(f"{cell}comments/", {"text": "Is this one whole?"}, format="json")
    submit = f"/api/v1/cases/{case.pk}/submit/"
    refused = problem(tess.post(submit, {"result": "46,XX"}, format="json"), 409, "open-comments")
    assert refused["open_comments"] == 1
    assert tess.post(submit, {"result": "46,XX", "with_open_comments": True}, format="json").status_code == 201

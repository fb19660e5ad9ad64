"""The karyogram by API, as the editor and other programs use it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from cases.models import KaryogramEdit
from tests.api.conftest import Clients, problem

pytestmark = pytest.mark.django_db
MOVE = {"op": "move", "id": "c03", "label": "X", "index": 1}
STATE = {"version", "can_undo", "can_redo", "count", "sex_complement", "doubts", "accepted", "research_use_only"}


@pytest.fixture
def address(karyogram: Any) -> str:
    return f"/api/v1/metaphases/{karyogram.metaphase_id}/karyogram/"


def edit(client: APIClient, address: str, base_version: Any = 1, **more: Any) -> Any:
    return client.post(f"{address}edits/", {"base_version": base_version, "edit": MOVE} | more, format="json")


def test_the_karyogram_comes_with_all_that_an_editor_needs(tess: APIClient, address: str, karyogram: Any) -> None:
    body = tess.get(address).json()
    assert set(body) == STATE | {"document", "editable", "locked_because", "view_url"}
    assert body["document"] == karyogram.document
    assert (body["version"], body["count"], body["doubts"], body["accepted"]) == (1, 5, 1, False)
    assert (body["can_undo"], body["can_redo"], body["editable"], body["locked_because"]) == (False, False, True, "")
    assert tess.get(body["view_url"]).status_code == 200


def test_a_cell_without_a_karyogram_has_none_to_show(tess: APIClient, metaphase: Any) -> None:
    problem(tess.get(f"/api/v1/metaphases/{metaphase.pk}/karyogram/"), 404)
    assert tess.get(f"/api/v1/metaphases/{metaphase.pk}/karyogram/edits/").json()["results"] == []


def test_an_edit_answers_with_its_step_and_the_new_state(tess: APIClient, address: str) -> None:
    response = edit(tess, address)
    assert response.status_code == 200, response.content
    body = response.json()
    assert set(body) == STATE | {"step"}
    assert set(body["step"]) == {"version", "kind", "edit", "inverse", "author", "at", "undoes", "restores"}
    assert (body["version"], body["count"], body["doubts"], body["can_undo"], body["can_redo"]) == (
        2,
        5,
        0,
        True,
        False,
    )
    assert (body["step"]["version"], body["step"]["kind"], body["step"]["edit"]) == (2, "edit", MOVE)
    assert (body["step"]["author"], body["step"]["undoes"]) == ("Tess Okafor", None)
    assert body["step"]["inverse"]["op"] == "place"
    document = tess.get(address).json()["document"]
    moved = next(entry for entry in document["chromosomes"] if entry["id"] == "c03")
    assert (moved["label"], moved["order"], moved["reviewed"], moved["source"]) == ("X", 1, True, "person")


def test_a_stale_edit_gets_the_karyogram_as_it_is_now(
    tess: APIClient, program: Clients, colleague: Any, address: str
) -> None:
    edit(program(colleague), address)
    body = problem(edit(tess, address, edit={"op": "flip", "id": "c01"}), 409, "stale-version")
    assert (body["version"], body["can_undo"], body["can_redo"]) == (2, True, False)
    assert body["document"] == tess.get(address).json()["document"]
    assert KaryogramEdit.objects.count() == 2


def test_an_edit_sent_twice_counts_once(tess: APIClient, address: str) -> None:
    first = edit(tess, address, client_key="window-1:7")
    again = edit(tess, address, client_key="window-1:7")
    assert again.status_code == 200
    assert again.json()["step"] == first.json()["step"]
    assert again.json()["version"] == 2
    assert KaryogramEdit.objects.count() == 2
    problem(edit(tess, address, 2, client_key="window-1:7", edit={"op": "flip", "id": "c01"}), 409, "client-key-reused")


def test_undo_and_redo_are_steps_of_a_history_that_only_grows(tess: APIClient, address: str) -> None:
    before = tess.get(address).json()["document"]
    edit(tess, address)
    undone = tess.post(f"{address}undo/", {"base_version": 2}, format="json").json()
    assert (undone["version"], undone["step"]["kind"], undone["step"]["undoes"]) == (3, "undo", 2)
    assert (undone["can_undo"], undone["can_redo"], undone["doubts"]) == (False, True, 1)
    assert tess.get(address).json()["document"] == before
    redone = tess.post(f"{address}redo/", {"base_version": 3}, format="json").json()
    assert (redone["version"], redone["step"]["kind"], redone["can_redo"]) == (4, "redo", False)
    problem(tess.post(f"{address}redo/", {"base_version": 4}, format="json"), 409)
    problem(tess.post(f"{address}undo/", {"base_version": 3}, format="json"), 409, "stale-version")
    history = tess.get(f"{address}edits/", {"page_size": 2}).json()
    later = tess.get(history["next"]).json()
    steps = history["results"] + later["results"]
    assert [(step["version"], step["kind"]) for step in steps] == [
        (1, "proposal"),
        (2, "edit"),
        (3, "undo"),
        (4, "redo"),
    ]
    assert all(step["research_use_only"] is True for step in steps)
    assert later["next"] is None


def test_a_person_accepts_a_cell_and_an_edit_withdraws_it(tess: APIClient, address: str, karyogram: Any) -> None:
    accepted = tess.post(f"{address}accept/", {"base_version": 1}, format="json")
    assert accepted.status_code == 200, accepted.content
    assert set(accepted.json()) == STATE
    assert accepted.json()["accepted"] is True
    cell = tess.get(f"/api/v1/metaphases/{karyogram.metaphase_id}/").json()
    assert (cell["accepted_by"], cell["karyogram"]["count"]) == ("Tess Okafor", 5)
    assert tess.post(f"{address}reopen/", {"base_version": 1}, format="json").json()["accepted"] is False
    tess.post(f"{address}accept/", {"base_version": 1}, format="json")
    assert edit(tess, address).json()["accepted"] is False
    problem(tess.post(f"{address}accept/", {"base_version": 1}, format="json"), 409, "stale-version")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"edit": {"op": "explode", "id": "c01"}}, 422),
        ({"edit": {"op": "move", "id": "c99", "label": "X", "index": 0}}, 422),
        ({"edit": {"op": "move", "id": "c01", "label": "23", "index": 0}}, 422),
        ({"edit": {"op": "move", "id": "c01", "label": "X", "index": 9}}, 422),
        ({"edit": {"op": "flip", "id": "c01", "extra": 1}}, 422),
        ({"edit": {"op": "flip", "id": ["c01"]}}, 422),
        ({"edit": {"op": ["flip"], "id": "c01"}}, 422),
        ({"edit": {"op": "rotate", "id": "c01", "angle": 1e999}}, 422),
        ({"edit": {"op": "rotate", "id": "c01", "angle": 10**400}}, 422),
        ({"edit": {"op": "batch", "edits": [{"op": "batch", "edits": []}]}}, 422),
        ({"edit": {"op": "batch", "edits": "all"}}, 422),
        ({"edit": {"op": "replace", "document": {}}}, 422),
        ({"edit": {}}, 422),
        ({"edit": []}, 400),
        ({"edit": None}, 400),
        ({"base_version": None}, 400),
        ({"base_version": 1.5}, 400),
        ({"base_version": "one"}, 400),
        ({"base_version": 10**30}, 400),
        ({"client_key": "x" * 65}, 400),
        ({"client_key": {"a": 1}}, 400),
        ({"client_key": "a\x00b"}, 400),
        ({"version": 1}, 400),
    ],
)
def test_an_edit_that_makes_no_sense_changes_nothing(
    tess: APIClient, address: str, change: dict[str, Any], status: int
) -> None:
    before = tess.get(address).json()
    # By hand, because a client's JSON library writes what Python's would not (1e999).
    body = json.dumps({"base_version": 1, "edit": MOVE} | change).replace("Infinity", "1e999")
    problem(tess.generic("POST", f"{address}edits/", body.encode(), content_type="application/json"), status)
    assert tess.get(address).json() == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[1, 2]", 400),
        (b"null", 400),
        (b'"text"', 400),
        (b"\xff\xfe\x00", 400),
        (b'{"base_version": NaN}', 400),
        (b"[" * 200_000, 400),
        (b'{"a":' * 100_000, 400),
        (b'{"base_version": 1, "edit": {"op": "move", "id": "\\ud800", "label": "X", "index": 0}}', 400),
        (b'{"base_version": 1, "edit": {"op": "\\u0000"}}', 400),
        (b'{"base_version": ' + b"9" * 5000 + b"}", 400),
        (b'{"x": "' + b"a" * 2**20 + b'"}', 413),
    ],
)
def test_a_body_that_is_no_sound_json_is_refused(tess: APIClient, address: str, body: bytes, status: int) -> None:
    problem(tess.generic("POST", f"{address}edits/", body, content_type="application/json"), status)


def test_a_colleague_without_the_right_reads_and_is_told_why_not_more(
    program: Clients, administrator: Any, address: str
) -> None:
    client = program(administrator)
    body = client.get(address).json()
    assert body["editable"] is False
    assert body["locked_because"] == "Only technologists and supervisors may change a karyogram."
    assert problem(edit(client, address), 403, "forbidden")["detail"] == body["locked_because"]


def test_outlines_and_a_way_back_to_the_machines(tess: APIClient, address: str) -> None:
    before = tess.get(address).json()["document"]
    reshape = {
        "op": "reshape",
        "id": "c01",
        "rings": [[[30, 8], [52, 8], [52, 60], [30, 60]]],
        "box": [30, 8, 52, 60],
        "axis": [[41, 8], [41, 60]],
        "centromere": 0.4,
    }
    steps = [reshape, {"op": "lost", "label": "8", "count": 1}, {"op": "remove", "id": "c03"}]
    body = edit(tess, address, edit={"op": "batch", "edits": steps}).json()
    assert (body["version"], body["count"]) == (2, 4)
    document = tess.get(address).json()["document"]
    assert (document["chromosomes"][0]["centromere"], document["lost"]) == (0.4, {"8": 1})
    one = tess.post(f"{address}restore/", {"base_version": 2, "id": "c03"}, format="json").json()
    assert (one["version"], one["count"], one["step"]["kind"], one["step"]["edit"]["as"]) == (3, 5, "edit", "restore")
    whole = tess.post(f"{address}restore/", {"base_version": 3, "id": None, "client_key": "k"}, format="json").json()
    assert (whole["version"], whole["step"]["kind"], whole["step"]["restores"]) == (4, "restore", 1)
    assert tess.get(address).json()["document"] == before
    tess.post(f"{address}undo/", {"base_version": 4}, format="json")
    assert tess.get(address).json()["document"]["lost"] == {"8": 1}

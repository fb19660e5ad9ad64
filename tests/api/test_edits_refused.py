"""Edits that cannot be: refused with a reason that a person can read, and nothing of the karyogram has changed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from cases.models import Case, CaseState, Karyogram, KaryogramEdit
from karyosite.audit.models import AuditEntry
from tests.api.conftest import problem
from tests.conftest import chromosome

pytestmark = pytest.mark.django_db
SQUARE = [[10, 10], [40, 10], [40, 60], [10, 60]]
BOW_TIE = [[10, 10], [40, 60], [40, 10], [10, 60]]
MEANT = {"op": "flip", "id": "c01"}


def circle(corners: int) -> list[list[float]]:
    turns = [2 * math.pi * corner / corners for corner in range(corners)]
    return [[round(100 + 60 * math.cos(turn), 2), round(100 + 60 * math.sin(turn), 2)] for turn in turns]


def reshape(rings: Any, box: Any = (10, 10, 40, 60), **changes: Any) -> dict[str, Any]:
    edit = {"op": "reshape", "id": "c01", "rings": rings, "box": list(box), "axis": None, "centromere": None}
    return edit | changes


def add(**changes: Any) -> dict[str, Any]:
    new = chromosome("p1", "8", 0, rings=[SQUARE], box=[10, 10, 40, 60], source="person") | changes
    del new["order"]
    return {"op": "add", "chromosome": new, "index": 0}


@pytest.fixture
def address(karyogram: Any) -> str:
    return f"/api/v1/metaphases/{karyogram.metaphase_id}/karyogram/"


@pytest.fixture(autouse=True)
def _nothing_has_changed(karyogram: Any) -> Iterator[None]:
    before = Karyogram.objects.values().get()
    yield
    assert Karyogram.objects.values().get() == before
    assert KaryogramEdit.objects.count() == 1
    assert not AuditEntry.objects.filter(verb__startswith="karyogram.").exists()


def send(client: APIClient, address: str, edit: Any, **more: Any) -> Any:
    return client.post(f"{address}edits/", {"base_version": 1, "edit": edit} | more, format="json")


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        ({"op": "flip", "id": "c99"}, "not in this karyogram"),
        ({"op": "swap", "id": "c01", "other": "c99"}, "not in this karyogram"),
        ({"op": "remove", "id": "c99"}, "not in this karyogram"),
        ({"op": "batch", "edits": [MEANT, {"op": "flip", "id": "c99"}]}, "not in this karyogram"),
        ({"op": "move", "id": "c01", "label": "23", "index": 0}, "1 to 22, X, Y"),
        ({"op": "lost", "label": "23", "count": 1}, "1 to 22, X or Y"),
        (add(label="W"), "no known label"),
        (add(id="c01"), "already"),
        ({"op": "rotate", "id": "c01", "angle": None}, "angle"),
        (add(angle=None), "angle"),
        (reshape([BOW_TIE]), "crosses itself"),
        (reshape([SQUARE, BOW_TIE]), "crosses itself"),
        (add(rings=[BOW_TIE]), "crosses itself"),
        ({"op": "batch", "as": "split", "edits": [MEANT, reshape([BOW_TIE])]}, "crosses itself"),
        (reshape([[[10, 10], [321, 10], [40, 60]]]), "leaves the photograph"),
        (reshape([[[10, 10], [40, 10], [40, 240.5]]]), "leaves the photograph"),
        (reshape([SQUARE], (-1, 10, 40, 60)), "leaves the photograph"),
        (add(box=[10, 10, 400, 60]), "leaves the photograph"),
        (reshape([]), "at least one ring"),
        (reshape([SQUARE] * 65), "at most 64 rings"),
        (reshape([circle(4001)], (40, 40, 160, 160)), "4000 points"),
        (reshape([[[10, 10], [40, 10]]]), "three points"),
        (reshape([[[10, 10], [40, None], [40, 60]]]), "not made of points"),
        (reshape([SQUARE], axis=[[1, 1]]), "axis"),
        (reshape([SQUARE], centromere=2), "centromere"),
        ({"op": "replace", "document": {}}, "Only a new analysis"),
        ({"op": "replace", "document": {}, "as": "version"}, "Only a new analysis"),
        ({"op": "batch", "as": "magic", "edits": [MEANT]}, "known word"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_edit_that_cannot_be(tess: APIClient, address: str, edit: dict[str, Any], reason: str) -> None:
    assert reason in problem(send(tess, address, edit), 422, "edit-refused")["detail"]


@pytest.mark.parametrize("angle", ["NaN", "Infinity", "-Infinity"])
def test_an_angle_that_json_does_not_know(tess: APIClient, address: str, angle: str) -> None:
    body = f'{{"base_version": 1, "edit": {{"op": "rotate", "id": "c01", "angle": {angle}}}}}'.encode()
    problem(tess.generic("POST", f"{address}edits/", body, content_type="application/json"), 400)


def test_an_edit_of_ten_megabytes(tess: APIClient, address: str) -> None:
    rings = [circle(2000)] * 400
    body = json.dumps({"base_version": 1, "edit": reshape(rings)}).encode()
    assert len(body) > 10_000_000
    problem(tess.generic("POST", f"{address}edits/", body, content_type="application/json"), 413)


@pytest.mark.parametrize("state", [CaseState.SUBMITTED, CaseState.SIGNED])
def test_a_case_under_review_or_signed(tess: APIClient, address: str, state: str) -> None:
    Case.objects.update(state=state)
    problem(send(tess, address, MEANT), 409, "case-locked")
    problem(tess.post(f"{address}restore/", {"base_version": 1, "id": "c01"}, format="json"), 409, "case-locked")


def test_a_foreign_case_is_not_there(stella: APIClient, address: str) -> None:
    problem(send(stella, address, MEANT), 404)
    problem(stella.post(f"{address}restore/", {"base_version": 1}, format="json"), 404)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"base_version": 1, "id": "c01"}, 409),  # it is as the machine proposed it
        ({"base_version": 1}, 409),
        ({"base_version": 1, "id": "c99"}, 422),
        ({"base_version": 7, "id": "c01"}, 409),
        ({"id": "c01"}, 400),
        ({"base_version": 1, "id": ["c01"]}, 400),
        ({"base_version": 1, "id": "c" * 33}, 400),
    ],
)
def test_nothing_to_put_back(tess: APIClient, address: str, body: dict[str, Any], status: int) -> None:
    problem(tess.post(f"{address}restore/", body, format="json"), status)

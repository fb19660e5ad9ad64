"""Counts, standings and a case's sum by the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import problem
from tests.cases.conftest import add_cell

pytestmark = pytest.mark.django_db


def address(metaphase: Any, what: str = "count") -> str:
    return f"/api/v1/metaphases/{metaphase.pk}/{what}/"


def test_a_count_starts_from_the_machines_chromosomes(tess: Any, karyogram: Any) -> None:
    started = tess.get(address(karyogram.metaphase)).json()
    assert started["proposed"] and started["base_version"] == 0 and started["editable"]
    assert started["ticks"] == [[41.0, 34.0], [65.0, 34.0], [89.0, 34.0], [113.0, 34.0], [137.0, 34.0]]
    assert (started["count"], started["karyogram_count"], started["standing"]) == (None, 5, "new")
    assert tess.get(started["view_url"]).status_code == 200
    stored = tess.put(
        address(karyogram.metaphase), {"ticks": started["ticks"][:4], "sure": True, "base_version": 0}, format="json"
    ).json()
    assert (stored["count"], stored["standing"], stored["base_version"], stored["differs"]) == (4, "counted", 1, True)
    assert not stored["proposed"] and stored["counted_by"] == "Tess Okafor"
    assert tess.get(f"/api/v1/metaphases/{karyogram.metaphase_id}/").json()["count"] == 4


def test_without_a_karyogram_it_starts_from_nothing(tess: Any, metaphase: Any) -> None:
    assert tess.get(address(metaphase)).json()["ticks"] == []


def test_what_is_refused(tess: Any, stella: Any, program: Any, metaphase: Any, integration: Any) -> None:
    body = {"ticks": [[1, 2]], "sure": True, "base_version": 0}
    assert (
        "outside" in problem(tess.put(address(metaphase), body | {"ticks": [[9999, 2]]}, format="json"), 422)["detail"]
    )
    problem(tess.put(address(metaphase), body | {"ticks": {"x": 1}}, format="json"), 422, "ticks-refused")
    problem(tess.put(address(metaphase), body | {"sure": "perhaps"}, format="json"), 400, "invalid")
    problem(tess.put(address(metaphase), body | {"tick": 1}, format="json"), 400, "invalid")
    problem(program(integration).put(address(metaphase), body, format="json"), 403, "forbidden")
    assert program(integration).get(address(metaphase)).json()["editable"] is False
    for call in (stella.get(address(metaphase)), stella.put(address(metaphase), body, format="json")):
        problem(call, 404, "not-found")
    problem(stella.post(address(metaphase, "standing"), {"standing": "new"}, format="json"), 404)
    problem(stella.get(f"/api/v1/cases/{metaphase.case_id}/counting/"), 404)
    assert tess.put(address(metaphase), body, format="json").status_code == 200
    stale = problem(tess.put(address(metaphase), body | {"ticks": []}, format="json"), 409, "stale-count")
    assert stale["ticks"] == [[1.0, 2.0]] and stale["version"] == 1


def test_standing_and_the_sum_of_a_case(tess: Any, karyogram: Any, case: Any) -> None:
    cell = karyogram.metaphase
    others = [add_cell(case, cell.image, page) for page in (1, 2)]
    assert (
        tess.post(f"/api/v1/metaphases/{cell.pk}/karyogram/accept/", {"base_version": 1}, format="json").status_code
        == 200
    )
    tess.put(address(others[0]), {"ticks": [[5, 5]], "sure": False, "base_version": 0, "analysed": True}, format="json")
    problem(tess.post(address(others[1], "standing"), {"standing": "excluded"}, format="json"), 422, "invalid")
    out = tess.post(
        address(others[1], "standing"), {"standing": "excluded", "reason": "Two cells in one picture"}, format="json"
    ).json()
    assert (out["standing"], out["exclusion_reason"]) == ("excluded", "Two cells in one picture")
    found = tess.get(f"/api/v1/cases/{case.pk}/counting/").json()
    numbers = {name: found[name] for name in ("cells", "counted", "analysed", "karyotyped", "excluded", "not_sure")}
    assert numbers == {"cells": 3, "counted": 2, "analysed": 2, "karyotyped": 1, "excluded": 1, "not_sure": 1}
    assert found["distribution"] == [{"count": 1, "cells": 1}, {"count": 5, "cells": 1}]
    assert found["exclusions"] == [{"reason": "Two cells in one picture", "cells": 1}] and found["research_use_only"]
    assert found["summary"][0] == "2 cells counted, 2 analysed, 1 karyotyped."
    listed = tess.get(f"/api/v1/cases/{case.pk}/metaphases/?standing=excluded").json()["results"]
    assert [one["ordinal"] for one in listed] == [3]
    problem(tess.get(f"/api/v1/cases/{case.pk}/metaphases/?standing=scored"), 400)

"""The API's description is valid, complete, and committed: a change of it is seen in review."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from rest_framework.test import APIClient

SNAPSHOT = Path(__file__).with_name("openapi.yaml")
RENEW = f".venv/bin/python manage.py spectacular --validate --fail-on-warn --file tests/contracts/{SNAPSHOT.name}"


def test_the_description_is_valid_and_as_committed(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(made))
    assert made.read_text() == SNAPSHOT.read_text(), (
        f"The API has changed. If that was meant, say so in docs/api.md, renew the snapshot with\n    {RENEW}\n"
        "and commit it together with the change."
    )


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    return yaml.safe_load(SNAPSHOT.read_text())


def test_every_operation_says_what_it_does_how_to_sign_in_and_what_can_go_wrong(description: dict[str, Any]) -> None:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["description"], where
            assert {"401", "403", "404"} <= set(operation["responses"]), where
            assert {"token": []} in operation["security"], where


def test_every_resource_says_that_it_is_for_research_use_only(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            for code, response in operation["responses"].items():
                shown = response.get("content", {}).get("application/json")
                if shown is None:
                    continue
                name = shown["schema"]["$ref"].rsplit("/", 1)[-1]
                assert "research_use_only" in schemas[name]["required"], f"{method} {path} {code}: {name}"


def test_the_description_is_served_as_yaml_and_as_json(description: dict[str, Any]) -> None:
    served = APIClient().get("/api/v1/schema/")
    assert yaml.safe_load(served.content) == description
    as_json = APIClient().get("/api/v1/schema/", HTTP_ACCEPT="application/json")
    assert as_json.json() == description


def test_the_guide_names_every_address(description: dict[str, Any]) -> None:
    guide = (SNAPSHOT.parents[2] / "docs" / "api.md").read_text()
    missing = [path for path in description["paths"] if path.removeprefix("/api/v1/") not in guide]
    assert not missing, f"docs/api.md does not tell of {missing}"

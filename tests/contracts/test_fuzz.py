"""Requests made up from the API's own description: no fault ever, and every answer as the description says.

The records exist, and most made-up ids are exchanged for theirs, so that requests get past "not found".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

pytestmark = pytest.mark.django_db
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
config = SchemathesisConfig(
    projects=ProjectsConfig(default=ProjectConfig(generation=GenerationConfig(with_security_parameters=False)))
)
api = schemathesis.openapi.from_wsgi("/api/v1/schema/", get_wsgi_application(), config=config)
_KINDS = {
    "patients": "patient",
    "cases": "case",
    "reports": "report",
    "metaphases": "cell",
    "jobs": "job",
    "comments": "comment",
}


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """As Django's own test client has it: the end of a request does not close the connection of the test."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def world(
    patient: Any, case: Any, karyogram: Any, technologist: Any, supervisor: Any, _one_connection: None
) -> dict[str, str]:
    """One record of each kind, the case returned to Tess and open for work, and her token."""
    from cases.actions.accept_karyogram import accept_karyogram
    from cases.actions.add_comment import add_comment
    from cases.actions.return_case import return_case
    from cases.actions.submit_case import submit_case
    from inference.models import InferenceJob
    from karyosite.accounts.models import ApiToken

    cache.clear()
    job = InferenceJob.objects.create(
        metaphase_id=karyogram.metaphase_id, state="failed", queued_at=timezone.now(), requested_by=technologist
    )
    accept_karyogram(user=technologist, metaphase_id=karyogram.metaphase_id, base_version=1)
    submit_case(user=technologist, case_id=case.pk, result="46,XX")
    report = return_case(user=supervisor, case_id=case.pk, reason="Look again.")
    comment = add_comment(user=technologist, metaphase_id=karyogram.metaphase_id, text="Look again.")
    _, text = ApiToken.objects.create(user=technologist, name="fuzz", expiry=None)
    spare, _ = ApiToken.objects.create(user=technologist, name="spare", expiry=None)
    return {
        "authorization": f"Bearer {text}",
        "patient": str(patient.pk),
        "case": str(case.pk),
        "cell": str(karyogram.metaphase_id),
        "job": str(job.pk),
        "report": str(report.pk),
        "comment": str(comment.pk),
        "token": str(spare.pk),
    }


def aim(request: schemathesis.Case, world: dict[str, str]) -> None:
    """Puts real ids where made-up ones would only ever meet "not found"; three requests of four."""
    kind = request.operation.path.removeprefix("/api/v1/").split("/")[0]
    for name, made_up in (request.path_parameters or {}).items():
        if isinstance(made_up, int):  # a version: the karyogram has one
            request.path_parameters[name] = abs(made_up) % 3
        elif not re.match(r"[0-3]", str(made_up)):
            request.path_parameters[name] = world[_KINDS.get(kind, "token")]
    body = request.body
    if isinstance(body, dict):
        if isinstance(body.get("patient_id"), str) and body["patient_id"][:1] not in "0123":
            body["patient_id"] = world["patient"]
        if isinstance(body.get("base_version"), int) and body["base_version"] % 4:
            from cases.models import Karyogram

            body["base_version"] = Karyogram.objects.get().version
        edit = body.get("edit")
        for step in [edit, *(edit.get("edits") or [] if isinstance(edit, dict) else [])]:
            if isinstance(step, dict) and isinstance(step.get("id"), str):
                step["id"] = f"c0{1 + len(step['id']) % 6}"


@api.parametrize()
@settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_made_up_requests_meet_no_fault(case: schemathesis.Case, world: dict[str, str]) -> None:
    aim(case, world)
    case.call_and_validate(headers={"Authorization": world["authorization"]}, checks=CHECKS)

"""Refusals that a person can read, and their one way out to pages and to the API (problem details, RFC 9457)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback


class Refusal(Exception):
    """An action says no.  `sentence` is shown as it stands; `code` is for programs."""

    status_code = status.HTTP_400_BAD_REQUEST
    code = "refused"

    def __init__(self, sentence: str, *, code: str | None = None, **extra: Any) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code or self.code
        self.extra = extra


class NotFound(Refusal):
    """Unknown, or another laboratory's: a stranger cannot tell which."""

    status_code = status.HTTP_404_NOT_FOUND
    code = "not-found"


class Forbidden(Refusal):
    """A colleague without the right."""

    status_code = status.HTTP_403_FORBIDDEN
    code = "forbidden"


class Conflict(Refusal):
    """The record is not in a state that allows this, or has moved on meanwhile."""

    status_code = status.HTTP_409_CONFLICT
    code = "conflict"


class Invalid(Refusal):
    """The input itself is wrong.  `fields` maps a field's name to its sentences."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    code = "invalid"

    def __init__(self, sentence: str, *, fields: dict[str, list[str]] | None = None, **extra: Any) -> None:
        super().__init__(sentence, **({"errors": fields} if fields else {}), **extra)
        self.fields = fields or {}


def _problem(status_code: int, code: str, detail: str, extra: dict[str, Any] | None = None) -> Response:
    return Response(
        {
            "type": f"/api/v1/problems/{code}",
            "title": code.replace("-", " ").capitalize(),
            "status": status_code,
            "code": code,
            "detail": detail,
            **(extra or {}),
        },
        status=status_code,
        content_type="application/problem+json",
    )


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """The API's only error body.  None lets an unforeseen error surface as a 500."""
    if isinstance(error, Refusal):
        set_rollback()
        return _problem(error.status_code, error.code, error.sentence, error.extra)
    if isinstance(error, Http404):
        error = exceptions.NotFound("There is nothing here under this address.")
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    extra: dict[str, Any] = {}
    if isinstance(error, exceptions.ValidationError):
        detail, code = "Some of what was sent cannot be used.", "invalid"
        extra["errors"] = error.detail
    else:
        detail, code = str(error.detail), str(error.default_code).replace("_", "-")
    response = _problem(error.status_code, code, detail, extra)
    header = getattr(error, "auth_header", None)
    if header:
        response["WWW-Authenticate"] = header
    wait = getattr(error, "wait", None)
    if wait:
        response["Retry-After"] = str(int(wait))
    return response

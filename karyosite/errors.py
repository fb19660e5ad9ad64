"""Refusals that a person can read, and their one way out to pages and to the API (problem details, RFC 9457)."""

from __future__ import annotations

import errno
import logging
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions, status
from rest_framework.response import Response

log = logging.getLogger(__name__)
INCOMPLETE = "What was sent arrived incomplete or damaged. Nothing of it was kept; please send it again."


class Refusal(Exception):
    """An action says no.  `sentence` is shown as it stands; `code` is for programs."""

    status_code: int = status.HTTP_400_BAD_REQUEST
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


class TooLarge(Refusal):
    """More bytes than the site takes.  Raised before they are read wherever that can be known."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    code = "too-large"


class NoRoom(Refusal):
    """The disk is full."""

    status_code = status.HTTP_507_INSUFFICIENT_STORAGE
    code = "storage-full"


class Invalid(Refusal):
    """The input itself is wrong.  `fields` maps a field's name to its sentences."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    code = "invalid"

    def __init__(self, sentence: str, *, fields: dict[str, list[str]] | None = None, **extra: Any) -> None:
        errors: dict[str, Any] = {"errors": fields} if fields else {}
        super().__init__(sentence, **errors, **extra)
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


def _foreseen(error: Exception) -> exceptions.APIException | Refusal | None:
    """What Django itself raises while reading a request, in this module's terms; None for a real fault."""
    if isinstance(error, (Refusal, exceptions.APIException)):
        return error
    if isinstance(error, Http404):
        return exceptions.NotFound("There is nothing here under this address.")
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, RequestDataTooBig):
        return TooLarge("The body of this request is larger than the site takes. Nothing was kept.")
    if isinstance(error, (UnreadablePostError, MultiPartParserError)):
        return Refusal(INCOMPLETE, code="incomplete")
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        log.error("the disk is full", exc_info=error)
        return NoRoom("The server's disk is full. Nothing of this was kept; please tell whoever runs the server.")
    if isinstance(error, SuspiciousOperation):
        return Refusal("This request cannot be read. Nothing was kept.", code="unreadable")
    return None


def _summary(detail: Any) -> str:
    """The first sentence of a validation error, with the name of its field."""
    if isinstance(detail, dict) and detail:
        field, inner = next(iter(detail.items()))
        sentence = _summary(inner)
        return sentence if field == "non_field_errors" else f"{field}: {sentence}"
    if isinstance(detail, (list, tuple)) and detail:
        return _summary(detail[0])
    return _sentence(str(detail))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def problem_response(error: Exception, context: dict[str, Any]) -> Response:
    """The API's only error body, for refusals, for what the framework raises, and for faults (500, logged)."""
    # Here, because rest_framework.views reads settings that name classes of modules that import this one.
    from rest_framework.views import set_rollback

    set_rollback()
    foreseen = _foreseen(error)
    if foreseen is None:
        # The signal is how error reporters (and the test client) hear of faults that get an answer all the same.
        request = context.get("request")
        got_request_exception.send(sender=problem_response, request=getattr(request, "_request", request))
        log.error("fault while answering %s", getattr(request, "path", "a request"), exc_info=error)
        return _problem(
            500,
            "fault",
            "Something went wrong on our side. Nothing was changed; the fault was noted for the operator.",
        )
    if isinstance(foreseen, Refusal):
        return _problem(foreseen.status_code, foreseen.code, foreseen.sentence, foreseen.extra)
    extra: dict[str, Any] = {}
    if isinstance(foreseen, exceptions.ValidationError):
        errors = foreseen.detail if isinstance(foreseen.detail, dict) else {"non_field_errors": foreseen.detail}
        detail, code = f"Some of what was sent cannot be used. {_summary(foreseen.detail)}", "invalid"
        extra["errors"] = errors
    else:
        detail, code = _sentence(str(foreseen.detail)), str(foreseen.default_code).replace("_", "-")
    response = _problem(foreseen.status_code, code, detail, extra)
    header = getattr(foreseen, "auth_header", None)
    if header:
        response["WWW-Authenticate"] = header
    wait = getattr(foreseen, "wait", None)
    if wait:
        response["Retry-After"] = str(int(wait) + 1)
    return response

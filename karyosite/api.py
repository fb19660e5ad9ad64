"""What the framework's settings name: token sign-in, keyset pages, bodies that are bounded before they are read.

Views and serializers are in karyosite.api_views: they need rest_framework.views, which itself imports this module.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import JSONParser as RestJSONParser
from rest_framework.parsers import MultiPartParser as RestMultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from karyosite.accounts.selectors import current_membership
from karyosite.errors import INCOMPLETE, Refusal, TooLarge

JSON_MAX_BYTES = 1024 * 1024


def research_use_only(user: Any) -> bool:
    """True until the user's laboratory has ended it by a recorded setting; true for anyone without a laboratory."""
    membership = current_membership(user)
    return membership is None or membership.laboratory.research_use_only


class TokenAuthentication(KnoxTokenAuthentication):
    """`Authorization: Bearer …`; tokens are stored as hashes only."""

    def authenticate_credentials(self, token: bytes) -> Any:
        try:
            token.decode("ascii")
        except UnicodeDecodeError as error:
            raise exceptions.AuthenticationFailed("Invalid token.") from error
        return super().authenticate_credentials(token)


def declared_bytes(request: Any) -> int:
    """The size of the body as the client declares it; the server never reads past it."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


class OneFormat(BaseContentNegotiation):
    """Each resource has one form (JSON, a picture, a PDF): whatever the client says it accepts, it gets that."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class JSONParser(RestJSONParser):
    """JSON of at most `JSON_MAX_BYTES`, of sane depth, without characters that no database takes."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        request = (parser_context or {}).get("request")
        if request is not None and declared_bytes(request) > JSON_MAX_BYTES:
            raise TooLarge("The body of this request is larger than 1 MB, the most that is taken. Nothing was kept.")
        try:
            content = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise exceptions.ParseError("This JSON is nested too deeply.") from error
        except exceptions.ParseError as error:
            where = str(error.detail).removeprefix("JSON parse error - ")
            raise exceptions.ParseError(f"This is not sound JSON: {where[:300]}.") from error
        _require_storable(content)
        return content


def _require_storable(content: Any) -> None:
    """Refuses NUL characters and halves of surrogate pairs, in keys as in values; walks without recursion."""
    waiting = [content]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting.extend(part)
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, str) and ("\x00" in part or any("\ud800" <= char <= "\udfff" for char in part)):
            raise exceptions.ParseError("This JSON holds characters that are not text (NUL or half a surrogate pair).")


class KeysetPagination(CursorPagination):
    """Pages by key, so that page 1,000 costs what page 1 costs.  Newest first."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering: Any = ("-created_at", "-id")
    request: Request

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        unreadable = "This page mark cannot be read. Start again from the first page."
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, TypeError, OverflowError, DjangoValidationError, exceptions.NotFound) as error:
            # Only a made-up mark gets here: it names a position that its column cannot hold.
            raise Refusal(unreadable, code="bad-cursor") from error

    def get_paginated_response(self, data: Any) -> Response:
        response = super().get_paginated_response(data)
        response.data["research_use_only"] = research_use_only(self.request.user)
        return response

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        described = super().get_paginated_response_schema(schema)
        described["properties"]["research_use_only"] = {"type": "boolean"}
        described["required"] = ["results", "research_use_only"]
        return described


class MultiPartParser(RestMultiPartParser):
    """Forms with files.  A damaged or cut-off body is refused with a sentence."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except exceptions.ParseError as error:
            raise Refusal(INCOMPLETE, code="incomplete") from error

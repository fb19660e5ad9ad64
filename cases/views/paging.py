"""Keyset pages for lists: page 1,000 costs what page 1 costs, and the filters stay in the address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request


@dataclass(frozen=True)
class Page:
    """One page of a list; `next` and `previous` are query strings with the filters kept, or empty."""

    rows: list[Any]
    next: str
    previous: str


class _Keyset(CursorPagination):
    max_page_size = 200

    def __init__(self, ordering: tuple[str, ...], size: int, parameter: str) -> None:
        self.ordering = ordering
        self.page_size = size
        self.cursor_query_param = parameter


def keyset_page(
    request: HttpRequest,
    queryset: QuerySet[Any],
    *,
    ordering: tuple[str, ...] = ("-created_at", "-id"),
    size: int = 50,
    parameter: str = "from",
) -> Page:
    """The page that the address names; an address with a broken cursor gets the first page."""
    paginator = _Keyset(ordering, size, parameter)
    wrapped = Request(request)
    try:
        rows = paginator.paginate_queryset(queryset, wrapped)
    except NotFound:
        query = request.GET.copy()
        query.pop(parameter, None)
        request.GET = query  # type: ignore[assignment]
        rows = paginator.paginate_queryset(queryset, Request(request))
    return Page(
        rows=list(rows or []),
        next=_query(paginator.get_next_link()),
        previous=_query(paginator.get_previous_link()),
    )


def _query(link: str | None) -> str:
    return f"?{urlsplit(link).query}" if link else ""

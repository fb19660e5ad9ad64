"""What every API resource shares: token sign-in and keyset pages."""

from __future__ import annotations

from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from rest_framework.pagination import CursorPagination


class TokenAuthentication(KnoxTokenAuthentication):
    """`Authorization: Bearer …`; tokens are stored as hashes only."""


class KeysetPagination(CursorPagination):
    """Pages by key, so that page 1,000 costs what page 1 costs.  Newest first."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = ("-created_at", "-id")

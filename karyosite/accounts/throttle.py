"""Guessing passwords on the sign-in page is slowed down, by the same counters as the API's."""

from __future__ import annotations

import math
from typing import Any

from django.http import HttpRequest
from rest_framework.throttling import SimpleRateThrottle


class _ByName(SimpleRateThrottle):
    scope = "password"

    def get_cache_key(self, request: Any, view: Any) -> str:
        # Spelt as karyosite.accounts.api.PasswordThrottle spells it: page and API share one count.
        name = str(request.POST.get("username", "")).casefold()[:150]
        return str(self.cache_format % {"scope": self.scope, "ident": f"name-{name.encode().hex()}"})


class _ByAddress(SimpleRateThrottle):
    scope = "password-address"

    def get_cache_key(self, request: Any, view: Any) -> str:
        return str(self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)})


def sign_in_wait(request: HttpRequest) -> int:
    """Seconds to wait before the next try; 0 when this one may go on.  Counts the try."""
    waits = []
    for throttle in (_ByAddress(), _ByName()):
        if not throttle.allow_request(request, None):  # type: ignore[arg-type]
            waits.append(throttle.wait() or 60.0)
    return math.ceil(max(waits)) if waits else 0

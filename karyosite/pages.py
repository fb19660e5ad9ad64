"""What every page behind sign-in shares: who is asked, and how a refusal becomes a page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.cache import add_never_cache_headers
from django_htmx.http import HttpResponseClientRedirect

from karyosite.accounts.models import User
from karyosite.errors import Forbidden, NotFound

View = Callable[..., HttpResponse]


def person(request: HttpRequest) -> User:
    """The signed-in user, typed.  Only inside views wrapped by `page`."""
    assert isinstance(request.user, User)
    return request.user


def page(view: View) -> View:
    """A page for signed-in people; NotFound becomes the 404 page, Forbidden the 403 page with its sentence.

    Pages hold patients' names: unless a view says otherwise, no browser or proxy keeps a copy.  A fragment asked for
    by htmx after the session ended sends the whole window to sign-in, not the sign-in form into the page.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            if getattr(request, "htmx", False):
                return HttpResponseClientRedirect(resolve_url("sign-in"))
            return redirect_to_login(request.get_full_path())
        try:
            response = view(request, *args, **kwargs)
        except NotFound as refusal:
            raise Http404(refusal.sentence) from refusal
        except Forbidden as refusal:
            raise PermissionDenied(refusal.sentence) from refusal
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response

    return wrapped

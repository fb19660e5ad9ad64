"""Every address under /api/v1/."""

from __future__ import annotations

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation

from inference.api import urlpatterns as job_addresses
from karyosite.accounts import api as accounts
from karyosite.api_views import Unknown

app_name = "api"


class Schema(SpectacularAPIView):
    # The description alone comes in two forms, YAML and JSON.
    content_negotiation_class = DefaultContentNegotiation


class Docs(SpectacularSwaggerSplitView):
    url_name = "api:schema"
    template_name = "karyosite/api_docs.html"


urlpatterns = [
    path("me/", accounts.Me.as_view(), name="me"),
    path("me/preferences/", accounts.Preferences.as_view(), name="preferences"),
    path("tokens/", accounts.Tokens.as_view(), name="tokens"),
    path("tokens/<uuid:pk>/", accounts.Token.as_view(), name="token"),
    path("", include("cases.api.urls")),
    path("", include(job_addresses)),
    path("schema/", Schema.as_view(), name="schema"),
    path("docs/", Docs.as_view(), name="docs"),
    re_path(r"^.*$", Unknown.as_view(), name="unknown"),
]

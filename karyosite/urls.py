"""Every address of the site."""

from django.urls import include, path, re_path

from karyosite.api_views import Unknown

urlpatterns = [
    path("", include("karyosite.accounts.urls")),
    path("", include("karyosite.health")),
    path("", include("cases.urls")),
    path("", include("inference.urls")),
    path("api/v1/", include("karyosite.api_urls")),
    re_path(r"^api(/|$)", Unknown.as_view()),
]

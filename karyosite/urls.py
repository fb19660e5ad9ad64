"""Every address of the site."""

from django.urls import include, path

urlpatterns = [
    path("", include("karyosite.accounts.urls")),
    path("", include("karyosite.health")),
    path("", include("cases.urls")),
    path("", include("inference.urls")),
    path("api/v1/", include("karyosite.api_urls")),
]

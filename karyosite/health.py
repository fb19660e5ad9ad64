"""Is the process alive; can it do its work.  For load balancers and for `manage.py up`; nothing secret is told."""

from __future__ import annotations

import logging

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from karyosite import broker

log = logging.getLogger(__name__)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers at all."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database and broker answer, else 503 with a sentence on each."""
    database = _database_answers()
    bell = broker.answers()
    checks = {
        "database": "The database answers." if database else "The database does not answer.",
        "broker": "The broker answers."
        if bell
        else "The broker does not answer: analyses wait in the database until it does.",
    }
    ready = database and bell
    return JsonResponse({"status": "ready" if ready else "not ready", "checks": checks}, status=200 if ready else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone())
    except DatabaseError:
        log.exception("the database does not answer")
        return False


urlpatterns = [path("healthz", healthz, name="healthz"), path("readyz", readyz, name="readyz")]

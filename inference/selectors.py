"""Reads about jobs.  The user comes first: what another laboratory has does not exist here."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet

from cases import policies
from inference.cards import Card, cards
from inference.models import ActiveModel, InferenceJob
from karyosite.accounts.models import User
from karyosite.errors import NotFound


def jobs(user: User) -> QuerySet[InferenceJob]:
    """The laboratory's jobs, newest first, with their cells."""
    laboratory = policies.require(user, "view").laboratory
    return InferenceJob.objects.filter(metaphase__case__laboratory=laboratory).select_related("metaphase")


def job(user: User, job_id: Any) -> InferenceJob:
    """Raises NotFound for an unknown job and for another laboratory's alike."""
    try:
        key = job_id if isinstance(job_id, uuid.UUID) else uuid.UUID(str(job_id))
        return jobs(user).get(pk=key)
    except (ValueError, InferenceJob.DoesNotExist):
        raise NotFound("There is nothing here under this address.") from None


def active_models(laboratory_id: Any) -> dict[str, ActiveModel]:
    """By role, what a laboratory has activated, for its jobs; a role that is not there works with the first shipped."""
    found = ActiveModel.objects.filter(laboratory_id=laboratory_id)
    return {active.role: active for active in found}


def model_cards(user: User) -> list[Card]:
    """Every installed version and whether the laboratory works with it.  Raises ManifestUnreadable."""
    return cards(policies.require(user, "view_models").laboratory_id)

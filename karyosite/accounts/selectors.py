"""Reads about people.  One person works in one laboratory at a time: the first joined."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from karyosite.accounts.models import Membership, User


def current_membership(user: Any) -> Membership | None:
    """The membership under which the user (or AnonymousUser) acts, or None.  Cached on the user for the request."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return None
    if not hasattr(user, "_current_membership"):
        user._current_membership = (
            Membership.objects.filter(user=user).select_related("laboratory").order_by("created_at", "id").first()
        )
    membership: Membership | None = user._current_membership
    return membership


def colleagues(user: User) -> QuerySet[User]:
    """Active people of the user's own laboratory, by name."""
    membership = current_membership(user)
    if membership is None:
        return User.objects.none()
    return User.objects.filter(is_active=True, memberships__laboratory=membership.laboratory).order_by("printed_name")

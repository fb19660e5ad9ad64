from __future__ import annotations

from django.db import models

from cases.models.metaphase import Metaphase
from karyosite.accounts.models import User


class Presence(models.Model):
    """Someone has the page of this cell open and in view.  A row is forgotten within the hour: it records nothing."""

    metaphase = models.ForeignKey(Metaphase, on_delete=models.CASCADE, related_name="presences")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["metaphase", "user"], name="present_once")]
        indexes = [models.Index(fields=["seen_at"], name="presence_by_age")]

    def __str__(self) -> str:
        return f"{self.user} at {self.metaphase_id}"

"""The audit log: append-only and hash-chained per laboratory.

Each entry holds the hash of the one before it, so that an entry changed or taken out shows
(`manage.py verify-audit`).  The log outlives the people it names: names are copied, not joined.
"""

from __future__ import annotations

import uuid

from django.db import models

from karyosite.accounts.models import Laboratory, User


class AuditEntry(models.Model):
    laboratory = models.ForeignKey(Laboratory, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveBigIntegerField(help_text="1, 2, 3 … within the laboratory, without gaps.")
    at = models.DateTimeField()
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=250)
    verb = models.CharField(max_length=60)
    case_id = models.UUIDField(null=True, db_index=True)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=60)
    summary = models.TextField()
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["laboratory", "number"], name="audit_numbers_without_gaps")]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.number} {self.verb}"

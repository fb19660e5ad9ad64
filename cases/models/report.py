from __future__ import annotations

import uuid

from django.db import models

from cases.models.case import Case
from karyosite.accounts.models import User


class ReportState(models.TextChoices):
    SUBMITTED = "submitted", "Awaiting review"
    RETURNED = "returned", "Returned"
    SIGNED = "signed", "Signed"


class Report(models.Model):
    """One submission of a case.  The snapshot (canonical JSON) is all that a signed PDF is made from."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reports")
    version = models.PositiveIntegerField()
    round = models.PositiveIntegerField(help_text="1, 2, 3 … submissions of this version.")
    state = models.CharField(max_length=10, choices=ReportState.choices, default=ReportState.SUBMITTED)
    result = models.TextField(help_text="The result line, as submitted.")
    comment = models.TextField(blank=True)
    snapshot = models.JSONField()
    snapshot_sha256 = models.CharField(max_length=64)
    submitted_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    submitted_by_name = models.CharField(max_length=250)
    submitted_at = models.DateTimeField()
    returned_by_name = models.CharField(max_length=250, blank=True)
    returned_at = models.DateTimeField(null=True)
    return_reason = models.TextField(blank=True)

    class Meta:
        ordering = ["version", "round"]
        constraints = [models.UniqueConstraint(fields=["case", "version", "round"], name="one_report_per_round")]

    def __str__(self) -> str:
        return f"{self.case} version {self.version}, round {self.round}"


class Meaning(models.TextChoices):
    PREPARED = "prepared", "Prepared"
    REVIEWED = "reviewed", "Reviewed"
    APPROVED = "approved", "Reviewed and approved"


class Signature(models.Model):
    """Bound to one snapshot: `seal` is an HMAC over its hash, the signer, the meaning and the time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="signatures")
    signer = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    printed_name = models.CharField(max_length=250)
    meaning = models.CharField(max_length=10, choices=Meaning.choices)
    signed_at = models.DateTimeField()
    snapshot_sha256 = models.CharField(max_length=64)
    seal = models.CharField(max_length=128)

    class Meta:
        ordering = ["signed_at"]

    def __str__(self) -> str:
        return f"{self.printed_name}, {self.get_meaning_display()}"

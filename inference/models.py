"""The truth about analysis work.  The broker only rings the bell."""

from __future__ import annotations

import uuid

from django.db import models

from cases.models import Metaphase
from karyosite.accounts.models import Laboratory, User


class JobState(models.TextChoices):
    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class InferenceJob(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    metaphase = models.ForeignKey(Metaphase, on_delete=models.CASCADE, related_name="inference_jobs")
    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    queued_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True, help_text="Names one attempt: only its holder may finish the job.")
    worker = models.CharField(max_length=120, blank=True)
    stage = models.CharField(max_length=30, blank=True)
    models_used = models.JSONField(default=list)
    timings_s = models.JSONField(default=dict)
    error = models.TextField(blank=True, help_text="One plain sentence for the person who reads it.")

    class Meta:
        ordering = ["-queued_at", "-id"]
        indexes = [
            models.Index(fields=["state", "heartbeat_at"], name="jobs_stale_claims"),
            models.Index(fields=["metaphase", "-queued_at"], name="jobs_of_metaphase"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["metaphase"],
                condition=models.Q(state__in=["queued", "running"]),
                name="one_live_job_per_metaphase",
            )
        ]

    def __str__(self) -> str:
        return f"{self.metaphase} {self.state}"

    @property
    def wait_s(self) -> float | None:
        return (self.claimed_at - self.queued_at).total_seconds() if self.claimed_at else None

    @property
    def run_s(self) -> float | None:
        if self.claimed_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.claimed_at).total_seconds()


class ActiveModel(models.Model):
    """The version of a model that a laboratory works with, where it is not the first one shipped."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    laboratory = models.ForeignKey(Laboratory, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=30)
    name = models.CharField(max_length=120)
    version = models.CharField(max_length=60)
    files = models.JSONField(default=dict, help_text="SHA-256 by kind, as they were at the activation.")
    activated_at = models.DateTimeField()
    activated_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["laboratory", "role"], name="one_active_model_per_role")]

    def __str__(self) -> str:
        return f"{self.role} {self.name} {self.version}"

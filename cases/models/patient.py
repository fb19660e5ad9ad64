from __future__ import annotations

import uuid

from django.db import models

from karyosite.accounts.models import Laboratory


class Sex(models.TextChoices):
    UNKNOWN = "unknown", "Not stated"
    FEMALE = "female", "Female"
    MALE = "male", "Male"
    OTHER = "other", "Other"


class Patient(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    laboratory = models.ForeignKey(Laboratory, on_delete=models.PROTECT, related_name="patients")
    identifier = models.CharField(max_length=64, help_text="Medical record number; unique in the laboratory.")
    family_name = models.CharField(max_length=120, blank=True)
    given_name = models.CharField(max_length=120, blank=True)
    birth_date = models.DateField(null=True, blank=True)
    sex = models.CharField(max_length=10, choices=Sex.choices, default=Sex.UNKNOWN)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["laboratory", "identifier"], name="patient_identifier_per_lab")]
        indexes = [models.Index(fields=["laboratory", "-created_at", "-id"], name="patients_newest_first")]

    def __str__(self) -> str:
        return f"{self.name} ({self.identifier})" if self.name else self.identifier

    @property
    def name(self) -> str:
        return ", ".join(part for part in (self.family_name, self.given_name) if part)

from __future__ import annotations

import uuid

from django.db import models

from cases.models.patient import Patient
from karyosite.accounts.models import Laboratory, User


class Specimen(models.TextChoices):
    BLOOD = "blood", "Blood"
    AMNIOTIC_IN_SITU = "amniotic-in-situ", "Amniotic fluid, in situ"
    AMNIOTIC_FLASK = "amniotic-flask", "Amniotic fluid, flask"
    CVS = "cvs", "Chorionic villi"
    BONE_MARROW = "bone-marrow", "Bone marrow"
    OTHER = "other", "Other"


class CaseState(models.TextChoices):
    OPEN = "open", "In progress"
    SUBMITTED = "submitted", "Awaiting review"
    RETURNED = "returned", "Returned"
    SIGNED = "signed", "Signed"


class Case(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    laboratory = models.ForeignKey(Laboratory, on_delete=models.PROTECT, related_name="cases")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="cases")
    accession_number = models.CharField(max_length=64, help_text="The lab's case number; unique in the laboratory.")
    specimen = models.CharField(max_length=20, choices=Specimen.choices, default=Specimen.BLOOD)
    indication = models.CharField(max_length=300, blank=True)
    received_on = models.DateField()
    due_on = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=12, choices=CaseState.choices, default=CaseState.OPEN)
    assignee = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="assigned_cases")
    version = models.PositiveIntegerField(
        default=1, help_text="Report version being worked on; 2 and up are amendments."
    )
    amendment_reason = models.TextField(blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["laboratory", "accession_number"], name="accession_per_lab")]
        indexes = [
            models.Index(fields=["laboratory", "-created_at", "-id"], name="cases_newest_first"),
            models.Index(fields=["laboratory", "state", "-created_at"], name="cases_by_state"),
            models.Index(fields=["laboratory", "assignee", "state"], name="cases_by_assignee"),
        ]

    def __str__(self) -> str:
        return self.accession_number

    @property
    def editable(self) -> bool:
        """Work may go on only while the case is neither under review nor signed."""
        return self.state in (CaseState.OPEN, CaseState.RETURNED)


class Culture(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="cultures")
    label = models.CharField(max_length=40)
    medium = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "label"], name="culture_label_per_case")]

    def __str__(self) -> str:
        return self.label

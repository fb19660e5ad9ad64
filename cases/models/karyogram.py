from __future__ import annotations

import uuid

from django.db import models

from cases.models.metaphase import Metaphase
from karyosite.accounts.models import User


class Karyogram(models.Model):
    """The arranged chromosomes of one metaphase.

    document: the current state, `karyosite.karyogram/1` (docs/karyogram-document.md).
    proposal: what the machine said last, untouched.  version counts proposals and edits alike; history only grows.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    metaphase = models.OneToOneField(Metaphase, on_delete=models.PROTECT, related_name="karyogram")
    version = models.PositiveIntegerField(default=1)
    document = models.JSONField()
    proposal = models.JSONField()
    count = models.PositiveIntegerField(default=0, help_text="Chromosomes present, debris left out; for lists.")
    doubts = models.PositiveIntegerField(default=0, help_text="Flagged chromosomes still open; for lists.")
    expected_corrections = models.FloatField(
        default=0, help_text="What it is likely to need, by the chances of its chromosomes; for lists."
    )
    note = models.TextField(blank=True, default="", help_text="What is to be known of the whole photograph; for lists.")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.metaphase} v{self.version}"


class EditKind(models.TextChoices):
    EDIT = "edit", "Edit"
    UNDO = "undo", "Undo"
    REDO = "redo", "Redo"
    PROPOSAL = "proposal", "Machine proposal"
    RESTORE = "restore", "Return to an earlier version"


class KaryogramEdit(models.Model):
    """One step of a karyogram's history.  Undo is an edit too: `undoes` names the version that it takes back."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    karyogram = models.ForeignKey(Karyogram, on_delete=models.CASCADE, related_name="edits")
    version = models.PositiveIntegerField(help_text="The version that this edit made.")
    kind = models.CharField(max_length=10, choices=EditKind.choices)
    edit = models.JSONField()
    inverse = models.JSONField()
    undoes = models.PositiveIntegerField(null=True)
    restores = models.PositiveIntegerField(null=True, help_text="The earlier version that this step brought back.")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    author_name = models.CharField(max_length=250)
    client_key = models.CharField(
        max_length=64, blank=True, help_text="Chosen by the client: the same edit sent twice counts once."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["version"]
        constraints = [
            models.UniqueConstraint(fields=["karyogram", "version"], name="one_edit_per_version"),
            models.UniqueConstraint(
                fields=["karyogram", "client_key"], condition=~models.Q(client_key=""), name="edit_counts_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.karyogram_id} v{self.version} {self.kind}"

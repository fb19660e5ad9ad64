"""Laboratories, the people in them, and what they are there."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from knox.models import AbstractAuthToken


class Laboratory(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200, unique=True)
    research_use_only = models.BooleanField(
        default=True, help_text="Shown on every screen, PDF and API resource until the lab's own validation ends it."
    )
    micrometres_per_pixel = models.FloatField(
        null=True,
        blank=True,
        help_text="Of its camera and objective, on the slide; scale bars are drawn where it is known.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "laboratories"

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):  # type: ignore[django-manager-missing]
    """A person or an integration client.  The printed name goes on signatures."""

    printed_name = models.CharField(max_length=200, blank=True)
    preferences = models.JSONField(default=dict, blank=True, help_text="How pages look to this person: preferences.py.")

    def __str__(self) -> str:
        return self.printed_name or self.username


class Role(models.TextChoices):
    TECHNOLOGIST = "technologist", "Technologist"
    SUPERVISOR = "supervisor", "Supervisor"
    ADMINISTRATOR = "administrator", "Lab administrator"
    INTEGRATION = "integration", "Integration client"


class Membership(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    laboratory = models.ForeignKey(Laboratory, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "laboratory"], name="one_role_per_person_per_lab")]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()}, {self.laboratory}"


class ApiToken(AbstractAuthToken):
    """A program's key.  Only its hash is kept; `token_key`, its first characters, tells tokens apart in lists."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=128, unique=True)
    name = models.CharField(max_length=80, help_text="What uses it, e.g. the hospital's order system.")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created", "-id"]

    def __str__(self) -> str:
        return self.name

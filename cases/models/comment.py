from __future__ import annotations

import uuid

from django.db import models

from cases.models.metaphase import Metaphase
from karyosite.accounts.models import User


class Comment(models.Model):
    """What someone says about a cell: pinned to a chromosome, to a spot of the photograph, or to neither.

    chromosome: its id in the karyogram's document, or empty.  x, y: pixels of the original; for a chromosome the
    middle of its box when the comment was made, so that the pin stands even where the chromosome is gone since.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    metaphase = models.ForeignKey(Metaphase, on_delete=models.PROTECT, related_name="comments")
    chromosome = models.CharField(max_length=40, blank=True)
    x = models.FloatField(null=True)
    y = models.FloatField(null=True)
    version = models.PositiveIntegerField(null=True, help_text="The karyogram's version that it speaks of.")
    text = models.TextField()
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    author_name = models.CharField(max_length=250)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    resolved_by_name = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(x__isnull=True, y__isnull=True) | models.Q(x__isnull=False, y__isnull=False),
                name="comment_spot_is_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["metaphase"], condition=models.Q(resolved_at__isnull=True), name="comments_open"),
        ]

    def __str__(self) -> str:
        return f"{self.author_name} on {self.metaphase}"

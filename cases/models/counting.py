from __future__ import annotations

from django.db import models

from cases.models.metaphase import Metaphase
from karyosite.accounts.models import User


class CellCount(models.Model):
    """A person's count of one cell's chromosomes: a tick on each.  Lists read `number` and leave the ticks alone."""

    metaphase = models.OneToOneField(Metaphase, on_delete=models.CASCADE, related_name="tally", primary_key=True)
    number = models.PositiveIntegerField()
    sure = models.BooleanField(default=True, help_text="False: the person was not certain of the number.")
    ticks = models.JSONField(help_text="[[x, y], …], pixels of the image; as many as the number.")
    version = models.PositiveIntegerField(default=1, help_text="How often this count was stored.")
    counted_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    counted_by_name = models.CharField(max_length=250)
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.metaphase_id}: {self.number}"

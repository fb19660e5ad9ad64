from __future__ import annotations

import uuid

from django.db import models

from cases.domain import standing
from cases.models.case import Case, Culture
from karyosite.accounts.models import Laboratory, User


class StoredImage(models.Model):
    """One uploaded file, byte for byte, named by its SHA-256.  Evidence: never rewritten."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    laboratory = models.ForeignKey(Laboratory, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    file = models.FileField(max_length=200)
    byte_size = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=60)
    pages = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["laboratory", "sha256"], name="image_once_per_lab")]

    def __str__(self) -> str:
        return self.sha256[:12]


class AnalysisState(models.TextChoices):
    """Mirror of the newest InferenceJob's state, written with it in one transaction, so that lists stay cheap."""

    NONE = "none", "Not analysed"
    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Analysed"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class CellStanding(models.TextChoices):
    """What a person says has been done with a cell.  KARYOTYPED is never stored: an accepted karyogram makes it so."""

    NEW = standing.NEW, "New"
    COUNTED = standing.COUNTED, "Counted"
    ANALYSED = standing.ANALYSED, "Analysed"
    KARYOTYPED = standing.KARYOTYPED, "Karyotyped"
    EXCLUDED = standing.EXCLUDED, "Excluded"


class Metaphase(models.Model):
    """One photographed cell: one page of one stored image, in one case."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="metaphases")
    culture = models.ForeignKey(Culture, null=True, blank=True, on_delete=models.SET_NULL, related_name="metaphases")
    image = models.ForeignKey(StoredImage, on_delete=models.PROTECT, related_name="metaphases")
    page = models.PositiveIntegerField(default=0)
    ordinal = models.PositiveIntegerField(help_text="1, 2, 3 … within the case.")
    original_name = models.CharField(max_length=255)
    width = models.PositiveIntegerField(help_text="Pixels as shown, after EXIF orientation.")
    height = models.PositiveIntegerField()
    bit_depth = models.PositiveSmallIntegerField(default=8)
    analysis_state = models.CharField(max_length=10, choices=AnalysisState.choices, default=AnalysisState.NONE)
    analysis_stage = models.CharField(max_length=30, blank=True)
    analysis_error = models.TextField(blank=True)
    analysis_job = models.UUIDField(null=True)
    accepted_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    accepted_at = models.DateTimeField(null=True)
    own_standing = models.CharField(
        max_length=12, choices=CellStanding.choices, default=CellStanding.NEW, help_text="As a person set it."
    )
    exclusion_reason = models.CharField(max_length=300, blank=True)
    added_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["ordinal"]
        constraints = [
            models.UniqueConstraint(fields=["case", "image", "page"], name="image_page_once_per_case"),
            models.UniqueConstraint(fields=["case", "ordinal"], name="metaphase_ordinal_per_case"),
        ]

    def __str__(self) -> str:
        return f"{self.case} · cell {self.ordinal}"

    @property
    def standing(self) -> str:
        """New, counted, analysed, karyotyped or excluded: what a person set, or an accepted karyogram made it."""
        return standing.standing(self.own_standing, self.accepted_at is not None)

    @property
    def standing_words(self) -> str:
        return CellStanding(self.standing).label

    @property
    def chromosome_count(self) -> int | None:
        """The cell's chromosome count; None where nobody has answered for one."""
        return standing.number(self._counted, self._drawn, self.accepted_at is not None)

    @property
    def count_differs(self) -> bool:
        """Whether a person's count and the karyogram disagree."""
        return standing.differs(self._counted, self._drawn)

    @property
    def _counted(self) -> int | None:
        return self.tally.number if hasattr(self, "tally") else None

    @property
    def _drawn(self) -> int | None:
        return self.karyogram.count if hasattr(self, "karyogram") else None

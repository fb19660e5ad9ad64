"""Cells of signed cases as material for training, with nothing in them that says whose they are.

For the server's own commands, as the audit check is: no user asks, so no right is asked for.
"""

from __future__ import annotations

import datetime
import hashlib
import io
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from cases.models import CaseState, Report, ReportState
from cases.reports import snapshot
from karyosite.accounts.models import Laboratory
from karyosite.imaging import ImageRefused, read_grey


class CellUnusable(Exception):
    """A signed cell whose record or picture does not hold.  The text is a sentence without any name."""


@dataclass(frozen=True)
class SignedCell:
    """case_id is for the audit log alone; `name` (keyed, the same in every export) is all that may leave."""

    case_id: uuid.UUID
    name: str
    document: dict[str, Any]
    whole: bool
    _image: dict[str, Any]

    def pixels(self) -> np.ndarray:
        """uint8 (h, w), and nothing else of the file.  Raises CellUnusable."""
        if not self.whole:
            raise CellUnusable("The signed record was changed after signing.")
        try:
            content = (Path(settings.MEDIA_ROOT) / self._image["file"]).read_bytes()
        except OSError as error:
            raise CellUnusable(f"The original cannot be read: {error.strerror}.") from error
        if hashlib.sha256(content).hexdigest() != self._image["sha256"]:
            raise CellUnusable("The original is not the file that was signed.")
        try:
            return read_grey(io.BytesIO(content), self._image["page"])
        except ImageRefused as refused:
            raise CellUnusable(str(refused)) from refused


def signed_cells(laboratory: Laboratory, since: datetime.date | None = None) -> Iterator[SignedCell]:
    """The cells in the newest signed report of every case that is signed now; a case under amendment has none.

    since: signed on this day (server's time zone) or later.
    """
    reports = Report.objects.filter(
        case__laboratory=laboratory,
        case__state=CaseState.SIGNED,
        state=ReportState.SIGNED,
        version=F("case__version"),
    )
    if since is not None:
        start = timezone.make_aware(datetime.datetime.combine(since, datetime.time.min))
        reports = reports.filter(signatures__signed_at__gte=start).distinct()
    for report in reports.order_by("pk").iterator(chunk_size=20):
        whole = snapshot.sha256(report.snapshot) == report.snapshot_sha256
        for cell in report.snapshot["cells"]:
            if cell.get("karyogram"):
                name = f"{_key('case', report.case_id)}-{_key('cell', cell['id'])}"
                yield SignedCell(report.case_id, name, cell["karyogram"]["document"], whole, cell["image"])


def _key(kind: str, identifier: Any) -> str:
    """Twelve characters that only this server can make from the id."""
    return salted_hmac(f"karyosite.export.{kind}", str(identifier), algorithm="sha256").hexdigest()[:12]

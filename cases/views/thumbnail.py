"""Small pictures for lists: the karyogram sheet where there is one, else the field as photographed.

Drawn once for each version and kept under DERIVED_ROOT: safe to delete, made again when asked for.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from PIL import Image

from cases import selectors
from cases.models import Metaphase
from karyosite import imaging
from karyosite.env import environment
from karyosite.pages import page, person

# Raised whenever the drawing changes, so that no older picture is shown again.
RENDERING = 1
WIDEST, HIGHEST = 720, 540


@page
def thumbnail(request: HttpRequest, metaphase_id: str, version: int) -> HttpResponse:
    """version: of the karyogram, 0 for the field itself.  An address with an older version shows the newest."""
    cell = selectors.metaphase(person(request), metaphase_id)
    drawn = cell.karyogram.version if hasattr(cell, "karyogram") and version else 0
    name = f"{cell.pk}-{drawn}-{RENDERING}.webp"
    return kept_picture("thumbnails", name, lambda: _draw(request, cell, bool(drawn)), settled=drawn == version)


def kept_picture(folder: str, name: str, draw: Callable[[], bytes], *, settled: bool) -> HttpResponse:
    """A WebP drawn at most once.  settled: its address names exactly what it shows, so that browsers may keep it."""
    kept = Path(settings.DERIVED_ROOT) / folder / name[:2] / name
    try:
        content = kept.read_bytes()
    except FileNotFoundError:
        content = draw()
        _keep(kept, content)
    response = HttpResponse(content, content_type="image/webp")
    # `page` forbids keeping for everything that does not say otherwise.
    response["Cache-Control"] = "private, max-age=86400, immutable" if settled else "no-store"
    return response


def _draw(request: HttpRequest, cell: Metaphase, sheet: bool) -> bytes:
    from cases.reports.sheet import render_sheet

    with cell.image.file.open("rb") as file:
        field = imaging.read_grey(file, cell.page, max_pixels=environment.image_max_pixels)
    if sheet:
        document = selectors.karyogram(person(request), cell.pk).document
        # Reasons and notes would be unreadable at this size; the cell page says them.
        picture = render_sheet(field, document | {"note": ""}, doubts=False, research_use_only=False)
    else:
        picture = Image.fromarray(field)
    picture.thumbnail((WIDEST, HIGHEST), Image.Resampling.LANCZOS, reducing_gap=2.0)
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=82)
    return out.getvalue()


def _keep(path: Path, content: bytes) -> None:
    """Whole or not at all; without room on the disk it is drawn again next time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError:
        return

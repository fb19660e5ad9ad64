"""Pictures by HTTP: the original as it came, and what is derived from it."""

from __future__ import annotations

import io
import os
import re
import tempfile
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header

from cases.models import Metaphase
from karyosite import imaging
from karyosite.env import environment

# Raised whenever karyosite.imaging draws the same original differently, so that no older picture is shown again.
VIEW_RENDERING = 1
FOREVER = "private, max-age=31536000, immutable"


def view_url(metaphase: Metaphase) -> str:
    return f"{reverse('api:metaphase-view', args=[metaphase.pk])}?rendering={VIEW_RENDERING}"


def safe_name(name: str, fallback: str) -> str:
    """A file name for a download: its last part, without control characters and quotes."""
    last = re.split(r"[\\/]", name)[-1]
    kept = "".join(char for char in last if char.isprintable() and char not in '"<>:|?*').strip(" .")
    return kept[:150] or fallback


def original(request: Any, metaphase: Metaphase) -> HttpResponseBase:
    """The uploaded file, byte for byte, streamed; always a download, never shown by the browser itself."""
    etag = f'"{metaphase.image.sha256}"'
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None and unchanged.status_code == 304:
        return unchanged
    response = FileResponse(
        metaphase.image.file.open("rb"),
        as_attachment=True,
        filename=safe_name(metaphase.original_name, f"cell-{metaphase.ordinal}"),
        content_type=metaphase.image.media_type,
    )
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def view(request: Any, metaphase: Metaphase) -> HttpResponseBase:
    """A PNG of the cell for browsers, kept under DERIVED_ROOT: safe to delete, made again when asked for."""
    key = f"{metaphase.image.sha256}-{metaphase.page}-{VIEW_RENDERING}"
    etag = f'"{key}"'
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None and unchanged.status_code == 304:
        unchanged["Cache-Control"] = FOREVER
        return unchanged
    kept = Path(settings.DERIVED_ROOT) / "view" / key[:2] / f"{key}.png"
    content = _kept(kept)
    if content is None:
        with metaphase.image.file.open("rb") as file:
            content = imaging.view_png(cast(BinaryIO, file), metaphase.page, max_pixels=environment.image_max_pixels)
        _keep(kept, content)
    return picture(content, etag, FOREVER)


def picture(content: bytes, etag: str, caching: str) -> HttpResponse:
    response = HttpResponse(content, content_type="image/png")
    response["ETag"] = etag
    response["Cache-Control"] = caching
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _kept(path: Path) -> bytes | None:
    """None where it was never made, was deleted, or cannot be read (any more)."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if content.startswith(b"\x89PNG") else None


def _keep(path: Path, content: bytes) -> None:
    """Whole or not at all: another process never reads half a picture.  Without room on the disk it is not kept."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError:
        return


def as_png(image: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def attachment(name: str) -> str:
    """The Content-Disposition of a download under a safe name."""
    return content_disposition_header(True, safe_name(name, "karyosite")) or "attachment"

"""Originals, views and sheets by API."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from PIL import Image
from rest_framework.test import APIClient

from karyosite import imaging
from tests.api.conftest import problem
from tests.conftest import png_bytes

pytestmark = pytest.mark.django_db


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def test_the_original_comes_back_byte_for_byte_as_a_download(tess: APIClient, metaphase: Any) -> None:
    metaphase.original_name = '../cell "1".png'
    metaphase.save()
    response = tess.get(f"/api/v1/metaphases/{metaphase.pk}/original/")
    assert response.streaming
    assert body(response) == png_bytes()
    assert response["Content-Disposition"] == 'attachment; filename="cell 1.png"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Type"] == "image/png"
    assert response["Content-Length"] == str(len(png_bytes()))
    assert "private" in response["Cache-Control"]
    assert tess.get(response.request["PATH_INFO"], HTTP_IF_NONE_MATCH=response["ETag"]).status_code == 304


def test_the_view_is_made_once_kept_and_made_again_when_deleted(
    tess: APIClient, metaphase: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(settings.DERIVED_ROOT, ignore_errors=True)
    made: list[int] = []
    real = imaging.view_png
    monkeypatch.setattr(imaging, "view_png", lambda *a, **k: made.append(1) or real(*a, **k))
    address = tess.get(f"/api/v1/metaphases/{metaphase.pk}/").json()["view_url"]
    first = tess.get(address)
    assert first["Content-Type"] == "image/png"
    assert {"private", "immutable", "max-age=31536000"} <= set(first["Cache-Control"].split(", "))
    drawn = np.asarray(Image.open(io.BytesIO(first.content)))
    assert np.array_equal(drawn, np.asarray(Image.open(io.BytesIO(png_bytes()))))
    assert tess.get(address).content == first.content
    assert len(made) == 1
    kept = [path for path in Path(settings.DERIVED_ROOT).rglob("*") if path.is_file()]
    assert [path.suffix for path in kept] == [".png"]
    assert metaphase.image.sha256 in kept[0].name
    shutil.rmtree(settings.DERIVED_ROOT)
    assert tess.get(address).content == first.content
    assert len(made) == 2
    assert tess.get(address, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 304


def test_the_view_is_shown_though_there_is_no_room_to_keep_it(
    tess: APIClient, metaphase: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "derived"
    blocked.write_text("a file where a folder should be")
    monkeypatch.setattr(settings, "DERIVED_ROOT", blocked)
    assert tess.get(f"/api/v1/metaphases/{metaphase.pk}/view/").status_code == 200


def test_the_sheet_is_a_picture_named_after_case_and_cell(tess: APIClient, karyogram: Any) -> None:
    address = f"/api/v1/metaphases/{karyogram.metaphase_id}/karyogram/sheet.png"
    response = tess.get(address)
    assert response.status_code == 200, response.content
    assert response["Content-Disposition"] == 'attachment; filename="26-01842-cell-1.png"'
    before = np.asarray(Image.open(io.BytesIO(response.content)))
    assert before.shape[1] > 500
    moved = tess.post(
        address.replace("sheet.png", "edits/"),
        {"base_version": 1, "edit": {"op": "debris", "id": "c04"}},
        format="json",
    )
    assert moved.status_code == 200, moved.content
    after = tess.get(address, HTTP_IF_NONE_MATCH=response["ETag"])
    assert after.status_code == 200
    assert not np.array_equal(before, np.asarray(Image.open(io.BytesIO(after.content))))
    assert tess.get(address, HTTP_IF_NONE_MATCH=after["ETag"]).status_code == 304


def test_a_cell_without_a_karyogram_has_no_sheet(tess: APIClient, metaphase: Any) -> None:
    problem(tess.get(f"/api/v1/metaphases/{metaphase.pk}/karyogram/sheet.png"), 404)

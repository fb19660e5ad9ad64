"""Every odd file a lab may send: read rightly, or refused with a sentence."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from karyosite.imaging import ImageRefused, inspect, read_grey, view_png

RNG = np.random.default_rng(5)
FIELD = np.kron(RNG.integers(40, 230, (16, 20)), np.ones((4, 4))).astype(np.uint8)  # 64 x 80


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def tiff(pixels: np.ndarray, **options: Any) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, pixels, **({"metadata": None} | options))
    return out.getvalue()


def refusal(content: bytes, **limits: Any) -> str:
    with pytest.raises(ImageRefused) as caught:
        inspect(io.BytesIO(content), **limits)
    sentence = caught.value.sentence
    assert sentence == str(caught.value)
    assert sentence.endswith(".") and "Error" not in sentence and "Traceback" not in sentence
    return sentence


def test_a_damaged_picture_is_refused_in_a_worker_that_holds_the_detector_too() -> None:
    # In a process of its own, as other tests import what changes Pillow for all that come after.
    program = """
import io
from karyosite.imaging import ImageRefused, inspect
from PIL import Image
import ultralytics.utils.patches as patches
assert Image.open is patches.image_open
try:
    inspect(io.BytesIO(b"\\x89PNG\\r\\n\\x1a\\n"))
except ImageRefused as refused:
    print(refused.sentence)
"""
    environment = {**os.environ, "YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "The picture is damaged" in done.stdout


def huge_png(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10**7)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("PNG", "image/png"), ("BMP", "image/bmp"), ("TIFF", "image/tiff"), ("JPEG", "image/jpeg")],
)
def test_the_four_kinds_are_read(kind: str, media_type: str, tmp_path: Path) -> None:
    file = tmp_path / "named.wrongly"
    file.write_bytes(encoded(Image.fromarray(FIELD), kind, **({"quality": 95} if kind == "JPEG" else {})))
    facts = inspect(file)
    assert facts.media_type == media_type
    assert facts.pages == ((80, 64, 8),)
    tolerance = 8 if kind == "JPEG" else 0
    assert np.abs(read_grey(file).astype(int) - FIELD).max() <= tolerance


def test_a_stream_is_left_open_and_rewound() -> None:
    for kind in ("PNG", "TIFF"):
        stream = io.BytesIO(encoded(Image.fromarray(FIELD), kind))
        stream.read(20)
        inspect(stream)
        assert stream.tell() == 0
        read_grey(stream)
        assert stream.tell() == 0 and not stream.closed


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"MZ\x90\0" + bytes(500), "a program"),
        (b"\x7fELF" + bytes(500), "a program"),
        (b"%PDF-1.7 and so on", "PDF"),
        (b"just some text", "TIFF, PNG, JPEG and BMP"),
        (encoded(Image.fromarray(FIELD), "GIF"), "GIF"),
        (encoded(Image.fromarray(FIELD), "WEBP"), "WebP"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"\xff\xd8\xff\xe0 nothing after", "damaged"),
        (b"II*\0", "damaged"),
        (b"BM" + bytes(60), "damaged"),
    ],
)
def test_what_is_no_picture_is_refused(content: bytes, words: str) -> None:
    assert words in refusal(content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_file_cut_off_is_refused(kind: str, share: float) -> None:
    noise = Image.fromarray(RNG.integers(0, 255, (200, 200)).astype(np.uint8))
    content = encoded(noise, kind)
    assert "damaged" in refusal(content[: int(len(content) * share)])


@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.97])
def test_a_multi_page_tiff_cut_off_is_refused_whole(compression: str | None, share: float) -> None:
    pages = RNG.integers(0, 60000, (4, 90, 90)).astype(np.uint16)
    content = tiff(pages, photometric="minisblack", compression=compression, predictor=bool(compression))
    inspect(io.BytesIO(content))
    assert "damaged" in refusal(content[: int(len(content) * share)])


def test_a_flipped_byte_in_a_png_is_noticed() -> None:
    content = bytearray(encoded(Image.fromarray(FIELD), "PNG"))
    content[len(content) // 2] ^= 0x10
    assert "damaged" in refusal(bytes(content))


def test_too_small_and_too_large_are_refused_from_the_header() -> None:
    assert "at least 32 pixels" in refusal(encoded(Image.new("L", (1, 1)), "PNG"))
    assert "at least 32 pixels" in refusal(tiff(np.zeros((400, 8), np.uint8)))
    assert "30000 × 30000" in refusal(huge_png(30_000, 30_000)) or "far more pixels" in refusal(
        huge_png(30_000, 30_000)
    )
    assert "10000 × 9000" in refusal(huge_png(10_000, 9_000))
    big = bytearray(tiff(np.zeros((64, 64), np.uint8)))
    with tifffile.TiffFile(io.BytesIO(bytes(big))) as opened:
        for code in (256, 257):
            entry = opened.pages[0].tags[code].valueoffset
            big[entry : entry + 4] = (
                struct.pack("<I", 30_000)[: 4 if opened.pages[0].tags[code].dtype == 4 else 2]
                + big[entry + (4 if opened.pages[0].tags[code].dtype == 4 else 2) : entry + 4]
            )
    assert "30000 × 30000" in refusal(bytes(big))
    jpeg = bytearray(encoded(Image.fromarray(FIELD), "JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", 30_000, 30_000)
    assert "pixels" in refusal(bytes(jpeg))


def test_a_tiff_that_unfolds_is_refused_before_decoding() -> None:
    deep = tiff(np.zeros((60, 60, 4), np.float64), photometric="rgb", extrasamples=["unassalpha"], compression="zlib")
    assert "unfolds" in refusal(deep, max_pixels=60 * 60)


def test_pages_each_with_their_own_size_and_pixels(tmp_path: Path) -> None:
    file = tmp_path / "cells.tif"
    with tifffile.TiffWriter(file) as writer:
        writer.write(FIELD, metadata=None)
        writer.write(FIELD[:40, :50].astype(np.uint16) * 3, metadata=None)
        writer.write(np.dstack([FIELD[:50]] * 3), photometric="rgb", metadata=None)
    assert inspect(file).pages == ((80, 64, 8), (50, 40, 16), (80, 50, 8))
    assert (read_grey(file, 0) == FIELD).all()
    assert np.abs(read_grey(file, 2).astype(int) - FIELD[:50]).max() <= 1
    with pytest.raises(ImageRefused, match="has 3 pages; page 4"):
        read_grey(file, 3)
    with pytest.raises(ImageRefused, match="more than 2 pages"):
        inspect(file, max_pages=2)


def test_a_thumbnail_in_a_tiff_is_no_page(tmp_path: Path) -> None:
    file = tmp_path / "thumb.tif"
    with tifffile.TiffWriter(file) as writer:
        writer.write(FIELD, metadata=None)
        writer.write(FIELD[::4, ::4], subfiletype=1, metadata=None)
    assert inspect(file).pages == ((80, 64, 8),)


def test_a_tiff_whose_pages_go_in_a_circle_is_refused() -> None:
    content = bytearray(tiff(FIELD))
    first = struct.unpack("<I", content[4:8])[0]
    entries = struct.unpack("<H", content[first : first + 2])[0]
    link = first + 2 + 12 * entries
    content[link : link + 4] = struct.pack("<I", first)
    assert "damaged" in refusal(bytes(content))


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.uint32, np.float32])
def test_deep_pictures_are_stretched_to_their_own_range(dtype: Any) -> None:
    narrow = (FIELD.astype(dtype) - 40) / 2 + 1000 if dtype == np.float32 else FIELD.astype(dtype) + 1000
    grey = read_grey(io.BytesIO(tiff(narrow.astype(dtype), photometric="minisblack")))
    assert grey.min() == 0 and grey.max() == 255
    wanted = (FIELD.astype(float) - FIELD.min()) / (float(FIELD.max()) - FIELD.min()) * 255
    assert np.abs(grey - wanted).max() <= 2


@pytest.mark.parametrize("colour", [False, True])
def test_a_16_bit_png_with_narrow_range_is_not_crushed(colour: bool) -> None:
    deep = FIELD.astype(np.uint16) + 300
    content = imagecodecs.png_encode(np.dstack([deep] * 3) if colour else deep)
    assert inspect(io.BytesIO(content)).pages == ((80, 64, 16),)
    grey = read_grey(io.BytesIO(content))
    assert grey.min() == 0 and grey.max() == 255 and len(np.unique(grey)) > 100


def test_not_a_number_is_replaced_and_nothing_but_that_is_refused() -> None:
    holed = FIELD.astype(np.float32) / 255
    holed[10:20, 10:20] = np.nan
    holed[0, 0], holed[0, 1] = np.inf, -np.inf
    grey = read_grey(io.BytesIO(tiff(holed, photometric="minisblack")))
    assert abs(int(grey[15, 15]) - int(np.median(grey))) <= 3
    assert "NaN" in refusal(tiff(np.full((64, 64), np.nan, np.float32), photometric="minisblack"))


def test_colour_palette_cmyk_and_alpha_become_the_same_grey() -> None:
    grey = Image.fromarray(FIELD)
    clear = Image.merge("LA", (grey, Image.fromarray(np.where(FIELD > 150, 0, 255).astype(np.uint8))))
    over_white = np.where(FIELD > 150, 255, FIELD)
    cmyk = grey.convert("RGB").convert("CMYK")
    for content, wanted in [
        (encoded(grey.convert("RGB"), "PNG"), FIELD),
        (encoded(grey.convert("P"), "PNG"), FIELD),
        (encoded(grey.convert("P"), "TIFF"), FIELD),
        (encoded(cmyk, "TIFF"), FIELD),
        (encoded(clear, "PNG"), over_white),
        (encoded(clear.convert("RGBA"), "TIFF"), over_white),
    ]:
        inspect(io.BytesIO(content))
        assert np.abs(read_grey(io.BytesIO(content)).astype(int) - wanted).max() <= 2
    jpeg = read_grey(io.BytesIO(encoded(cmyk, "JPEG", quality=95)))
    assert np.abs(jpeg.astype(int) - FIELD).mean() < 6


def test_white_is_zero_and_planar_tiffs_are_read() -> None:
    white_zero = tiff(255 - FIELD, photometric="miniswhite")
    assert (read_grey(io.BytesIO(white_zero)) == FIELD).all()
    planar = tiff(np.stack([FIELD] * 3), photometric="rgb", planarconfig="separate")
    assert np.abs(read_grey(io.BytesIO(planar)).astype(int) - FIELD).max() <= 1


def test_one_bit_pictures_are_black_and_white() -> None:
    bits = FIELD > 128
    for kind in ("PNG", "TIFF"):
        grey = read_grey(io.BytesIO(encoded(Image.fromarray(bits), kind)))
        assert ((grey == 255) == bits).all() and set(np.unique(grey)) == {0, 255}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_alike_in_jpeg_and_tiff(orientation: int) -> None:
    from PIL import ImageOps

    picture = Image.fromarray(FIELD)
    exif = Image.Exif()
    exif[0x0112] = orientation
    jpeg = encoded(picture, "JPEG", exif=exif, quality=95)
    wanted = np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(jpeg))))
    assert (read_grey(io.BytesIO(jpeg)) == wanted).all()
    turned = tiff(FIELD, extratags=[(274, 3, 1, orientation, True)])
    grey = read_grey(io.BytesIO(turned))
    assert grey.shape == wanted.shape
    assert np.abs(grey.astype(int) - wanted).mean() < 6
    assert inspect(io.BytesIO(turned)).pages[0][:2] == (wanted.shape[1], wanted.shape[0])


@pytest.mark.parametrize("value", [0, 255])
def test_all_black_and_all_white_are_read_as_they_are(value: int) -> None:
    flat = np.full((64, 64), value, np.uint8)
    assert (read_grey(io.BytesIO(encoded(Image.fromarray(flat), "PNG"))) == value).all()
    assert (read_grey(io.BytesIO(tiff(flat.astype(np.uint16) * 257))) == value).all()


def test_an_animated_png_and_a_volume_are_refused() -> None:
    frames = [Image.fromarray(FIELD), Image.fromarray(255 - FIELD)]
    assert "animated" in refusal(encoded(frames[0], "PNG", save_all=True, append_images=frames[1:]))
    assert "volume" in refusal(tiff(np.zeros((8, 64, 64), np.uint8), volumetric=True, photometric="minisblack"))


def test_the_view_is_a_grey_png_of_the_same_pixels() -> None:
    deep = tiff(FIELD.astype(np.uint16) * 9, photometric="minisblack")
    shown = Image.open(io.BytesIO(view_png(io.BytesIO(deep))))
    assert shown.format == "PNG" and shown.mode == "L"
    assert (np.array(shown) == read_grey(io.BytesIO(deep))).all()


def test_a_tiff_with_a_missing_strip_is_refused_and_not_filled_with_black() -> None:
    content = bytearray(tiff(FIELD, rowsperstrip=16))
    with tifffile.TiffFile(io.BytesIO(bytes(content))) as opened:
        counts = opened.pages[0].tags["StripByteCounts"]
        assert counts.count == 4
        at, size = counts.valueoffset, 2 if counts.dtype == 3 else 4
    content[at + size : at + 2 * size] = bytes(size)
    assert "damaged" in refusal(bytes(content))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_an_uploaded_or_stored_file_is_read_through_its_wrapper(kind: str, tmp_path: Path) -> None:
    from django.core.files import File
    from django.core.files.uploadedfile import SimpleUploadedFile

    content = encoded(Image.fromarray(FIELD), kind)
    (tmp_path / "stored").write_bytes(content)
    with (tmp_path / "stored").open("rb") as stored:
        for wrapped in (File(stored), SimpleUploadedFile("cell", content)):
            assert inspect(wrapped).pages == ((80, 64, 8),)
            assert (read_grey(wrapped) == FIELD).all()

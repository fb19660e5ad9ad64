"""Picture files in, grey pixels out.  No Django, no laboratory: only what a file says about itself.

Whatever arrives is untrusted: the kind is read from the first bytes, never from the name; sizes are read
from the header and held against limits before anything is decoded; and every page is decoded once when a
file is inspected, so that a broken file is refused at the door and not hours later by a worker.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

import numpy as np
from PIL import Image, ImageFile, ImageOps

from karyosite.samples import ImageRefused, flatten, stretch, to_bytes, turn

MAX_PIXELS = 80_000_000
MIN_SIDE = 32
MAX_PAGES = 100
_READS = "Karyosite reads TIFF, PNG, JPEG and BMP"
_BROKEN = "The picture is damaged or cut off: it cannot be read to its end. Copy or export it again and upload that."

__all__ = ["ImageFacts", "ImageRefused", "PageFacts", "inspect", "open_picture", "read_grey", "view_png"]

# Pillow's own: ultralytics, once imported, puts another in its place, which asks for one more package where a picture
# is damaged, and so ends in an error that is no sentence.
open_picture = Image.open


class Stream(Protocol):
    """What reads and seeks: an open file, or the wrapper that an upload or a storage hands over."""

    @property
    def read(self) -> Callable[..., Any]: ...

    @property
    def seek(self) -> Callable[..., Any]: ...


Source = str | os.PathLike[str] | Stream


class PageFacts(NamedTuple):
    """One page.  width, height: pixels as shown, after EXIF orientation.  bit_depth: of one sample."""

    width: int
    height: int
    bit_depth: int


@dataclass(frozen=True)
class ImageFacts:
    media_type: str
    pages: tuple[PageFacts, ...]


_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0", "image/tiff"),
    (b"MM\0+", "image/tiff"),
)
_PILLOW_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/bmp": "BMP"}
_STRANGERS: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "an archive or office document"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"RIFF", "a WebP picture, a film or a sound"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"8BPS", "a Photoshop document"),
)


@contextlib.contextmanager
def _opened(source: Source) -> Iterator[BinaryIO]:
    """The source as a binary stream at its start; a stream that was handed in is left open and rewound."""
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as file:
            yield file
        return
    # Web frameworks hand over wrappers; what they wrap is the stream.
    stream: Any = source if isinstance(source, io.IOBase) else getattr(source, "file", source)
    stream.seek(0)
    try:
        yield stream
    finally:
        stream.seek(0)


def _kind(stream: BinaryIO) -> str:
    head = stream.read(16)
    stream.seek(0)
    if not head:
        raise ImageRefused("The file is empty: it has no bytes at all. Export the picture again and upload that.")
    for magic, media_type in _KINDS:
        if head.startswith(magic):
            return media_type
    for magic, words in _STRANGERS:
        if head.startswith(magic):
            raise ImageRefused(f"This file is {words}, not a picture to analyse. {_READS}.")
    raise ImageRefused(f"This file is not a picture that can be read. {_READS}; save it as one of these.")


def _check_size(width: int, height: int, max_pixels: int, min_side: int, page: str) -> None:
    if min(width, height) < min_side:
        raise ImageRefused(
            f"{page} is {width} × {height} pixels, too small to show chromosomes: "
            f"each side must have at least {min_side} pixels."
        )
    if width * height > max_pixels:
        raise ImageRefused(
            f"{page} is {width} × {height} pixels, more than the {max_pixels // 1_000_000} million that are "
            "accepted. Crop it to the cell, or export it smaller."
        )


def _as_sentence(error: Exception) -> ImageRefused:
    """Any decoder's complaint about the bytes, as one sentence.  Details go to the log, not to the reader."""
    logging.getLogger(__name__).info("picture refused: %s: %s", type(error).__name__, error)
    return ImageRefused(_BROKEN)


# What decoders raise on bad bytes.  MemoryError is one: a header can ask for more than there is.
_DECODER_ERRORS = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    RuntimeError,
    ArithmeticError,
    EOFError,
    SyntaxError,
    MemoryError,
    struct.error,
    zlib.error,
)


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Some libraries switch this on for the whole process; half a picture is no evidence.
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            yield
        except ImageRefused:
            raise
        except Image.DecompressionBombError:
            raise ImageRefused(
                "The picture unfolds to far more pixels than are accepted. Crop it to the cell, or export it smaller."
            ) from None
        except _DECODER_ERRORS as error:
            raise _as_sentence(error) from error


def inspect(
    source: Source, *, max_pixels: int = MAX_PIXELS, min_side: int = MIN_SIDE, max_pages: int = MAX_PAGES
) -> ImageFacts:
    """What the file is, page by page.  Every page is decoded once.

    source: a path, or a seekable binary stream (left open, rewound).  Raises ImageRefused.
    """
    with _opened(source) as stream, _refusing():
        media_type = _kind(stream)
        if media_type == "image/tiff":
            return ImageFacts(media_type, tuple(_inspect_tiff(stream, max_pixels, min_side, max_pages)))
        with _pillow(stream, media_type) as picture:
            _check_size(*picture.size, max_pixels, min_side, "The picture")
        pixels, bit_depth = _read_pillow(stream, media_type)
        return ImageFacts(media_type, (PageFacts(pixels.shape[1], pixels.shape[0], bit_depth),))


def read_grey(source: Source, page: int = 0, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """uint8 (h, w) of one page: EXIF orientation applied, alpha laid over white, colour to luminance.

    8-bit pictures keep their values.  Deeper ones are stretched to their own range: the 0.1st and 99.9th
    percentile become 0 and 255; non-finite pixels get the median.  Raises ImageRefused.
    """
    with _opened(source) as stream, _refusing():
        media_type = _kind(stream)
        if media_type == "image/tiff":
            return _read_tiff(stream, page, max_pixels)
        if page != 0:
            raise ImageRefused(f"The file has one page; page {page + 1} was asked for.")
        with _pillow(stream, media_type) as picture:
            _check_size(*picture.size, max_pixels, 1, "The picture")
        return _read_pillow(stream, media_type)[0]


def view_png(source: Source, page: int = 0, *, max_pixels: int = MAX_PIXELS) -> bytes:
    """The same pixels as `read_grey`, as an 8-bit grey PNG that any browser shows."""
    out = io.BytesIO()
    Image.fromarray(read_grey(source, page, max_pixels=max_pixels)).save(out, "PNG", compress_level=4)
    return out.getvalue()


# ---- PNG, JPEG, BMP


@contextlib.contextmanager
def _pillow(stream: BinaryIO, media_type: str) -> Iterator[Image.Image]:
    stream.seek(0)
    picture = open_picture(stream, formats=[_PILLOW_FORMATS[media_type]])
    try:
        if media_type == "image/png" and getattr(picture, "n_frames", 1) > 1:
            raise ImageRefused("This PNG is animated. Export the one frame that shows the cell and upload that.")
        yield picture
    finally:
        picture.fp = None  # the stream is the caller's: Pillow must not close it
        stream.seek(0)


def _read_pillow(stream: BinaryIO, media_type: str) -> tuple[np.ndarray, int]:
    """uint8 (h, w) as shown, and the bit depth of one sample."""
    if media_type == "image/png":
        with _pillow(stream, media_type) as picture:
            picture.verify()  # checksums of all chunks; load() alone does not look at every one
        header = stream.read(26)
        stream.seek(0)
        if header[24] == 16:
            return _read_deep_png(stream), 16
    with _pillow(stream, media_type) as picture:
        bit_depth = 1 if picture.mode == "1" else 16 if picture.mode.startswith("I") else 8
        upright = ImageOps.exif_transpose(picture)
        return _pillow_grey(upright), bit_depth


def _pillow_grey(picture: Image.Image) -> np.ndarray:
    if picture.mode in ("1", "L"):
        return np.array(picture.convert("L"))
    if picture.mode.startswith("I") or picture.mode == "F":
        return stretch(np.array(picture))
    if picture.has_transparency_data:
        seen = picture.convert("RGBA")
        ground = Image.new("RGBA", seen.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(ground, seen)
    return np.array(picture.convert("RGB").convert("L"))


def _read_deep_png(stream: BinaryIO) -> np.ndarray:
    """16-bit PNG.  Pillow keeps 16 bits for grey only and would crush narrow-range colour to black."""
    import imagecodecs

    samples = imagecodecs.png_decode(stream.read())
    stream.seek(0)
    with _pillow(stream, "image/png") as picture:
        orientation = int(picture.getexif().get(0x0112, 1))
    colour = _COLOUR_OF_SAMPLES[1 if samples.ndim == 2 else samples.shape[2]]
    return turn(stretch(flatten(samples, colour, 65535)), orientation)


# ---- TIFF

_COLOUR_OF_SAMPLES = {1: "grey", 2: "grey+alpha", 3: "rgb", 4: "rgb+alpha"}
_REDUCED, _MASK = 1, 4  # bits of NewSubfileType: a thumbnail or a mask is no page of its own


def _check_directory_chain(stream: BinaryIO, max_pages: int) -> None:
    """Walks the chain of page directories to its end.

    The reading library ends quietly at a broken link, so a file cut off after its third page would pass as a
    file of three pages.
    """
    stream.seek(0)
    head = stream.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    count_format, link_format, entry = (order + "Q", order + "Q", 20) if big else (order + "H", order + "I", 12)
    link = struct.unpack_from(link_format, head, 8 if big else 4)[0]
    seen: set[int] = set()
    while link:
        if link in seen:
            raise ImageRefused(_BROKEN)
        seen.add(link)
        if len(seen) > 4 * max_pages + 4:  # thumbnails may lie between the pages
            raise ImageRefused(_too_many(max_pages))
        stream.seek(link)
        entries = struct.unpack(count_format, stream.read(struct.calcsize(count_format)))[0]
        stream.seek(link + struct.calcsize(count_format) + entries * entry)
        link = struct.unpack(link_format, stream.read(struct.calcsize(link_format)))[0]
    stream.seek(0)


def _too_many(max_pages: int) -> str:
    return f"The file holds more than {max_pages} pages. Split it into smaller files and upload those."


@contextlib.contextmanager
def _tiff_pages(stream: BinaryIO, max_pages: int) -> Iterator[list[Any]]:
    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    _check_directory_chain(stream, max_pages)
    opened: Any = tifffile.TiffFile(stream)
    try:
        pages = [page for page in opened.pages if not int(page.subfiletype) & (_REDUCED | _MASK)]
        if not pages:
            raise ImageRefused("This TIFF holds no picture. Export it again and upload that.")
        if len(pages) > max_pages:
            raise ImageRefused(_too_many(max_pages))
        yield pages
    finally:
        opened.close()
        stream.seek(0)


def _inspect_tiff(stream: BinaryIO, max_pixels: int, min_side: int, max_pages: int) -> Iterator[PageFacts]:
    with _tiff_pages(stream, max_pages) as pages:
        total = 0
        for number, page in enumerate(pages, 1):
            name = "The picture" if len(pages) == 1 else f"Page {number}"
            _check_size(page.imagewidth, page.imagelength, max_pixels, min_side, name)
            total += page.imagewidth * page.imagelength
        if total > 5 * max_pixels:
            raise ImageRefused(
                f"The pages together hold {total // 1_000_000} million pixels, more than is accepted in one file. "
                "Split it into smaller files and upload those."
            )
        for page in pages:
            pixels = _tiff_page_grey(page, stream, max_pixels)
            yield PageFacts(pixels.shape[1], pixels.shape[0], int(page.bitspersample))


def _read_tiff(stream: BinaryIO, page: int, max_pixels: int) -> np.ndarray:
    with _tiff_pages(stream, 10_000) as pages:
        if not 0 <= page < len(pages):
            raise ImageRefused(f"The file has {len(pages)} pages; page {page + 1} was asked for.")
        _check_size(pages[page].imagewidth, pages[page].imagelength, max_pixels, 1, f"Page {page + 1}")
        return _tiff_page_grey(pages[page], stream, max_pixels)


def _tiff_page_grey(page: Any, stream: BinaryIO, max_pixels: int) -> np.ndarray:
    """uint8 (h, w), upright.  The header is checked first: what it promises must lie within the file."""
    if page.imagedepth != 1 or page.axes not in ("YX", "YXS", "SYX"):
        raise ImageRefused("This TIFF is a volume, not a flat picture. Export the cell as a flat picture.")
    if page.nbytes > 8 * max_pixels:
        raise ImageRefused("The picture unfolds to far more data than is accepted. Export it as 8- or 16-bit grey.")
    size = stream.seek(0, os.SEEK_END)
    for offset, length in zip(page.dataoffsets, page.databytecounts, strict=True):
        if not offset or not length or offset + length > size:
            raise ImageRefused(_BROKEN)
    samples = page.asarray()
    if page.axes == "SYX":
        samples = np.moveaxis(samples, 0, -1)
    photometric = page.photometric.name
    ceiling = 2 ** int(page.bitspersample) - 1
    if photometric == "PALETTE":
        table = np.asarray(page.colormap)  # uint16 (3, n)
        samples, colour, ceiling = table[:, samples].transpose(1, 2, 0), "rgb", 65535
        deep = False
    else:
        colour = _tiff_colour(photometric, samples, page)
        deep = samples.dtype.kind != "b" and samples.dtype != np.uint8
    grey = flatten(samples, colour, ceiling)
    grey = stretch(grey) if deep else to_bytes(grey, 0.0, float(ceiling))
    if photometric == "MINISWHITE":
        grey = 255 - grey
    tag = page.tags.get(274)
    return turn(grey, int(tag.value) if tag is not None else 1)


def _tiff_colour(photometric: str, samples: np.ndarray, page: Any) -> str:
    count = 1 if samples.ndim == 2 else samples.shape[2]
    transparent = any(int(extra) in (1, 2) for extra in page.extrasamples)
    if photometric in ("MINISBLACK", "MINISWHITE"):
        return "grey+alpha" if transparent and count > 1 else "grey"
    if photometric == "RGB" and count >= 3 or photometric == "YCBCR" and page.compression.name == "JPEG":
        return "rgb+alpha" if transparent and count > 3 else "rgb"
    if photometric == "SEPARATED" and count >= 4:
        return "cmyk"
    raise ImageRefused(
        f"This TIFF stores its colours in a way that is not read here ({photometric.lower()}). "
        "Export it as grey or RGB and upload that."
    )

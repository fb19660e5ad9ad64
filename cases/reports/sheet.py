"""The karyogram sheet as a picture, from the document and the pixels alone.

Rows and places as sheets from laboratories show them: `1 2 3 | 4 5`, `6 … 12`, `13 14 15 | 16 17 18`,
`19 20 | 21 22 | X Y`, then markers.  One scale for the whole sheet; chromosomes stand on the row's line, or with
their centromeres on one line where the document knows them.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cases.reports.geometry import CutOut, upright, upright_height
from cases.reports.standing import lifts

ROWS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("1", "2", "3"), ("4", "5")),
    (("6", "7", "8", "9", "10", "11", "12"),),
    (("13", "14", "15"), ("16", "17", "18")),
    (("19", "20"), ("21", "22"), ("X", "Y")),
)
_GROUP_OF_FIRST = {"1": "A", "4": "B", "6": "C", "13": "D", "16": "E", "19": "F", "21": "G"}
_PAPER, _INK, _QUIET, _LINE = "#ffffff", "#16202b", "#667382", "#b6bfc8"
_DOUBT, _DOUBT_TINT = "#a15c00", "#fff3de"
_MARGIN, _GAP, _PLACE_GAP, _GROUP_GAP, _ROW_GAP = 48, 10, 40, 96, 40
_LONGEST = 230  # sheet pixels given to the longest chromosome when no scale is asked for
_DOUBT_LINES = 8
_MARKS, _MARK_HEIGHT = {"derivative": "der", "marker": "mar"}, 20
_LOST = 22
RESEARCH = "For research use only"


@dataclass(frozen=True)
class _Place:
    """marks: "der", "mar" or nothing over each of the cut-outs.  lost: homologues counted as lost."""

    label: str
    name: str
    cuts: list[CutOut]
    marks: list[str]
    lost: int
    count: int
    doubtful: bool
    width: int


def render_sheet(
    pixels: np.ndarray,
    document: dict[str, Any],
    *,
    caption: str = "",
    scale: float | None = None,
    doubts: bool = True,
    research_use_only: bool = True,
) -> Image.Image:
    """The sheet, mode RGB.

    pixels: uint8 (h, w), the original's grey.  document: `karyosite.karyogram/1`.  caption: the cell's identity.
    scale: sheet pixels for one pixel of the original, one for all chromosomes; chosen when None.
    doubts: tint doubtful places and say the reasons below.
    """
    present = [entry for entry in document["chromosomes"] if entry["state"] == "present"]
    cuts = _cuts(pixels, present, scale)
    slots: dict[str, list[dict[str, Any]]] = {}
    for entry in sorted(present, key=lambda entry: entry["order"]):
        slots.setdefault(entry["label"], []).append(entry)
    widest = max([cut.width for cut in cuts.values()], default=24)
    lost = document.get("lost", {})
    rows = [
        [[_place(label, slots, cuts, doubts, widest, lost.get(label, 0)) for label in group] for group in row]
        for row in ROWS
    ]
    markers = slots.get("unknown", [])
    inner = max(max(_natural(row) for row in rows), 1180)
    rows += [[[place]] for place in _marker_places(markers, cuts, doubts, inner)]

    reasons = _reasons(present) if doubts else []
    heights = [max([_tall(place) for group in row for place in group], default=40) for row in rows]
    foot = 40 + 22 * len(reasons) + (24 if reasons else 0) + (30 if document.get("note") else 0)
    height = _MARGIN + sum(value + 34 + _ROW_GAP for value in heights) + foot + _MARGIN // 2
    sheet = Image.new("RGB", (inner + 2 * _MARGIN, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    sex_doubtful = not _usual_sex_chromosomes(slots)
    line = _MARGIN
    for row, tallest in zip(rows, heights, strict=True):
        line += tallest
        _draw_row(sheet, draw, row, line, tallest, inner, sex_doubtful)
        line += 34 + _ROW_GAP
    said = f"{len(present)} chromosome{'' if len(present) == 1 else 's'}{_lost_in_words(lost)}"
    _draw_foot(draw, document, f"{said} · {caption}" if caption else said, reasons, line, inner, research_use_only)
    return sheet


def _cuts(pixels: np.ndarray, present: list[dict[str, Any]], scale: float | None) -> dict[str, CutOut]:
    if scale is None:
        sizes = [height for entry in present if (height := upright_height(entry)) > 0]
        # The 95th percentile: one monster of a wrong cut must not shrink the others to dots.
        scale = min(4.0, _LONGEST / max(float(np.percentile(sizes, 95)), 1.0)) if sizes else 1.0
    found = ((entry["id"], upright(pixels, entry, scale)) for entry in present)
    cuts = {identifier: cut for identifier, cut in found if cut is not None}
    for row in (*ROWS, (("unknown",),)):
        labels = {label for group in row for label in group}
        standing = [entry for entry in present if entry["label"] in labels and entry["id"] in cuts]
        for identifier, lift in lifts(standing).items():
            cuts[identifier] = cuts[identifier].lifted(round(lift * scale))
    return cuts


def _doubtful(entry: dict[str, Any]) -> bool:
    return bool(entry["flags"]) and not entry["reviewed"]


def _place(
    label: str,
    slots: dict[str, list[dict[str, Any]]],
    cuts: dict[str, CutOut],
    doubts: bool,
    widest: int,
    lost: int = 0,
) -> _Place:
    entries = slots.get(label, [])
    shown = [cuts[entry["id"]] for entry in entries if entry["id"] in cuts]
    marks = [_MARKS.get(entry.get("role", ""), "") for entry in entries if entry["id"] in cuts]
    width = max(sum(cut.width + _GAP for cut in shown) + lost * (_LOST + _GAP) + _GAP, min(2 * widest, 76))
    doubtful = doubts and any(map(_doubtful, entries))
    return _Place(label, _name(label, entries), shown, marks, lost, len(entries), doubtful, width)


def _name(label: str, entries: list[dict[str, Any]]) -> str:
    if label != "unknown":
        return label
    markers = sum(entry.get("role") == "marker" for entry in entries)
    if not markers:
        return "unclassified"
    return "markers" if markers == len(entries) else "markers and unclassified"


def _tall(place: _Place) -> int:
    """What the place needs above the line: the tallest cut-out with its mark."""
    over = [_MARK_HEIGHT if mark or place.lost else 0 for mark in place.marks]
    return max([cut.height + more for cut, more in zip(place.cuts, over, strict=True)], default=40)


def _lost_in_words(lost: dict[str, int]) -> str:
    order = {label: place for place, label in enumerate([*(str(n) for n in range(1, 23)), "X", "Y"])}
    said = [
        label if number == 1 else f"{label} ×{number}"
        for label, number in sorted(lost.items(), key=lambda one: order[one[0]])
    ]
    return f", counted as lost: {', '.join(said)}" if said else ""


def _marker_places(entries: list[dict[str, Any]], cuts: dict[str, CutOut], doubts: bool, inner: int) -> list[_Place]:
    """The unnamed ones, in as many lines as they need."""
    places: list[_Place] = []
    line: list[dict[str, Any]] = []
    width = _GAP
    for entry in entries:
        needed = cuts[entry["id"]].width + _GAP if entry["id"] in cuts else 0
        if line and width + needed > inner:
            places.append(_place("unknown", {"unknown": line}, cuts, doubts, 0))
            line, width = [], _GAP
        line.append(entry)
        width += needed
    if line:
        places.append(_place("unknown", {"unknown": line}, cuts, doubts, 0))
    return places


def _natural(row: list[list[_Place]]) -> int:
    places = sum(place.width for group in row for place in group)
    gaps = sum(len(group) - 1 for group in row) * _PLACE_GAP
    return places + gaps + (len(row) - 1) * _GROUP_GAP


def _usual_sex_chromosomes(slots: dict[str, list[dict[str, Any]]]) -> bool:
    return (len(slots.get("X", [])), len(slots.get("Y", []))) in ((2, 0), (1, 1))


def _draw_row(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    row: list[list[_Place]],
    line: int,
    tallest: int,
    inner: int,
    sex_doubtful: bool,
) -> None:
    spare = inner - _natural(row)
    # One group fills the line by wider gaps between its places; several are pushed apart, first left, last right.
    if len(row) > 1:
        place_gap, group_gap = float(_PLACE_GAP), _GROUP_GAP + spare / (len(row) - 1)
    else:
        place_gap, group_gap = _PLACE_GAP + spare / max(1, len(row[0]) - 1), 0.0
    x = float(_MARGIN)
    for group in row:
        letter = _GROUP_OF_FIRST.get(group[0].label)
        if letter:
            draw.text((x - 30, line - tallest), letter, fill=_QUIET, font=_font(15))
        for place in group:
            _draw_place(sheet, draw, place, round(x), line, tallest, sex_doubtful)
            x += place.width + place_gap
        x += group_gap - place_gap


def _draw_place(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    place: _Place,
    left: int,
    line: int,
    tallest: int,
    sex_doubtful: bool,
) -> None:
    right = left + place.width
    if place.doubtful:
        draw.rounded_rectangle((left - 6, line - tallest - 8, right + 6, line + 32), 8, fill=_DOUBT_TINT)
    used = sum(cut.width + _GAP for cut in place.cuts) + place.lost * (_LOST + _GAP) - _GAP
    x = left + (place.width - used) // 2
    for cut, mark in zip(place.cuts, place.marks, strict=True):
        grey = Image.fromarray(cut.grey).convert("RGB")
        sheet.paste(grey, (x, line - 4 - cut.height), Image.fromarray(cut.cover))
        if mark:
            draw.text((x + cut.width / 2, line - 6 - cut.height), mark, fill=_INK, font=_font(13, True), anchor="mb")
        x += cut.width + _GAP
    for _ in range(place.lost):
        _draw_lost(draw, x, line - 4, max([cut.height for cut in place.cuts], default=min(tallest, 72)))
        x += _LOST + _GAP
    odd = sex_doubtful if place.label in ("X", "Y") else place.count != 2 and place.label != "unknown"
    draw.line((left, line, right, line), fill=_DOUBT if place.doubtful or odd else _LINE, width=1)
    name = place.name
    centre = (left + right) / 2
    if odd:
        count = f"×{place.count}"
        name_width, gap = draw.textlength(name, _font(16, True)), 6
        start = centre - (name_width + gap + draw.textlength(count, _font(14, True))) / 2
        draw.text((start, line + 6), name, fill=_INK, font=_font(16, True))
        draw.text((start + name_width + gap, line + 8), count, fill=_DOUBT, font=_font(14, True))
    else:
        # What stands under the unnamed ones may be wider than they are.
        width = draw.textlength(name, _font(16, True))
        draw.text((max(left, centre - width / 2), line + 6), name, fill=_INK, font=_font(16, True))


def _draw_lost(draw: ImageDraw.ImageDraw, left: int, foot: int, height: int) -> None:
    """A dashed place, open to the line below: nothing is there, and somebody has said so."""
    right, top = left + _LOST, foot - height
    for y in range(top, foot, 9):
        for x in (left, right):
            draw.line((x, y, x, min(y + 5, foot)), fill=_QUIET, width=2)
    for x in range(left, right, 9):
        draw.line((x, top, min(x + 5, right), top), fill=_QUIET, width=2)
    draw.text(((left + right) / 2, top - 3), "lost", fill=_QUIET, font=_font(12), anchor="mb")


def _reasons(present: list[dict[str, Any]]) -> list[str]:
    """Doubts in words, the sheet's order, at most a few lines."""
    order = {label: place for place, label in enumerate([*(str(n) for n in range(1, 23)), "X", "Y", "unknown"])}
    doubtful = sorted((entry for entry in present if _doubtful(entry)), key=lambda entry: order[entry["label"]])
    lines = [
        f"{entry.get('role', 'unclassified') if entry['label'] == 'unknown' else entry['label']}: "
        + "; ".join(entry["flags"])
        for entry in doubtful
    ]
    if len(lines) > _DOUBT_LINES:
        lines = [*lines[: _DOUBT_LINES - 1], f"and {len(lines) - _DOUBT_LINES + 1} more"]
    return lines


def _draw_foot(
    draw: ImageDraw.ImageDraw,
    document: dict[str, Any],
    said: str,
    reasons: list[str],
    y: int,
    inner: int,
    research_use_only: bool,
) -> None:
    right = _MARGIN + inner
    if document.get("note"):
        draw.text((_MARGIN, y), _fitted(draw, document["note"], inner, 16), fill=_INK, font=_font(16))
        y += 30
    for number, reason in enumerate(reasons):
        draw.text(
            (_MARGIN, y + 22 * number),
            _fitted(draw, reason, inner, 14),
            fill=_DOUBT,
            font=_font(14),
        )
    y += 22 * len(reasons) + (24 if reasons else 0)
    draw.line((_MARGIN, y - 8, right, y - 8), fill=_LINE, width=1)
    research = RESEARCH if research_use_only else ""
    room = inner - int(draw.textlength(research, _font(15))) - 40
    draw.text(
        (_MARGIN, y + 4),
        _fitted(draw, said, room, 15),
        fill=_INK,
        font=_font(15),
    )
    draw.text((right, y + 4), research, fill=_DOUBT, font=_font(15), anchor="ra")


def _fitted(draw: ImageDraw.ImageDraw, text: str, width: int, size: int) -> str:
    """The text on one line; cut with an ellipsis where it does not fit."""
    text = " ".join(text.split())
    if draw.textlength(text, _font(size)) <= width:
        return text
    while text and draw.textlength(text + "…", _font(size)) > width:
        text = text[:-1]
    return text + "…"


@cache
def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu where the machine has it (names in many scripts), else Vera, its Latin ancestor of equal widths."""
    try:
        return ImageFont.truetype("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf", size)
    except OSError:
        face = resources.files("reportlab") / "fonts" / ("VeraBd.ttf" if bold else "Vera.ttf")
        return ImageFont.truetype(io.BytesIO(face.read_bytes()), size)

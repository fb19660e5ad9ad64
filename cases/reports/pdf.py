"""The printed report, from a snapshot, the images that it names and its signatures; from nothing else.

The same snapshot and signatures give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    KeepTogether,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from cases.models import Meaning, Report, ReportState, Sex, Signature, Specimen
from cases.reports.seal import verify
from cases.reports.sheet import render_sheet
from cases.reports.typography import ACCENT, ALARM, BOLD, INK, LINE, QUIET, fonts, marked, style
from cases.storage import sha256_of
from karyosite.errors import Conflict
from karyosite.imaging import read_grey

RESEARCH = "For research use only. Not for diagnostic use."
_MARGIN = 18 * mm
_WIDTH = A4[0] - 2 * _MARGIN


def render_pdf(report: Report) -> bytes:
    """A4 pages.  Signed reports are final; any other state is marked across every page.

    Raises Conflict where a stored image is missing or is not the one that the snapshot names.
    """
    fonts()
    said = report.snapshot
    signatures = list(report.signatures.all())
    broken = [fault for signature in signatures for fault in verify(signature)]
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN - 6,  # the frame inside adds 6 points of its own
        rightMargin=_MARGIN - 6,
        topMargin=26 * mm,
        bottomMargin=22 * mm,
        title=f"Chromosome analysis {said['case']['accession_number']}, version {said['report']['version']}",
        author=said["laboratory"]["name"],
        creator="Karyosite",
        invariant=1,
    )
    story = [
        *_title(said, report, broken),
        *_identity(said),
        *_result(said),
        *_correction(said),
        *_cells(said),
        *_models(said),
        *_signatures(said, report, signatures),
    ]
    for cell in said["cells"]:
        story += [PageBreak(), *_karyogram(said, cell)]
    document.build(story, canvasmaker=_canvas(said, report, broken))
    return out.getvalue()


def _title(said: dict[str, Any], report: Report, broken: list[str]) -> list[Flowable]:
    found: list[Flowable] = [Paragraph("Chromosome analysis", style(17, bold=True, after=2))]
    version = said["report"]["version"]
    if said["correction"]:
        found.append(Paragraph(f"Corrected report, version {version}", style(11, bold=True, colour=ALARM, after=2)))
    if report.state == ReportState.SUBMITTED:
        found.append(Paragraph("Submitted for review. Not signed.", style(10, bold=True, colour=ALARM)))
    elif report.state == ReportState.RETURNED:
        found.append(Paragraph("Returned to its author. Not signed.", style(10, bold=True, colour=ALARM)))
    for fault in broken:
        found.append(Paragraph(f"The signature does not hold. {marked(fault)}", style(10, bold=True, colour=ALARM)))
    return [*found, Spacer(0, 4 * mm)]


def _identity(said: dict[str, Any]) -> list[Flowable]:
    patient, case = said["patient"], said["case"]
    name = ", ".join(part for part in (patient["family_name"], patient["given_name"]) if part)
    left = [
        ("Patient", name or "(no name)"),
        ("Identifier", patient["identifier"]),
        ("Date of birth", _day(patient["birth_date"])),
        ("Sex as stated", _label(Sex, patient["sex"])),
    ]
    right = [
        ("Accession number", case["accession_number"]),
        ("Specimen", _label(Specimen, case["specimen"])),
        ("Received", _day(case["received_on"])),
        ("Indication", case["indication"] or "(none given)"),
    ]
    cells = [
        [_quiet(one[0]), _plain(one[1]), _quiet(two[0]), _plain(two[1])] for one, two in zip(left, right, strict=True)
    ]
    table = Table(cells, colWidths=[26 * mm, 58 * mm, 33 * mm, _WIDTH - 117 * mm])
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEABOVE", (0, 0), (-1, 0), 0.5, LINE),
                ("LINEBELOW", (0, -1), (-1, -1), 0.5, LINE),
                ("LEFTPADDING", (0, 0), (0, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
            ]
        )
    )
    return [table, Spacer(0, 5 * mm)]


def _result(said: dict[str, Any]) -> list[Flowable]:
    found: list[Flowable] = [_heading("Result"), Paragraph(marked(said["result"]), style(13, bold=True, after=4))]
    if said["comment"]:
        # Paragraph by paragraph: one block of many lines could not be broken across pages with its heading.
        found += [Paragraph(marked(part), style(9.5, after=3)) for part in said["comment"].split("\n\n")]
    return [*found, Spacer(0, 4 * mm)]


def _correction(said: dict[str, Any]) -> list[Flowable]:
    correction = said["correction"]
    if not correction:
        return []
    found: list[Flowable] = [_heading("What this version corrects"), _plain(f"Reason: {correction['reason']}")]
    found += [Paragraph(marked("• " + change), style(9)) for change in correction["changes"]]
    found.append(Spacer(0, 2 * mm))
    for earlier in correction["earlier"]:
        found.append(
            _quiet(
                f"Version {earlier['version']}: “{earlier['result']}”, signed by {earlier['signed_by']}, "
                f"{_moment(earlier['signed_at'])}; SHA-256 {earlier['sha256']}"
            )
        )
    return [*found, Spacer(0, 4 * mm)]


def _cells(said: dict[str, Any]) -> list[Flowable]:
    heads = ["Cell", "Culture", "Image", "Count", "Sex", "Doubts", "Accepted"]
    lines = [[_quiet(head) for head in heads]]
    for cell in said["cells"]:
        image, karyogram, accepted = cell["image"], cell["karyogram"], cell["accepted"]
        page = f", page {image['page'] + 1}" if image["page"] else ""
        lines.append(
            [
                _plain(cell["ordinal"]),
                _plain(cell["culture"] or "–"),
                [_plain(image["name"] + page, 8), _quiet(f"SHA-256 {image['sha256'][:16]}…", 7)],
                _plain(karyogram["count"]),
                _plain(karyogram["sex_complement"] or "–"),
                _plain(karyogram["doubts"]),
                [_plain(accepted["by"], 8), _quiet(_moment(accepted["at"]), 7)],
            ]
        )
    found: list[Flowable] = [
        _heading("Cells"),
        _table(lines, [11 * mm, 22 * mm, 56 * mm, 13 * mm, 13 * mm, 15 * mm, _WIDTH - 130 * mm]),
    ]
    # Snapshots signed before cells were counted do not have it.
    for sentence in said.get("counting", {}).get("summary", []):
        found.append(_plain(sentence, 9))
    left_out = len(said["cells_left_out"])
    if left_out:
        words = "1 more cell is" if left_out == 1 else f"{left_out} more cells are"
        found.append(_quiet(f"{words} on record for this version and not part of the result."))
    return [*found, Spacer(0, 4 * mm)]


def _models(said: dict[str, Any]) -> list[Flowable]:
    if not said["models"]:
        return []
    lines = [[_quiet(head) for head in ("Proposed by", "Model", "Version", "SHA-256 of its weights")]]
    for model in said["models"]:
        weights = model["sha256"] or "(none: a rule without weights)"
        lines.append(
            [_plain(model["role"], 8), _plain(model["name"], 8), _plain(model["version"], 8), _quiet(weights, 7)]
        )
    found: list[Flowable] = [
        _heading("Software and models"),
        _table(lines, [24 * mm, 38 * mm, 24 * mm, _WIDTH - 86 * mm]),
        _quiet("The models proposed; the people named accepted each cell."),
    ]
    return [KeepTogether(found), Spacer(0, 4 * mm)]


def _signatures(said: dict[str, Any], report: Report, signatures: list[Signature]) -> list[Flowable]:
    found: list[Flowable] = [
        _heading("Signature"),
        _quiet(f"Submitted by {said['submitted']['by']}, {_moment(said['submitted']['at'])}"),
    ]
    for signature in signatures:
        found += [
            Spacer(0, 2 * mm),
            Paragraph(marked(signature.printed_name), style(11, bold=True)),
            _plain(f"{_label(Meaning, signature.meaning)}, {_moment(signature.signed_at.isoformat())}"),
            _quiet("Signed electronically: the password was given again at signing."),
        ]
    if not signatures:
        found.append(Paragraph("Not signed.", style(11, bold=True, colour=ALARM)))
    found.append(
        _quiet(f"SHA-256 of what {'was signed' if signatures else 'was submitted'}: {report.snapshot_sha256}", 7)
    )
    return [KeepTogether(found)]


def _karyogram(said: dict[str, Any], cell: dict[str, Any]) -> list[Flowable]:
    image, karyogram = cell["image"], cell["karyogram"]
    culture = f", culture {cell['culture']}" if cell["culture"] else ""
    complement = f", sex chromosomes {karyogram['sex_complement']}" if karyogram["sex_complement"] else ""
    return [
        _heading(f"Cell {cell['ordinal']}{culture}: {karyogram['count']} chromosomes{complement}"),
        _quiet(f"{image['name']}, page {image['page'] + 1}, {image['width']} × {image['height']} pixels", 8),
        _quiet(f"SHA-256 {image['sha256']}; karyogram version {karyogram['version']}", 7),
        Spacer(0, 3 * mm),
        _Sheet(cell, said["case"]["accession_number"], bool(said["research_use_only"])),
    ]


class _Sheet(Flowable):
    """The karyogram sheet, drawn into the rest of the page; rendered only then, so that one cell is held at a time."""

    def __init__(self, cell: dict[str, Any], accession: str, research_use_only: bool) -> None:
        super().__init__()
        self.cell, self.accession, self.research_use_only = cell, accession, research_use_only

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        self.width, self.height = width, height - 1
        return self.width, self.height

    def draw(self) -> None:
        caption = f"{self.accession} · cell {self.cell['ordinal']}"
        sheet = render_sheet(
            _pixels(self.cell),
            self.cell["karyogram"]["document"],
            caption=caption,
            research_use_only=self.research_use_only,
        )
        scale = min(self.width / sheet.width, self.height / sheet.height)
        width, height = sheet.width * scale, sheet.height * scale
        self.canv.drawImage(ImageReader(sheet), 0, self.height - height, width, height)


def _pixels(cell: dict[str, Any]) -> Any:
    image = cell["image"]
    path = Path(settings.MEDIA_ROOT) / image["file"]
    if not path.exists() or sha256_of(path) != image["sha256"]:
        raise Conflict(
            f"The stored picture of cell {cell['ordinal']} is missing or damaged, so the report cannot be printed. "
            "Tell your administrator: it has to be restored from a backup.",
            code="image-damaged",
        )
    return read_grey(path, image["page"])


def _canvas(said: dict[str, Any], report: Report, broken: list[str]) -> Callable[..., Canvas]:
    """A canvas that knows how many pages there are when it draws head and foot."""
    watermark = {ReportState.SUBMITTED: "NOT SIGNED", ReportState.RETURNED: "RETURNED"}.get(
        ReportState(report.state), "NOT VALID" if broken else ""
    )

    class Numbered(Canvas):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.finished: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802
            self.finished.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, state in enumerate(self.finished, 1):
                self.__dict__.update(state)
                _frame(self, said, report, watermark, number, len(self.finished))
                super().showPage()
            super().save()

    return Numbered


def _frame(canvas: Canvas, said: dict[str, Any], report: Report, watermark: str, number: int, total: int) -> None:
    width, height = A4
    canvas.saveState()
    if watermark:
        canvas.setFillColor(ALARM)
        canvas.setFillAlpha(0.12)
        canvas.setFont(BOLD, 74)
        canvas.translate(width / 2, height / 2)
        canvas.rotate(52)
        canvas.drawCentredString(0, -26, watermark)
        canvas.restoreState()
        canvas.saveState()
    top, bottom = height - 16 * mm, 13 * mm
    _line(canvas, said["laboratory"]["name"], _MARGIN, top, 10, bold=True)
    case, patient = said["case"], said["patient"]
    identity = f"{case['accession_number']} · {patient['identifier']} · version {said['report']['version']}"
    # In plain type as well: a copy, a fax or a screen reader loses the mark across the page.
    identity += f" · {watermark}" if watermark else ""
    _line(canvas, identity, width - _MARGIN, top, 9, right=True)
    canvas.setStrokeColor(ACCENT)
    canvas.setLineWidth(0.8)
    canvas.line(_MARGIN, top - 3 * mm, width - _MARGIN, top - 3 * mm)
    canvas.setStrokeColor(LINE)
    canvas.line(_MARGIN, bottom + 4 * mm, width - _MARGIN, bottom + 4 * mm)
    if said["research_use_only"]:
        _line(canvas, RESEARCH, _MARGIN, bottom, 8, bold=True)
    _line(canvas, f"SHA-256 {report.snapshot_sha256[:16]}…", width / 2 + 42 * mm, bottom, 7, right=True)
    _line(canvas, f"Page {number} of {total}", width - _MARGIN, bottom, 8, right=True)
    canvas.restoreState()


def _line(
    canvas: Canvas, text: str, x: float, y: float, size: float, *, bold: bool = False, right: bool = False
) -> None:
    """One line through the same markup as the body, so that every script prints here too."""
    look = style(size, bold=bold, colour=INK if bold or size > 8 else QUIET)
    look.alignment = 2 if right else 0
    paragraph = Paragraph(marked(text), look)
    width, height = paragraph.wrap(_WIDTH * 0.62, 40)
    paragraph.drawOn(canvas, x - width if right else x, y - height + size)


def _table(lines: list[list[Any]], widths: list[float]) -> Table:
    table = Table(lines, colWidths=widths, repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, 0), 0.6, QUIET),
                ("LINEBELOW", (0, 1), (-1, -1), 0.25, LINE),
                ("LEFTPADDING", (0, 0), (0, -1), 0),
                ("LEFTPADDING", (1, 0), (-1, -1), 3),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    return table


def _heading(text: str) -> Paragraph:
    look = style(10.5, bold=True, colour=ACCENT, after=2)
    look.keepWithNext = 1
    return Paragraph(marked(text), look)


def _plain(text: object, size: float = 9) -> Paragraph:
    return Paragraph(marked(text), style(size))


def _quiet(text: object, size: float = 8) -> Paragraph:
    return Paragraph(marked(text), style(size, colour=QUIET))


def _label(choices: Any, value: str) -> str:
    return str(choices(value).label) if value in choices.values else value


def _day(text: str) -> str:
    return date.fromisoformat(text).strftime("%-d %B %Y") if text else "–"


def _moment(text: str) -> str:
    return timezone.localtime(datetime.fromisoformat(text)).strftime("%-d %B %Y, %H:%M %Z") if text else "–"

"""One class of chromosomes through all cells of a case, and the small pictures that it is shown with."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cases import selectors
from cases.across import across
from cases.domain.karyogram_document import LABELS, UNKNOWN
from cases.models import Karyogram
from cases.views.thumbnail import kept_picture
from karyosite import imaging
from karyosite.env import environment
from karyosite.errors import NotFound
from karyosite.pages import page, person

_PER_PIXEL = 3  # drawn finer than shown: screens differ
RENDERING = 1


@page
def case_across(request: HttpRequest, case_id: str) -> HttpResponse:
    """?class=8: one of 1 … 22, X, Y, unknown.  ?cells=all: proposals that nobody has accepted too."""
    user = person(request)
    case = selectors.case(user, case_id)
    label = request.GET.get("class", "1")
    if label not in LABELS:
        raise NotFound("There is no such chromosome.")
    found = across(user, case, label, everything=request.GET.get("cells") == "all")
    here = LABELS.index(label)
    return render(
        request,
        "cases/across.html",
        {
            "case": case,
            "found": found,
            "label": label,
            "name": "Markers and unclassified" if label == UNKNOWN else f"Chromosome {label}",
            "classes": LABELS,
            "previous": LABELS[here - 1] if here else "",
            "next": LABELS[here + 1] if here + 1 < len(LABELS) else "",
            "everything": request.GET.get("cells") == "all",
        },
    )


@page
def chromosome_picture(request: HttpRequest, metaphase_id: str, chromosome: str, version: int) -> HttpResponse:
    """One chromosome, upright, on nothing.  version: of the karyogram; an older one shows the newest."""
    cell = selectors.metaphase(person(request), metaphase_id)
    if not hasattr(cell, "karyogram"):
        raise NotFound(selectors.NOTHING_HERE)

    def draw() -> bytes:
        import io

        from PIL import Image

        from cases.reports.geometry import upright

        document = Karyogram.objects.only("document").get(metaphase=cell).document
        found = next((one for one in document["chromosomes"] if one["id"] == chromosome), None)
        if found is None:
            raise NotFound(selectors.NOTHING_HERE)
        with cell.image.file.open("rb") as file:
            field = imaging.read_grey(file, cell.page, max_pixels=environment.image_max_pixels)
        cut = upright(field, found, scale=_PER_PIXEL)
        if cut is None:
            raise NotFound(selectors.NOTHING_HERE)
        picture = Image.merge("LA", (Image.fromarray(cut.grey), Image.fromarray(cut.cover)))
        # What the cut-out's margin adds would make the picture larger than the page expects.
        picture = picture.crop(picture.getchannel("A").getbbox() or (0, 0, *picture.size))
        out = io.BytesIO()
        picture.convert("RGBA").save(out, "WEBP", quality=88)
        return out.getvalue()

    name = f"{cell.pk}-{chromosome}-{cell.karyogram.version}-{RENDERING}.webp"
    return kept_picture("chromosomes", name, draw, settled=version == cell.karyogram.version)

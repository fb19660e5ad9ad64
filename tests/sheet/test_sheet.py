from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, ImageChops

from cases.reports.sheet import render_sheet
from tests.conftest import chromosome, karyogram_document, png_bytes

PIXELS = np.array(Image.open(io.BytesIO(png_bytes())))


def sheet(document: dict[str, Any], **options: Any) -> Image.Image:
    return render_sheet(PIXELS, document, **options)


def ink(picture: Image.Image) -> int:
    return int((np.array(picture.convert("L")) < 200).sum())


def orange(picture: Image.Image) -> int:
    rgb = np.array(picture).astype(int)
    return int(((rgb[:, :, 0] - rgb[:, :, 2] > 90) & (rgb[:, :, 0] > 120)).sum())


def test_an_empty_karyogram_still_has_all_places_and_says_why() -> None:
    document = karyogram_document() | {"chromosomes": [], "note": ""}
    empty = sheet(document)
    said = sheet(document | {"note": "No chromosomes were found in this picture."})
    assert empty.mode == "RGB" and ink(empty) > 1000
    assert ink(said) > ink(empty) + 300


def test_debris_is_left_out_and_a_chromosome_put_in_changes_the_sheet() -> None:
    document = karyogram_document()
    debris = karyogram_document()
    debris["chromosomes"][0]["state"] = "debris"
    assert ink(sheet(document)) > ink(sheet(debris))


def test_flip_and_angle_change_the_cut_out() -> None:
    plain = sheet(karyogram_document(), scale=2)
    for change in ({"flip": True}, {"angle": 180.0}):
        document = karyogram_document()
        document["chromosomes"][0] |= change
        other = sheet(document, scale=2)
        assert other.size == plain.size
        assert ImageChops.difference(plain, other).getbbox() is not None


def test_a_count_of_two_is_not_remarked_and_a_doubt_ends_when_a_person_has_looked() -> None:
    labels = [*(str(number) for number in range(1, 23)), "X"]
    entries = [
        chromosome(f"c{2 * place + copy:02d}", label, copy) for place, label in enumerate(labels) for copy in (0, 1)
    ]
    document = karyogram_document() | {"chromosomes": entries}
    quiet = orange(sheet(document, research_use_only=False))
    assert quiet == 0
    third = [*entries, chromosome("c90", "21", 2)]
    assert orange(sheet(document | {"chromosomes": third}, research_use_only=False)) > 20
    entries[0]["flags"] = ["between 1 (50 %) and 2 (40 %)"]
    assert orange(sheet(document, research_use_only=False)) > 20
    entries[0]["reviewed"] = True
    assert orange(sheet(document, research_use_only=False)) == 0


def test_research_use_is_said_unless_turned_off() -> None:
    document = karyogram_document() | {"chromosomes": []}
    assert orange(sheet(document)) > orange(sheet(document, research_use_only=False)) + 100


def test_sixty_in_one_place_and_many_markers_still_fit() -> None:
    crowd = [chromosome(f"c{number:02d}", "8", number) for number in range(60)]
    wide = sheet(karyogram_document() | {"chromosomes": crowd}, scale=2)
    assert wide.width > 60 * 28
    markers = [chromosome(f"c{number:02d}", "unknown", number) for number in range(90)]
    tall = sheet(karyogram_document() | {"chromosomes": markers}, scale=2)
    one = sheet(karyogram_document() | {"chromosomes": markers[:1]}, scale=2)
    assert tall.width < 1400 and tall.height > one.height + 100


def test_a_long_caption_stays_on_the_sheet() -> None:
    document = karyogram_document()
    assert sheet(document, caption="cell " * 400).size == sheet(document).size


def test_markers_derivatives_and_lost_homologues_are_shown_as_such() -> None:
    plain = sheet(karyogram_document(), scale=2)
    marked = karyogram_document()
    marked["chromosomes"][1]["role"] = "derivative"
    assert ink(sheet(marked, scale=2)) > ink(plain) + 50
    named = karyogram_document()
    named["chromosomes"][4]["role"] = "marker"
    assert sheet(named, scale=2).height == plain.height + 20, "the mark over the marker needs its room"
    lost = karyogram_document() | {"lost": {"21": 2}}
    shown = sheet(lost, scale=2)
    assert ink(shown) > ink(plain) + 200
    assert orange(shown) - orange(plain) < 50, "a loss that a person has stated is no doubt"

"""The scripted technologist: three faults of a real cell put right by keyboard alone, and what is stored in the end."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

import pytest
from django.core.files.base import ContentFile

from cases.reports.geometry import ring_mask
from tests import technologist as script
from tests.editor.conftest import CellPage


@pytest.fixture
def real_cell(transactional_db: None, case: Any, technologist: Any, cell_page: Any) -> CellPage:
    """The technologist at the cell of tests/technologist.py, as a machine may propose it."""
    from cases.models import AnalysisState, EditKind, Karyogram, KaryogramEdit, Metaphase, StoredImage

    content, document = script.PHOTOGRAPH.read_bytes(), script.proposed()
    digest = hashlib.sha256(content).hexdigest()
    assert digest == document["image"]["sha256"]
    image = StoredImage(
        laboratory=case.laboratory, sha256=digest, byte_size=len(content), media_type="image/jpeg", pages=1
    )
    image.file.save(f"originals/{case.laboratory_id}/{digest[:2]}/{digest}", ContentFile(content))
    metaphase = Metaphase.objects.create(
        case=case, image=image, ordinal=1, original_name=script.PHOTOGRAPH.name, added_by=technologist,
        width=document["image"]["width"], height=document["image"]["height"], analysis_state=AnalysisState.SUCCEEDED,
    )  # fmt: skip
    made = Karyogram.objects.create(
        metaphase=metaphase, document=document, proposal=copy.deepcopy(document), count=46, doubts=4
    )
    KaryogramEdit.objects.create(
        karyogram=made, version=1, kind=EditKind.PROPOSAL, edit={"op": "replace"}, inverse={}, author_name="Karyosite"
    )
    opened: CellPage = cell_page(technologist, metaphase).open()
    return opened


def classes(document: dict[str, Any]) -> dict[str, list[str]]:
    """Ids by what a chromosome is."""
    found: dict[str, list[str]] = {}
    for one in document["chromosomes"]:
        found.setdefault(one["label"] if one["state"] == "present" else "debris", []).append(one["id"])
    return {label: sorted(ids) for label, ids in found.items()}


def test_three_faults_are_put_right_by_keyboard_alone(real_cell: CellPage) -> None:
    cell = real_cell
    # A pointer would be a fault of the script, not of the page: none may reach it.
    cell.page.evaluate(
        """() => ["pointerdown", "pointermove", "wheel"].forEach((kind) =>
          addEventListener(kind, () => (globalThis.pointerSeen = kind), true))"""
    )
    cell.page.locator("#fact-doubts", has_text="4").wait_for()
    script.correct(cell.page, hurried=True)
    cell.all_saved()
    assert cell.page.evaluate("globalThis.pointerSeen ?? null") is None

    stored = cell.stored()
    assert (stored["accepted"], stored["count"], stored["doubts"]) == (True, 46, 0)
    now, wanted = classes(stored["document"]), classes(script.corrected())
    (cut,) = set(now["17"]) - set(wanted["17"])
    assert now.pop("debris") == [script.SPECK]
    wanted["17"] = sorted([cut, *(one for one in wanted["17"] if one != script.SEVENTEEN)])
    assert now == wanted
    for identifier, meant in ((script.ONE, script.ONE), (cut, script.SEVENTEEN)):
        height, width = stored["document"]["image"]["height"], stored["document"]["image"]["width"]
        true = next(one for one in script.corrected()["chromosomes"] if one["id"] == meant)
        here = ring_mask(cell.stored_chromosome(identifier)["rings"], height, width)
        there = ring_mask(true["rings"], height, width)
        assert (here & there).sum() / (here | there).sum() > 0.85, meant
    assert cell.page.locator("#fact-count").inner_text() == "46"
    assert len(cell.shown("17")) == 2 and len(cell.shown("21")) == 2


def test_the_doubts_come_in_the_order_in_which_the_script_meets_them(real_cell: CellPage) -> None:
    """Group C first, and among equals the one of which the machine was least sure; the reason stands with each."""
    cell = real_cell
    met = []
    for _ in range(5):
        cell.press("n")
        met.append(cell.page.evaluate("document.activeElement.dataset.id"))
    assert met == [script.NINE, script.ELEVEN, script.SPECK, script.ONE, script.NINE]
    reasons = cell.page.locator(".doubt-reason span").all_inner_texts()
    assert reasons[:2] == ["between 11 (52 %) and 9 (45 %)", "between 9 (54 %) and 11 (43 %)"]
    assert cell.page.locator("#doubts-title").inner_text() == "Doubt 1 of 4"

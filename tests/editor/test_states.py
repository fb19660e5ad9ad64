"""The cell page in every state, and its way around: waiting, failed, empty, read-only, no picture, other cells."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from inference.stages.quality import BLURRED
from tests.browser import keep_screenshot
from tests.conftest import karyogram_document
from tests.editor.conftest import CellPage


def test_one_screen_without_scrolling(cell: CellPage) -> None:
    for width, height in ((1280, 800), (3840, 2160), (1024, 700)):
        cell.page.set_viewport_size({"width": width, "height": height})
        overflow = cell.page.evaluate(
            """() => {
              const root = document.documentElement;
              return [root.scrollWidth - root.clientWidth, root.scrollHeight - root.clientHeight];
            }"""
        )
        assert overflow == [0, 0], (width, height)
        foot = cell.page.locator(".cell-foot").bounding_box()
        assert foot["y"] + foot["height"] <= height + 1
        cell.page.locator("[data-slot=debris]").wait_for()


def test_names_for_those_who_listen(cell: CellPage) -> None:
    names = cell.page.eval_on_selector_all(".chromosome", "all => all.map((one) => one.getAttribute('aria-label'))")
    assert names == [
        "Chromosome 1, copy 1",
        "Chromosome 1, copy 2",
        "Chromosome 8, copy 1, doubtful: between 8 (71 %) and X (26 %)",
        "Chromosome X, copy 1",
        "Unclassified chromosome 1",
    ]
    cell.choose("c05")
    cell.press("9")
    cell.page.locator("#say-quiet", has_text="Chromosome 9, copy 1").wait_for(state="attached")


def test_hover_joins_photograph_and_sheet_both_ways(cell: CellPage) -> None:
    cell.chromosome("c04").hover()
    cell.page.locator(".outline.hovered[data-id=c04]").wait_for()
    cell.outline("c03").hover()
    cell.page.locator(".chromosome.hovered[data-id=c03]").wait_for()
    assert cell.page.locator(".hovered[data-id=c04]").count() == 0
    cell.outline("c02").click()
    cell.page.locator(".chromosome.selected[data-id=c02]").wait_for()
    assert cell.page.evaluate("document.activeElement.dataset.id") == "c02"
    cell.chromosome("c01").click()
    cell.page.locator(".outline.selected[data-id=c01]").wait_for()


def test_arrows_walk_the_sheet(cell: CellPage) -> None:
    cell.choose("c01")
    walked = []
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowRight", "ArrowLeft", "ArrowUp", "ArrowUp"):
        cell.press(key)
        walked.append(cell.page.evaluate("document.activeElement.dataset.id"))
    assert walked[:5] == ["c02", "c03", "c04", "c05", "c04"]
    assert walked[5] == "c03"
    assert walked[6] in ("c01", "c02")


def test_the_picture_is_the_cells_own(cell: CellPage) -> None:
    """A chromosome's canvas holds the pixels inside its outline."""
    cell.page.locator("canvas.spread-image").wait_for(state="attached")
    dark = cell.page.evaluate(
        """() => {
          const canvas = document.querySelector(".chromosome[data-id=c01] canvas");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let [dark, opaque] = [0, 0];
          for (let at = 0; at < data.length; at += 4) {
            opaque += data[at + 3] > 200;
            dark += data[at + 3] > 200 && data[at] < 100;
          }
          return dark / opaque;
        }"""
    )
    from PIL import Image

    with cell.metaphase.image.file.open("rb") as file:
        box = karyogram_document()["chromosomes"][0]["box"]
        field = Image.open(file).crop([int(edge) for edge in box])
        expected = sum(value < 100 for value in field.getdata()) / (field.width * field.height)
    assert dark == pytest.approx(expected, abs=0.08)


def test_the_keys_dialog_keeps_the_focus_and_closes(cell: CellPage) -> None:
    cell.choose("c01")
    cell.press("?")
    dialog = cell.page.locator("#keys")
    dialog.get_by_text("upside down").wait_for()
    for _ in range(6):
        cell.press("Tab")
        # On its way round the focus may stop at the browser's own bar, never at what lies under the dialog.
        assert cell.page.evaluate("document.activeElement.matches('main *:not(dialog, dialog *), header *')") is False
    cell.press("x")  # a key meant for the list changes nothing
    cell.press("Escape")
    assert dialog.is_hidden()
    assert cell.stored()["version"] == 1
    assert cell.page.evaluate("document.activeElement.dataset.id") == "c01"


def test_photograph_zoom_pan_outlines(cell: CellPage) -> None:
    view = lambda: [float(value) for value in cell.page.get_attribute("#spread", "viewBox").split()]  # noqa: E731
    fitted = view()
    box = cell.page.locator("#spread").bounding_box()
    cell.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.6)
    cell.page.mouse.wheel(0, -600)
    cell.page.locator(f"#spread:not([viewBox='{' '.join(map(str, fitted))}'])").wait_for()
    zoomed = view()
    assert zoomed[2] < fitted[2] * 0.8
    cell.page.mouse.down()
    cell.page.mouse.move(box["x"] + box["width"] / 2 + 60, box["y"] + box["height"] * 0.6, steps=4)
    cell.page.mouse.up()
    assert view()[0] < zoomed[0]
    cell.press("0")
    assert view() == pytest.approx(fitted)
    cell.page.click("#actual")
    assert view()[2] == pytest.approx(box["width"], abs=1)
    cell.press("o")
    assert cell.page.locator("#outlines").get_attribute("aria-pressed") == "false"


def test_a_signed_case_can_only_be_looked_at(karyogram: Any, technologist: Any, cell_page: Any) -> None:
    case = karyogram.metaphase.case
    case.state = "signed"
    case.save()
    cell = cell_page(technologist, karyogram.metaphase).open()
    cell.page.locator("#locked", has_text="This case is signed").wait_for()
    for control in ("#undo", "#redo", "#decide", ".keys-now"):
        assert cell.page.locator(control).is_hidden()
    cell.choose("c03")
    cell.press("x", "Enter", "Delete", "r")
    cell.drag(cell.chromosome("c03"), cell.place("X"))
    cell.page.wait_for_timeout(200)
    assert cell.stored()["version"] == 1
    assert cell.shown("8") == ["c03"]
    assert cell.page.get_by_role("button", name="Make it X").count() == 0


def test_a_role_without_the_right_is_told_so(karyogram: Any, administrator: Any, cell_page: Any) -> None:
    cell = cell_page(administrator, karyogram.metaphase).open()
    cell.page.locator("#locked", has_text="Only technologists and supervisors may change a karyogram.").wait_for()
    assert cell.page.locator("#decide").is_hidden()


def test_a_stranger_finds_nothing(karyogram: Any, stranger: Any, cell_page: Any) -> None:
    page = cell_page(stranger, karyogram.metaphase)
    assert page.page.goto(page.address).status == 404
    assert "26-01842" not in page.page.content()


def with_job(metaphase: Any, state: str, **changes: Any) -> Any:
    from django.utils import timezone

    from inference.models import InferenceJob

    job = InferenceJob.objects.create(metaphase=metaphase, state=state, queued_at=timezone.now(), **changes)
    mirror(metaphase, job)
    return job


def mirror(metaphase: Any, job: Any) -> None:
    metaphase.analysis_state, metaphase.analysis_stage, metaphase.analysis_error = job.state, job.stage, job.error
    metaphase.analysis_job = job.pk
    metaphase.save()


def test_waiting_running_and_there_it_is_without_a_reload(metaphase: Any, technologist: Any, cell_page: Any) -> None:
    from cases.models import Karyogram

    job = with_job(metaphase, "queued")
    cell = cell_page(technologist, metaphase)
    cell.page.goto(cell.address)
    panel = cell.page.locator("#analysis")
    panel.get_by_text("Waiting for analysis").wait_for()
    cell.page.evaluate("window.sameDocument = true")
    job.state, job.stage = "running", "segment"
    job.save()
    mirror(metaphase, job)
    panel.get_by_text("Step 4 of 7: cutting them out").wait_for()
    document = karyogram_document(metaphase.image.sha256)
    Karyogram.objects.create(metaphase=metaphase, document=document, proposal=document, count=5, doubts=1)
    job.state, job.stage = "succeeded", ""
    job.save()
    mirror(metaphase, job)
    cell.saved(1)
    assert panel.is_hidden()
    assert cell.shown("1") == ["c01", "c02"]
    assert cell.page.evaluate("window.sameDocument") is True


def test_failed_says_why_and_tries_again(metaphase: Any, technologist: Any, cell_page: Any) -> None:
    with_job(metaphase, "failed", error="The picture is too dark to find chromosomes in. It is kept.")
    cell = cell_page(technologist, metaphase).open()
    panel = cell.page.locator("#analysis")
    panel.get_by_text("The picture is too dark to find chromosomes in.").wait_for()
    panel.get_by_role("button", name="Analyse again").click()
    panel.get_by_text("Waiting for analysis").wait_for()
    panel.get_by_role("button", name="Cancel the analysis").click()
    panel.get_by_text("The analysis was cancelled").wait_for()
    metaphase.refresh_from_db()
    assert metaphase.analysis_state == "cancelled"


def test_failed_for_someone_who_may_not_try_again(metaphase: Any, administrator: Any, cell_page: Any) -> None:
    with_job(metaphase, "failed", error="The picture is too dark.")
    cell = cell_page(administrator, metaphase).open()
    cell.page.locator("#analysis").get_by_text("The picture is too dark.").wait_for()
    assert cell.page.get_by_role("button", name="Analyse again").count() == 0


def test_no_chromosomes_says_so(karyogram: Any, technologist: Any, cell_page: Any) -> None:
    karyogram.document = {**karyogram.document, "chromosomes": [], "note": "Only an interphase nucleus was seen."}
    karyogram.count = karyogram.doubts = 0
    karyogram.save()
    cell = cell_page(technologist, karyogram.metaphase).open()
    panel = cell.page.locator("#analysis")
    panel.get_by_text("No chromosomes were found").wait_for()
    panel.get_by_text("Only an interphase nucleus was seen.").wait_for()
    assert cell.page.locator("#fact-count").inner_text() == "0"


def test_what_is_to_be_known_of_the_photograph_is_said_beneath_it(
    karyogram: Any, technologist: Any, cell_page: Any
) -> None:
    cell = cell_page(technologist, karyogram.metaphase).open()
    note, whole = cell.page.locator("#picture-note"), cell.page.locator("#spread").bounding_box()
    assert note.is_hidden()
    karyogram.document["note"] = karyogram.note = BLURRED
    karyogram.save()
    cell.open()
    assert note.inner_text() == BLURRED
    # The photograph gives way to it and is still wholly there, and both stay on one screen.
    left = cell.page.locator("#spread").bounding_box()
    assert whole["height"] - left["height"] == pytest.approx(note.bounding_box()["height"], abs=1)
    assert cell.page.locator(".cell-foot").bounding_box()["y"] < 800
    keep_screenshot(cell.page, "out-of-focus")
    cell.choose("c03")
    cell.press("Enter")
    cell.saved(2)
    assert note.inner_text() == BLURRED


def test_a_karyogram_that_does_not_load(karyogram: Any, technologist: Any, cell_page: Any) -> None:
    cell = cell_page(technologist, karyogram.metaphase)
    pattern = re.compile(r"/karyogram/$")
    cell.page.route(pattern, lambda route: route.fulfill(status=500, body=""))
    cell.open()
    panel = cell.page.locator("#analysis")
    panel.get_by_text("The karyogram could not be loaded").wait_for()
    panel.get_by_text("It is kept on the server as it was.").wait_for()
    keep_screenshot(cell.page, "karyogram-not-loaded")
    cell.page.unroute(pattern)
    panel.get_by_role("button", name="Load it again").click()
    cell.saved(1)
    assert panel.is_hidden()
    assert cell.shown("1") == ["c01", "c02"]
    assert cell.page.locator(".keys-now").is_visible()


def test_a_photograph_that_does_not_load(karyogram: Any, technologist: Any, cell_page: Any) -> None:
    cell = cell_page(technologist, karyogram.metaphase)
    pattern = re.compile(r"/view/")
    cell.page.route(pattern, lambda route: route.abort())
    cell.open()
    cell.page.get_by_role("region", name="Metaphase").get_by_text("The photograph could not be loaded.").wait_for()
    assert cell.shown("1") == ["c01", "c02"]
    cell.page.unroute(pattern)
    cell.page.get_by_role("button", name="Load it again").click()
    cell.page.locator("canvas.spread-image").wait_for(state="attached")
    assert cell.page.locator("#image-failed").is_hidden()


def test_to_the_next_cell_and_back(cell: CellPage, metaphase: Any) -> None:
    from cases.models import Metaphase

    other = Metaphase.objects.get(pk=metaphase.pk)
    other.pk, other.page, other.ordinal, other.analysis_state = uuid.uuid4(), 1, 2, "none"
    other._state.adding = True
    other.save()
    cell.open()
    assert [text.split()[-1] for text in cell.page.locator(".cell-square").all_text_contents()] == ["1", "2"]
    cell.press(".")
    cell.page.wait_for_url(f"**/cells/{other.pk}/")
    cell.page.locator("#analysis").get_by_text("Not analysed yet").wait_for()
    cell.page.wait_for_selector("main[data-opened]")
    cell.press("PageUp")
    cell.page.wait_for_url(f"**/cells/{metaphase.pk}/")
    cell.page.wait_for_selector("main[data-opened]")
    cell.press(",")
    cell.says("This is the first cell of the case.")


def test_the_sheet_can_be_taken_along(cell: CellPage) -> None:
    with cell.page.expect_download() as download:
        cell.page.click("#sheet-png")
    assert download.value.suggested_filename.endswith(".png")
    from pathlib import Path

    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")


def test_the_top_line_stands_alike_with_and_without_chromosomes(cell: CellPage) -> None:
    before = cell.page.locator(".cell-case h1 a").bounding_box()
    from cases.models import Karyogram

    Karyogram.objects.update(document={**karyogram_document(), "chromosomes": []}, count=0, doubts=0)
    cell.open()
    cell.page.get_by_text("No chromosomes were found").wait_for()
    assert cell.page.locator(".cell-case h1 a").bounding_box() == before

"""The pages in Chromium against the real server: uploads, lists by keyboard, the picker, colours, live status."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from karyosite.accounts.preferences import change_preferences, preferences
from tests.browser import keep_screenshot, sign_in
from tests.conftest import png_bytes

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def open_page(transactional_db: None, live_server: Any, browser_context: Any, technologist: Any) -> Any:
    """open_page(address) → the page as the technologist sees it, its scripts at work."""

    def make(address: str) -> Any:
        sign_in(browser_context, technologist, live_server.url)
        page = browser_context.new_page()
        page.goto(live_server.url + address, wait_until="load")
        return page

    return make


@pytest.fixture
def files(tmp_path: Path) -> Any:
    def make(*names: str) -> list[str]:
        for seed, name in enumerate(names):
            (tmp_path / name).write_bytes(png_bytes(seed=seed) if name.endswith(".png") else b"MZ no picture")
        return [str(tmp_path / name) for name in names]

    return make


def test_each_file_of_a_batch_has_its_own_fate(case: Any, open_page: Any, files: Any) -> None:
    page = open_page(reverse("case", args=[case.pk]))
    page.set_input_files("#upload-files", files("a.png", "b.png", "c.png", "d.png", "program.exe"))
    summary = page.locator("#upload-summary")
    summary.get_by_text("4 added, 1 refused", exact=True).wait_for()
    row = page.locator("#uploads li", has_text="program.exe")
    assert re.search(r"[a-z]{3,} .*\.$", row.locator(".why").inner_text())
    page.locator(".cell-card").nth(3).wait_for()
    keep_screenshot(page, "case-upload")
    assert case.metaphases.count() == 4
    page.set_input_files("#upload-files", files("a.png"))
    summary.get_by_text("4 added, 1 already here, 1 refused", exact=True).wait_for()
    assert "already here: cell" in page.locator("#uploads li.known .outcome").inner_text()
    assert case.metaphases.count() == 4


def test_a_cut_off_upload_is_told_and_can_be_tried_again(case: Any, open_page: Any, files: Any) -> None:
    page = open_page(reverse("case", args=[case.pk]))
    page.route("**/metaphases/", lambda route: route.abort(), times=1)
    page.set_input_files("#upload-files", files("a.png"))
    page.locator("#uploads .why", has_text="The connection broke").wait_for()
    page.get_by_role("button", name="Try again: a.png").click()
    page.locator("#upload-summary").get_by_text("1 added", exact=True).wait_for()
    assert case.metaphases.count() == 1


def test_no_more_than_three_uploads_at_a_time(case: Any, open_page: Any, files: Any) -> None:
    page = open_page(reverse("case", args=[case.pk]))
    held: list[Any] = []
    page.route("**/metaphases/", lambda route: held.append(route))
    page.set_input_files("#upload-files", files(*[f"{i}.png" for i in range(5)]))
    page.locator("#uploads li.sending").nth(2).wait_for()
    assert page.locator("#uploads li.sending").count() == 3 and page.locator("#uploads li.waiting").count() == 2
    for _ in range(5):
        while not held:
            page.wait_for_timeout(20)
        assert page.locator("#uploads li.sending").count() <= 3
        held.pop(0).continue_()
    page.locator("#upload-summary").get_by_text("5 added", exact=True).wait_for()


def test_a_drop_anywhere_on_the_page_is_taken(case: Any, open_page: Any) -> None:
    page = open_page(reverse("case", args=[case.pk]))
    content = list(png_bytes(seed=9))
    page.evaluate(
        """bytes => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "dropped.png", {type: "image/png"}));
          document.querySelector("main").dispatchEvent(
            new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true}));
        }""",
        content,
    )
    page.locator("#upload-summary").get_by_text("1 added", exact=True).wait_for()
    assert case.metaphases.get().original_name == "dropped.png"


def test_status_is_followed_without_reloading_and_typed_words_stay(case: Any, metaphase: Any, open_page: Any) -> None:
    metaphase.analysis_state = "running"
    metaphase.save()
    page = open_page(reverse("case", args=[case.pk]))
    page.get_by_label("Result line").fill("46,XX[2]")
    metaphase.analysis_state, metaphase.analysis_error = "failed", "The memory was full."
    metaphase.save()
    page.locator(".reason", has_text="The memory was full.").wait_for()
    assert page.get_by_label("Result line").input_value() == "46,XX[2]"
    assert "every 2s" not in (page.locator("#cells").get_attribute("hx-trigger") or "")
    page.get_by_role("button", name="Try again cell 1").click()
    page.locator(".cell-card .state", has_text="Waiting").wait_for()
    page.get_by_role("button", name="Cancel the analysis of cell 1").click()
    page.locator(".cell-card .state", has_text="Cancelled").wait_for()


def test_the_worklist_by_keyboard_alone(case: Any, patient: Any, open_page: Any, technologist: Any) -> None:
    from cases.actions.create_case import create_case

    later = create_case(
        user=technologist,
        patient_id=patient.pk,
        accession_number="26-02000",
        specimen="blood",
        received_on=case.received_on,
        assignee_id=technologist.pk,
    )
    page = open_page("/")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent") == later.accession_number
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.textContent") == case.accession_number
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("02000")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=02000**")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{reverse('case', args=[later.pk])}")


def test_a_patient_is_found_while_typing_and_chosen(patient: Any, open_page: Any) -> None:
    from cases.models import Case

    page = open_page(reverse("case-new"))
    assert page.get_by_label("Family name").is_visible()
    page.get_by_label("Find a patient on record").press_sequentially("lindq")
    page.locator(".match", has_text="MRN-004417").click()
    assert not page.get_by_label("Family name").is_visible()
    page.get_by_label("Accession number").fill("26-03000")
    page.get_by_role("button", name="Open case").click()
    page.get_by_role("heading", name="26-03000").wait_for()
    assert Case.objects.get(accession_number="26-03000").patient == patient


def test_the_chosen_colours_are_remembered_and_set_before_the_page_is_drawn(case: Any, open_page: Any) -> None:
    page = open_page("/")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(244, 245, 247)"
    page.get_by_role("button", name="Use dark colours").click()
    assert page.evaluate(background) == "rgb(18, 23, 29)"
    page.reload(wait_until="commit")
    page.wait_for_selector("main")
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    page.get_by_role("button", name="Use light colours").click()
    assert page.evaluate("localStorage.getItem('karyosite.theme')") is None


def test_colours_that_could_not_be_sent_hold_meanwhile_and_are_sent_again(
    case: Any, open_page: Any, technologist: Any
) -> None:
    page = open_page("/")
    shown, address = "document.documentElement.dataset.bsTheme", "**/me/preferences/"
    page.route(address, lambda route: route.abort("connectionrefused"))
    page.get_by_role("button", name="Use dark colours").click()
    page.reload()
    assert page.evaluate(shown) == "dark"
    page.unroute(address)
    with page.expect_response(address) as sent:
        page.reload()
    assert sent.value.ok
    technologist.refresh_from_db()
    assert preferences(technologist)["theme"] == "dark"
    # Chosen again at another computer: what this tab sent, and the server had confirmed, is no longer held against it.
    confirmed = "sessionStorage['karyosite.theme.latest'].includes(' ')"
    page.evaluate(f"async () => {{ while (!({confirmed})) await new Promise((go) => setTimeout(go, 20)) }}")
    change_preferences(user=technologist, changes={"theme": "light"})
    page.reload()
    assert page.evaluate(shown) == "light"


def test_a_page_asked_for_before_the_choice_was_kept_shows_the_chosen_colours(case: Any, open_page: Any) -> None:
    page = open_page("/")
    asked: list[Any] = []

    def once_the_page_is_written(route: Any) -> None:
        while not asked:
            page.wait_for_timeout(20)
        route.continue_()

    page.route(page.url, lambda route: asked.append((route, route.fetch())))
    page.route("**/me/preferences/", once_the_page_is_written)
    with page.expect_response("**/me/preferences/"):
        page.evaluate("() => { location.reload(); document.querySelector('[data-theme-toggle]').click() }")
    route, answer = asked.pop()
    with page.expect_navigation():
        route.fulfill(response=answer)
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_stand_out_from_their_ground(theme: str, case: Any, open_page: Any) -> None:
    """WCAG AA: 4.5 to 1 for every pair of token colours that text is set in."""
    page = open_page("/")
    page.emulate_media(color_scheme=theme)
    pairs = [
        ("ink", "paper"),
        ("ink", "panel"),
        ("quiet", "paper"),
        ("quiet", "panel"),
        ("accent", "panel"),
        ("accent", "paper"),
        ("accent", "soft"),
        ("accent-ink", "accent"),
        ("doubt", "panel"),
        ("accepted", "panel"),
        ("ink", "accepted-bg"),
        ("error", "panel"),
        ("ink", "error-bg"),
        ("ink", "soft"),
    ]
    found = page.evaluate(
        """pairs => {
          const probe = document.body.appendChild(document.createElement("i"));
          const read = (name) => {
            probe.className = "";
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(`i { color: var(--${name}) }`);
            document.adoptedStyleSheets = [sheet];
            return getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map((v) => {
              const c = v / 255;
              return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
            });
          };
          const light = (name) => { const [r, g, b] = read(name); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
          return pairs.map(([one, other]) => {
            const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
            return (high + 0.05) / (low + 0.05);
          });
        }""",
        pairs,
    )
    weak = {pair: round(ratio, 2) for pair, ratio in zip(map(tuple, pairs), found, strict=True) if ratio < 4.5}
    assert weak == {}

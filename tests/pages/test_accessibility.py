"""axe-core finds nothing serious or critical on any page, light and dark; and no page traps the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from tests.browser import ROOT, sign_in

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
AXE = ROOT / "tests" / "vendor" / "axe-core" / "axe.min.js"
# What the colours decide; everything else is the same in the dark.
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
RUN = """async (only) => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"], ...only });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.target.join(" ")}: ${
      node.any.concat(node.all).map((one) => one.message).join("; ").slice(0, 160)}`));
}"""


@pytest.fixture
def faults_of(unhurried_server: Any, browser_context: Any) -> Callable[..., list[str]]:
    """faults_of(page, *steps): after loading and after each step, light and dark."""
    browser_context.add_init_script(AXE.read_text())

    def look(page: Any, *steps: Callable[[], Any]) -> list[str]:
        found = []
        for step in (lambda: None, *steps):
            step()
            for theme, only in (("light", {}), ("dark", COLOURS)):
                page.evaluate("(theme) => (document.documentElement.dataset.bsTheme = theme)", theme)
                found += [f"{page.url.split('/', 3)[3]} {theme}: {fault}" for fault in page.evaluate(RUN, only)]
        return found

    return look


@pytest.fixture
def as_person(unhurried_server: Any, browser_context: Any) -> Callable[[Any, str], Any]:
    def opened(user: Any, address: str) -> Any:
        if user is not None:
            sign_in(browser_context, user, unhurried_server.url)
        page = browser_context.new_page()
        page.set_default_timeout(60_000)  # looking takes seconds, and says nothing about how fast a page is
        page.goto(unhurried_server.url + address, wait_until="load")
        return page

    return opened


def pages_of_names() -> set[str]:
    """Every named page; what is only posted to, a fragment or a picture left out.

    The interactive description of the API is not among them: Swagger UI draws it, not we.
    """
    from cases.urls import urlpatterns as laboratory
    from inference.urls import urlpatterns as models
    from karyosite.accounts.urls import urlpatterns as people

    no_page = {
        "case-cells", "culture-new", "case-submit", "case-return", "case-sign", "case-amend", "cell-analyse",
        "cell-cancel", "cell-thumbnail", "chromosome-picture", "patient-find", "report-pdf", "sign-out", "password",
        "token-new", "token-revoke", "member-new", "member-password", "member-remove", "model-activate",
    }  # fmt: skip
    return {pattern.name for pattern in (*laboratory, *models, *people) if pattern.name} - no_page


@pytest.mark.parametrize("name", sorted(pages_of_names() - {"cell", "sign-in"}))
def test_pages(
    name: str, signed: Any, case: Any, patient: Any, colleague: Any, administrator: Any, faults_of: Any, as_person: Any
) -> None:
    arguments = {
        "case": [case.pk], "case-edit": [case.pk], "case-audit": [case.pk], "case-across": [case.pk],
        "patient": [patient.pk], "patient-edit": [patient.pk], "report": [signed.pk], "member": [colleague.pk],
    }  # fmt: skip
    faults = faults_of(as_person(administrator, reverse(name, args=arguments.get(name))))
    assert not faults, "\n".join(faults)


def test_pages_with_work_to_do(submitted: Any, case: Any, supervisor: Any, faults_of: Any, as_person: Any) -> None:
    """Signing in, a refused form, a case waiting for its signature, a page that is not there."""
    page = as_person(None, reverse("sign-in"))
    faults = faults_of(page, lambda: page.click("main button[type=submit], main button"))
    faults += faults_of(as_person(supervisor, reverse("case", args=[case.pk])))
    faults += faults_of(as_person(supervisor, "/nowhere/"))
    assert not faults, "\n".join(faults)


def test_the_cell_page(karyogram: Any, technologist: Any, faults_of: Any, as_person: Any) -> None:
    page = as_person(technologist, reverse("cell", args=[karyogram.metaphase_id]))
    page.wait_for_selector("main[data-opened]")
    panels = page.locator(".drawer-tab")
    steps: list[Callable[[], Any]] = [lambda: page.click(".chromosome[data-id=c03]")]
    steps += [panels.nth(index).click for index in range(panels.count())]
    steps += [lambda: page.click("#view"), lambda: page.keyboard.press("Escape"), lambda: page.keyboard.press("?")]
    faults = faults_of(page, *steps)
    assert not faults, "\n".join(sorted(set(faults)))


def test_the_cell_page_at_work(
    karyogram: Any, technologist: Any, colleague: Any, faults_of: Any, as_person: Any, browser_context: Any
) -> None:
    """Each tool taken up, the menu, a lost homologue and a mark, comments, an earlier version, a comparison, no server,
    and a case that is locked."""
    from cases.actions.add_comment import add_comment
    from cases.models import Case

    cell = karyogram.metaphase_id
    add_comment(user=colleague, metaphase_id=cell, text="Is this an X?", chromosome="c03")
    page = as_person(technologist, reverse("cell", args=[cell]))
    page.wait_for_selector("main[data-opened]")

    def press(*keys: str) -> None:
        for key in keys:
            page.keyboard.press(key)

    def marked() -> None:
        page.click(".chromosome[data-id=c03]")
        press("Shift+D", "l", "Enter")
        page.locator("#saving-text", has_text="version 3 · saved").wait_for()

    def compared() -> None:
        page.locator(".step[data-version='1']").hover()
        page.locator(".step[data-version='1']").get_by_role("button", name="Compare").click()
        page.locator(".comparison-line").first.wait_for()

    def away() -> None:
        page.get_by_role("button", name="End the comparison").click()
        page.get_by_role("button", name="Back to now").click()
        browser_context.route("**/karyogram/edits/", lambda route: route.abort())
        page.click(".chromosome[data-id=c01]")
        press("f")
        page.locator("#saving[data-save=unsaved]").wait_for()

    def locked() -> None:
        Case.objects.update(state="submitted")
        browser_context.unroute("**/karyogram/edits/")
        page.locator("#locked", has_text="under review").wait_for()

    steps: list[Callable[[], Any]] = [marked]
    steps += [lambda key=key: press(key) for key in ("a", "g", "b", "e", "k")]
    steps += [lambda: press("Escape", "Escape"), lambda: page.click(".chromosome[data-id=c03]", button="right")]
    steps += [lambda: press("Escape", "Shift+C"), lambda: press("h"), compared]
    steps += [lambda: page.locator("[data-shows='1']").click(), away, locked]
    faults = faults_of(page, *steps)
    assert not faults, "\n".join(sorted(set(faults)))


def test_counting_mode_and_a_class_across_cells(
    karyogram: Any, case: Any, technologist: Any, faults_of: Any, as_person: Any
) -> None:
    page = as_person(technologist, f"{reverse('cell', args=[karyogram.metaphase_id])}?count")
    page.wait_for_selector("main[data-counting]")
    faults = faults_of(page, lambda: page.keyboard.press("s"), lambda: page.keyboard.press("e"))
    page = as_person(technologist, f"{reverse('case-across', args=[case.pk])}?class=8&cells=all")
    page.wait_for_selector("#ideogram svg")
    faults += faults_of(page)
    assert not faults, "\n".join(sorted(set(faults)))


def test_the_keyboard_is_never_trapped(karyogram: Any, technologist: Any, as_person: Any) -> None:
    """Tab goes through the whole cell page and out of it again; the sheet is one stop."""
    page = as_person(technologist, reverse("cell", args=[karyogram.metaphase_id]))
    page.wait_for_selector("main[data-opened]")
    where = """() => {
      const one = document.activeElement;
      return one === document.body ? "page" : [one.tagName, one.id, one.className, one.dataset.id ?? ""].join(".");
    }"""
    seen = []
    for _ in range(120):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(where))
        if len(seen) > 3 and seen[-1] == seen[0]:
            break
    else:
        pytest.fail(f"Tab does not come round: {seen[-8:]}")
    assert sum("BUTTON..chromosome" in one for one in seen) == 1
    assert len(seen) > 12

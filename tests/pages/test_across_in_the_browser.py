"""One chromosome across a case's cells, as it is used: keys from class to class, the ideogram, and into a cell."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from tests.browser import sign_in
from tests.cases.conftest import add_cell

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def across(karyogram: Any, case: Any, technologist: Any, unhurried_server: Any, browser_context: Any) -> Any:
    """The page of chromosome 8, all analysed cells; two cells show one picture."""
    add_cell(case, karyogram.metaphase.image, 1)
    sign_in(browser_context, technologist, unhurried_server.url)
    page = browser_context.new_page()
    page.goto(f"{unhurried_server.url}{reverse('case-across', args=[case.pk])}?class=8&cells=all")
    page.get_by_role("img", name="Ideogram of chromosome 8, 550 bands").wait_for()
    return page


def test_the_ideogram_stands_beside_the_homologues_at_their_scale(across: Any) -> None:
    beside = across.locator(".across-one img").first.bounding_box()
    assert beside["width"] > 0 and across.locator("#ideogram svg").bounding_box()["height"] > 20
    for bands in ("400", "850"):
        across.select_option("#bands", bands)
        across.get_by_role("img", name=f"Ideogram of chromosome 8, {bands} bands").wait_for()


def test_from_class_to_class_by_keys(across: Any) -> None:
    for key, label in ((".", "9"), (",", "8"), ("PageDown", "9"), ("x", "X"), ("u", "unknown"), ("7", "7")):
        across.keyboard.press(key)
        across.wait_for_url(f"**/across/?class={label}&cells=all")
        across.wait_for_load_state("load")
    across.keyboard.press("1")
    # 1 waits a moment for a second digit.
    across.wait_for_url("**/across/?class=1&cells=all")


def test_one_is_opened_in_its_cell_and_chosen(across: Any, karyogram: Any) -> None:
    across.keyboard.press("ArrowRight")
    assert across.evaluate("document.activeElement.className").startswith("across-one")
    across.keyboard.press("Enter")
    across.wait_for_url(f"**/cells/{karyogram.metaphase_id}/#c03")
    across.locator(".chromosome.selected[data-id=c03]").wait_for()
    across.go_back()
    across.locator(".across-one").first.click()
    across.locator(".chromosome.selected[data-id=c03]").wait_for()

"""A cell's page in Chromium against the real server, and the API as its user sees it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.browser import sign_in


@pytest.fixture(autouse=True, scope="session")
def _queries_beside_playwright() -> Iterator[None]:
    """Playwright's event loop lives in this thread, and the database is set up and emptied around every test."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@dataclass
class CellPage:
    """What tests ask the page, and what the database says about it."""

    page: Any
    metaphase: Any
    server: str

    @property
    def address(self) -> str:
        return f"{self.server}/cells/{self.metaphase.pk}/"

    @property
    def api(self) -> str:
        return f"/api/v1/metaphases/{self.metaphase.pk}/karyogram/"

    def open(self) -> CellPage:
        self.page.goto(self.address)
        self.page.wait_for_selector("main[data-opened]")
        return self

    def chromosome(self, identifier: str) -> Any:
        return self.page.locator(f".chromosome[data-id={identifier}]")

    def outline(self, identifier: str) -> Any:
        return self.page.locator(f".outline[data-id={identifier}]")

    def place(self, slot: str) -> Any:
        return self.page.locator(f"[data-slot='{slot}']")

    def shown(self, slot: str) -> list[str]:
        """Ids in a place of the sheet, from the left."""
        return self.page.eval_on_selector_all(
            f"[data-slot='{slot}'] .chromosome", "found => found.map((one) => one.dataset.id)"
        )

    def choose(self, identifier: str) -> None:
        self.chromosome(identifier).click()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def saved(self, version: int) -> None:
        self.page.locator("#saving-text", has_text=f"version {version} · saved").wait_for()

    def all_saved(self) -> None:
        self.page.locator("#saving[data-save=saved]").wait_for()

    def says(self, sentence: str) -> None:
        self.page.locator("#say-text", has_text=sentence).wait_for()

    def stored(self) -> dict[str, Any]:
        """The karyogram as the API gives it to this user."""
        answer = self.page.request.get(self.server + self.api)
        assert answer.ok, answer.text()
        return answer.json()

    def stored_slot(self, slot: str) -> list[str]:
        chromosomes = self.stored()["document"]["chromosomes"]
        of_slot = [one for one in chromosomes if (one["label"] if one["state"] == "present" else "debris") == slot]
        return [one["id"] for one in sorted(of_slot, key=lambda one: one["order"])]

    def stored_chromosome(self, identifier: str) -> dict[str, Any]:
        return next(one for one in self.stored()["document"]["chromosomes"] if one["id"] == identifier)

    def drag(self, source: Any, target: Any, *, x: float = 0.5, release: bool = True) -> None:
        """By the pointer, in small steps; x: where across the target, 0 to 1."""
        start, end = source.bounding_box(), target.bounding_box()
        mouse = self.page.mouse
        mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
        mouse.down()
        mouse.move(end["x"] + end["width"] * x, end["y"] + end["height"] / 2, steps=6)
        if release:
            mouse.up()


@pytest.fixture
def cell_page(unhurried_server: Any, browser_context: Any) -> Any:
    """cell_page(user, metaphase) → CellPage, signed in but not opened."""

    def make(user: Any, metaphase: Any, context: Any = None) -> CellPage:
        context = context or browser_context
        sign_in(context, user, unhurried_server.url)
        return CellPage(context.new_page(), metaphase, unhurried_server.url)

    return make


@pytest.fixture
def cell(transactional_db: None, karyogram: Any, technologist: Any, cell_page: Any) -> CellPage:
    """The technologist at an analysed cell of five chromosomes."""
    opened: CellPage = cell_page(technologist, karyogram.metaphase).open()
    return opened

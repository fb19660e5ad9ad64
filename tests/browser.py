"""Chromium for tests: `browser_context` and `browser_page`, and signing in.  Registered in tests/conftest.py."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
EDITOR = ROOT / "cases" / "static" / "cases" / "js" / "editor"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


def chromium() -> str:
    """The browser's path; the test fails with a sentence where there is none."""
    for name in CHROMIUM:
        found = shutil.which(name)
        if found:
            return found
    pytest.fail("The browser tests need Chromium. On Debian and Ubuntu: apt-get install chromium", pytrace=False)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One headless Chromium for all tests."""
    executable = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, headless=True, args=list(SWITCHES))
        yield started
        started.close()


@pytest.fixture
def browser_context(browser: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A fresh profile at 1280×800; a script error on any of its pages fails the test."""
    # Playwright's event loop lives in this thread; Django would refuse every query of the test itself.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    faults: list[str] = []
    context.on("weberror", lambda fault: faults.append(str(fault.error)))
    context.on(
        "console",
        lambda message: faults.append(message.text) if "Content Security Policy" in message.text else None,
    )
    yield context
    context.close()
    assert not faults, faults


@pytest.fixture
def browser_page(browser_context: Any) -> Any:
    return browser_context.new_page()


@pytest.fixture
def unhurried_server(transactional_db: None, live_server: Any) -> Iterator[Any]:
    """The live server; the test's database stays until the server has answered everything it was asked.

    A closed browser does not stop a request that is being worked on: emptied tables under it fail the next test.
    """
    from django.core.signals import request_finished, request_started

    under_way: list[int] = []

    def begins(**_: Any) -> None:
        under_way.append(1)

    def ends(**_: Any) -> None:
        if under_way:
            under_way.pop()

    request_started.connect(begins)
    request_finished.connect(ends)
    yield live_server
    until = time.monotonic() + 10
    while under_way and time.monotonic() < until:
        time.sleep(0.01)
    request_started.disconnect(begins)
    request_finished.disconnect(ends)


def sign_in(context: Any, user: Any, address: str) -> None:
    """Gives the context the session of a user, without the sign-in page."""
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])


def module_page(page: Any) -> Any:
    """An empty page on which the editor's modules can be imported as "/<name>.js", without any server."""

    def answer(route: Any) -> None:
        name = re.sub(r"^https?://[^/]+/", "", route.request.url)
        if name == "":
            route.fulfill(content_type="text/html", body="<!doctype html><title>modules</title>")
        elif re.fullmatch(r"[a-z-]+\.js", name) and (EDITOR / name).is_file():
            route.fulfill(content_type="text/javascript", body=(EDITOR / name).read_text())
        else:
            route.fulfill(status=404, body="")

    page.route("http://editor.test/**", answer)
    page.goto("http://editor.test/")
    return page


def keep_screenshot(page: Any, name: str) -> None:
    """For looking at: written only where KARYOSITE_SCREENSHOTS names a folder."""
    folder = os.environ.get("KARYOSITE_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"))

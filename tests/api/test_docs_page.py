"""The interactive description in a real browser, under the site's strict content security policy."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.mark.e2e
def test_the_interactive_page_draws_and_nothing_of_it_is_blocked(live_server: Any) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "Chromium is needed for this test: apt-get install chromium"
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=SWITCHES)
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        reply = page.goto(f"{live_server.url}/api/v1/docs/")
        assert reply is not None
        policy = reply.headers["content-security-policy"]
        page.wait_for_selector("#operations-karyograms-karyogram_edit")
        page.click("#operations-karyograms-karyogram_edit .opblock-summary")
        page.wait_for_selector("#operations-karyograms-karyogram_edit .opblock-body")
        assert page.locator(".opblock").count() >= 39
        browser.close()
    assert said == []
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy

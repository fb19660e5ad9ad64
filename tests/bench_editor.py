"""How fast the cell page is: the real program, headless Chromium, the real cell of 46 of tests/technologist.py.

`make bench` includes these figures; `python -m tests.bench_editor` prints them alone.  Nothing is asserted.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from cases.demo.laboratory import PEOPLE
from tests import technologist
from tests.browser import SWITCHES, chromium
from tests.program import Client, Program, running, token_for

OPENINGS, EDITS, DRAGS, SEEN, LONG_RUN, KEPT_EVERY = 11, 100, 5, 20, 1000, 250
DRAG_S, MOUSE_S = 2.0, 0.008  # a usual mouse reports 125 times a second

# Interactive: chromosomes, photograph and keys are there, and the browser has had the chance to draw them.
WATCH_OPENING = """new MutationObserver(() => {
  if (globalThis.openedAt || !document.querySelector("main[data-opened]")) return;
  if (!document.querySelector("canvas.spread-image") || document.querySelectorAll(".chromosome").length < 46) return;
  globalThis.openedAt = -1;
  requestAnimationFrame(() => setTimeout(() => (globalThis.openedAt = performance.now())));
}).observe(document, { subtree: true, childList: true, attributes: true });"""
# From a key to the next picture, and to the server's word; taken in the page, so that no test tool counts.
WATCH_EDITS = """() => {
  globalThis.edits = [];
  let pressed = 0;
  addEventListener("keydown", () => {
    pressed = performance.now();
    const edit = { pressed };
    globalThis.edits.push(edit);
    requestAnimationFrame(() => setTimeout(() => (edit.shown = performance.now() - edit.pressed)));
  }, true);
  const line = document.getElementById("saving");
  new MutationObserver(() => {
    const last = globalThis.edits.at(-1);
    if (last && !last.saved && line.dataset.save === "saved") last.saved = performance.now() - last.pressed;
  }).observe(line, { attributes: true, attributeFilter: ["data-save"] });
}"""
FRAMES = """() => {
  globalThis.frames = [];
  const next = (at) => { globalThis.frames?.push(at); if (globalThis.frames) requestAnimationFrame(next); };
  requestAnimationFrame(next);
}"""


def middle_and_slow(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {"median": statistics.median(ordered), "p95": ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]}


def cell_of_46(program: Program, client: Client, case: str) -> str:
    """Uploads the photograph and lets the karyogram be the known one, faults and all; → the cell's id."""
    added = client.upload(case, technologist.PHOTOGRAPH)
    metaphase = str(added["metaphases"][0]["id"])
    while client.call("GET", f"metaphases/{metaphase}/")["analysis_state"] in ("queued", "running"):
        time.sleep(0.1)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(json.dumps(technologist.proposed()))
        file.flush()
        program.manage(
            "shell", "-c",
            f"import json; from cases.models import Karyogram; d = json.load(open('{file.name}')); "
            f"Karyogram.objects.filter(metaphase_id='{metaphase}').update(document=d, proposal=d, count=46, doubts=4)",
        )  # fmt: skip
    return metaphase


@contextlib.contextmanager
def signed_in(browser: Any, program: Program, person: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_init_script(WATCH_OPENING)
    page = context.new_page()
    page.goto(program.url)
    page.fill("input[name=username]", person.username)
    page.fill("input[name=password]", person.password)
    page.click("main button")
    page.wait_for_url(f"{program.url}/")
    page.close()
    yield context
    context.close()


def until(page: Any, expression: str, given: Any = None) -> None:
    """Waits for an expression to be true; Playwright's own waiting makes scripts of text, which the page forbids."""
    while not page.evaluate(expression, given):
        time.sleep(0.005)


def opened(context: Any, address: str) -> tuple[Any, float]:
    """A cell page; → it, and the seconds from asking for the address until it is interactive."""
    page = context.new_page()
    page.goto(address)
    until(page, "globalThis.openedAt > 0")
    return page, page.evaluate("globalThis.openedAt") / 1000


def opening(context: Any, address: str) -> dict[str, float]:
    seconds = []
    for _ in range(OPENINGS):
        page, took = opened(context, address)
        seconds.append(took)
        page.close()
    return {"first": seconds[0], **middle_and_slow(seconds[1:])}


def all_saved(page: Any) -> None:
    page.wait_for_selector("#saving[data-save=saved]")


def editing(page: Any) -> dict[str, dict[str, float]]:
    """One edit after the other, each acknowledged before the next, of one chromosome after the other."""
    page.evaluate(WATCH_EDITS)
    for number in range(EDITS):
        page.evaluate("(n) => document.querySelectorAll('.chromosome')[n].focus()", number % 40)
        page.keyboard.press("f")
        until(page, "globalThis.edits.at(-1).saved && globalThis.edits.at(-1).shown")
    edits = page.evaluate("globalThis.edits")
    return {
        "key_to_picture_s": middle_and_slow([edit["shown"] / 1000 for edit in edits]),
        "key_to_saved_s": middle_and_slow([edit["saved"] / 1000 for edit in edits]),
    }


def dragging(page: Any) -> dict[str, float]:
    """A chromosome led around over the whole sheet and let go where it was, so that nothing is changed."""
    sheet = page.locator("#sheet").bounding_box()
    rates, gaps = [], []
    for number in range(DRAGS):
        box = page.locator(".chromosome").nth(7 * number).bounding_box()
        home = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(*home)
        page.mouse.down()
        page.evaluate(FRAMES)
        began = time.perf_counter()
        while (passed := time.perf_counter() - began) < DRAG_S:
            across, down = (passed * 0.9) % 1, (passed * 2.3) % 1
            page.mouse.move(sheet["x"] + sheet["width"] * across, sheet["y"] + sheet["height"] * down)
            time.sleep(MOUSE_S)
        frames = page.evaluate("() => { const found = frames; globalThis.frames = null; return found; }")
        page.keyboard.press("Escape")
        page.mouse.up()
        rates.append(1000 * (len(frames) - 1) / (frames[-1] - frames[0]))
        gaps += [later - earlier for earlier, later in zip(frames, frames[1:], strict=False)]
    gap = middle_and_slow(gaps)
    return {
        "frames_per_second": statistics.median(rates), "slowest_drag": min(rates),
        "p95_between_frames_ms": gap["p95"], "longest_between_frames_ms": max(gaps),
    }  # fmt: skip


def renderers_mb(browser_pid: int) -> float:
    """Memory of the pages' processes that they share with nobody."""
    pages = [one for one in psutil.Process(browser_pid).children(recursive=True) if "--type=renderer" in one.cmdline()]
    return sum(one.memory_full_info().uss for one in pages) / 1e6


def long_run(page: Any, browser_pid: int) -> dict[str, Any]:
    """A thousand edits by keys, undo among them: what the page holds on to after each quarter of them."""
    inspector = page.context.new_cdp_session(page)
    inspector.send("Performance.enable")
    kept: list[dict[str, float]] = []

    def keep(edits: int) -> None:
        all_saved(page)
        for _ in range(2):
            inspector.send("HeapProfiler.collectGarbage")
        found = {one["name"]: one["value"] for one in inspector.send("Performance.getMetrics")["metrics"]}
        kept.append({
            "edits": edits, "heap_mb": found["JSHeapUsedSize"] / 1e6, "nodes": found["Nodes"],
            "listeners": found["JSEventListeners"], "process_mb": renderers_mb(browser_pid),
        })  # fmt: skip

    page.locator(".chromosome").first.click()
    done = 0
    keys = ("f", "r", "t", "z", "Shift+Z", "]", "d", "z", "f", "5")
    while done < 100 + LONG_RUN:
        if done >= 100 and (done - 100) % KEPT_EVERY == 0:
            keep(done - 100)
        page.keyboard.press("ArrowRight")
        for key in keys:
            page.keyboard.press(key)
            all_saved(page)
        done += len(keys)
        if done % 300 == 0:
            page.locator(".chromosome").first.click()
    keep(done - 100)
    return {"kept": kept, "heap_grown_mb": kept[-1]["heap_mb"] - kept[0]["heap_mb"],
            "process_grown_mb": kept[-1]["process_mb"] - kept[0]["process_mb"]}  # fmt: skip


def seen_by_another(browser: Any, program: Program, address: str, page: Any) -> dict[str, float]:
    """Seconds from one person's key until another person's page shows what it did."""
    seconds = []
    with signed_in(browser, program, PEOPLE[1]) as context:
        other, _ = opened(context, address)
        for number in range(SEEN):
            page.locator(".chromosome").nth(number).focus()
            before = other.locator("#saving-text").inner_text()
            time.sleep(0.137 * (number % 11))  # at any moment between two of the other page's questions
            began = time.perf_counter()
            page.keyboard.press("f")
            until(other, "(before) => document.getElementById('saving-text').textContent !== before", before)
            seconds.append(time.perf_counter() - began)
            all_saved(page)
    return {**middle_and_slow(seconds), "longest": max(seconds)}


def editor_figures(program: Program, client: Client, case: str) -> dict[str, Any]:
    """Everything above on one cell of `case`; the technologist's corrections come first, on the cell as proposed."""
    from playwright.sync_api import sync_playwright

    address = f"{program.url}/cells/{cell_of_46(program, client, case)}/"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), headless=True, args=list(SWITCHES))
        browser_pid = next(
            one.pid for one in psutil.Process().children(recursive=True)
            if "--headless" in " ".join(one.cmdline()) and "--type=" not in " ".join(one.cmdline())
        )  # fmt: skip
        with signed_in(browser, program, PEOPLE[0]) as context:
            figures: dict[str, Any] = {"opening_s": opening(context, address)}
            page, _ = opened(context, address)
            figures["technologist"] = {
                "keystrokes": technologist.KEYSTROKES, "seconds": technologist.correct(page),
                "of_which_pauses": technologist.THINKING_S + technologist.KEYSTROKES * technologist.KEY_S,
            }  # fmt: skip
            figures |= editing(page)
            figures["dragging"] = dragging(page)
            figures["seen_by_another_s"] = seen_by_another(browser, program, address, page)
            page.close()
            page, _ = opened(context, address)
            figures["thousand_edits"] = long_run(page, browser_pid)
        browser.close()
    return figures


def main() -> None:
    from tests.bench import new_case

    with running(prepare=("seed_demo --people-only",)) as program:
        client = Client(program, token_for(program, PEOPLE[0].username))
        figures = editor_figures(program, client, new_case(client, 0))
    print(json.dumps(json.loads(json.dumps(figures), parse_float=lambda text: round(float(text), 4)), indent=1))
    Path("var").mkdir(exist_ok=True)
    Path("var/bench-editor.json").write_text(json.dumps(figures))


if __name__ == "__main__":
    main()

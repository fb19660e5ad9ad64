"""Draws docs/pictures/technologist.gif: the scripted technologist at work, a picture a decision.

`python -m tests.pictures`, after the page has changed.  The real program in headless Chromium, as `make bench` runs it.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image, ImageColor, ImageDraw, ImageFont

from cases.demo.laboratory import PEOPLE
from tests import technologist
from tests.bench import new_case
from tests.bench_editor import cell_of_46, opened, signed_in
from tests.browser import SWITCHES, chromium
from tests.program import Client, running, token_for

TARGET = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "technologist.gif"
SIZE, CAPTION, SHOWN_MS, COLOURS = (960, 600), 36, 2600, 96
CAPS = {"Enter": "⏎", "ArrowRight": "→", "ArrowUp": "↑", "Control+Enter": "Ctrl ⏎"}
INK, PAPER = "#16202b", "#f4f5f7"
MEANING = ("#0b6e75", "#a15c00", "#e07b00", "#23804a")  # accent, doubt and its outlines, accepted: never to be mixed up


def caps(keys: tuple[str, ...]) -> str:
    """ "K  ⏎  ⏎"; the same key many times in a row as "→ × 3"."""
    found: list[list[Any]] = []
    for key in keys:
        cap = CAPS.get(key, key.upper())
        if found and found[-1][0] == cap and key.startswith("Arrow"):
            found[-1][1] += 1
        else:
            found.append([cap, 1])
    return "   ".join(cap if many == 1 else f"{cap} × {many}" for cap, many in found)


def captioned(screenshot: bytes, words: str) -> Image.Image:
    picture = Image.new("RGB", (SIZE[0], SIZE[1] + CAPTION), PAPER)
    picture.paste(Image.open(io.BytesIO(screenshot)).convert("RGB").resize(SIZE, Image.Resampling.LANCZOS))
    font = next(
        (ImageFont.truetype(str(path), 16) for path in Path("/usr/share/fonts").rglob("DejaVuSans.ttf")),
        ImageFont.load_default(16),
    )
    ImageDraw.Draw(picture).text((14, SIZE[1] + 8), words, fill=INK, font=font)
    return picture


def one_palette(frame: Image.Image) -> Image.Image:
    """The frame's colours, and those that mean something in eight strengths, however few pixels they take."""
    found = frame.quantize(COLOURS, method=Image.Quantize.MEDIANCUT).getpalette() or []
    for colour in MEANING:
        full = ImageColor.getrgb(colour)
        found += [255 - (255 - part) * strength // 8 for strength in range(1, 9) for part in full[:3]]
    palette = Image.new("P", (1, 1))
    palette.putpalette(found)
    return palette


def main() -> None:
    from playwright.sync_api import sync_playwright

    frames: list[Image.Image] = []
    with running(prepare=("seed_demo --people-only",)) as program, sync_playwright() as playwright:
        client = Client(program, token_for(program, PEOPLE[0].username))
        address = f"{program.url}/cells/{cell_of_46(program, client, new_case(client, 0))}/"
        browser = playwright.chromium.launch(executable_path=chromium(), headless=True, args=list(SWITCHES))
        with signed_in(browser, program, PEOPLE[0]) as context:
            page, _ = opened(context, address)
            frames.append(captioned(page.screenshot(), "A cell of 46, as proposed: four doubts"))

            def keep(number: int, move: technologist.Move) -> None:
                page.wait_for_timeout(400)
                words = f"{number + 1}.  {caps(move.keys)}     {move.decides}"
                frames.append(captioned(page.screenshot(), words))

            technologist.correct(page, after=keep)
        browser.close()
    palette = one_palette(frames[0])
    drawn = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    TARGET.parent.mkdir(exist_ok=True)
    drawn[0].save(TARGET, save_all=True, append_images=drawn[1:], duration=SHOWN_MS, loop=0, optimize=True)
    print(f"{TARGET}: {len(frames)} pictures, {TARGET.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()

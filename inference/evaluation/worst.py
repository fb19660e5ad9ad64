"""The cells that went worst, as pictures on one page: what was missed, what is extra, what has another name."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from inference.evaluation.cells import STAGES, Observation
from inference.labels import LABELS
from inference.training.cil import read_grey

_MISNAMED, _EXTRA, _MISSED, _RIGHT = (176, 32, 80), (124, 58, 196), (20, 90, 200), (150, 160, 168)
_SIDE = 1100  # pixels of a picture's long side at least: names stay legible
_STYLE = """
body{font:14px/1.45 system-ui,sans-serif;color:#16202b;background:#f4f5f7}
body{margin:24px auto;max-width:1180px;padding:0 16px}
h1{font-size:20px;margin:0 0 4px} h2{font-size:15px;margin:0} p{margin:4px 0 12px;color:#667382}
figure{margin:0 0 24px;background:#fff;border:1px solid #d9dee4;border-radius:8px;padding:12px}
img{display:block;max-width:100%;margin-top:8px} .missed{color:#145ac8}.extra{color:#7c3ac4}.misnamed{color:#b02050}
"""


def write_worst(observations: Sequence[Observation], out: Path, most: int) -> list[Path]:
    """`worst.html` and a PNG a cell in `worst/`, most corrections first; cells without an error are left out."""
    ranked = sorted((seen for seen in observations if seen.errors()), key=lambda seen: (-seen.errors(), seen.name))
    folder = out / "worst"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    parts, written = [], []
    for number, seen in enumerate(ranked[:most], 1):
        path = folder / f"{number:02d}-{seen.name}.png"
        _picture(seen, path)
        written.append(path)
        parts.append(
            f"<figure><h2>{escape(seen.name)}</h2><p>{escape(_sentence(seen))}</p>"
            f'<img src="worst/{escape(path.name)}" alt="{escape(_sentence(seen))}" loading="lazy"></figure>'
        )
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Worst cells</title><style>{_STYLE}</style>'
        f"<h1>The {len(written)} cells that need the most corrections</h1>"
        f"<p>{len(ranked)} of {len(observations)} cells need one at all. "
        '<span class="missed">Blue, dashed: missed.</span> '
        '<span class="extra">Violet: nothing is annotated there.</span> '
        '<span class="misnamed">Red: named wrongly, the annotated class in brackets.</span> Grey: right.</p>'
        + "".join(parts)
        + "</html>"
    )
    (out / "worst.html").write_text(page)
    return [out / "worst.html", *written]


def _sentence(seen: Observation) -> str:
    known = seen.truth_of_found()
    misnamed = int(((known >= 0) & (known != seen.named[STAGES[-1]])).sum())
    parts = (
        (len(seen.truth) - len(seen.pairs), "missed"),
        (len(seen.boxes) - len(seen.pairs), "extra"),
        (misnamed, "misnamed"),
    )
    return f"{len(seen.boxes)} found of {len(seen.truth)}: " + ", ".join(f"{n} {word}" for n, word in parts if n)


def _picture(seen: Observation, path: Path) -> None:
    from PIL import Image, ImageDraw, ImageFont

    pixels = read_grey(seen.image)
    factor = max(1.0, _SIDE / max(pixels.shape))
    picture = Image.fromarray(pixels).convert("RGB")
    picture = picture.resize((round(picture.width * factor), round(picture.height * factor)), Image.Resampling.BICUBIC)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size=17)

    def mark(box: np.ndarray, colour: tuple[int, int, int], text: str, width: int) -> None:
        left, top, right, bottom = (float(side) * factor for side in box)
        pen.rectangle((left, top, right, bottom), outline=colour, width=width)
        if text:
            place = (left, max(0.0, top - 21))
            pen.rectangle(pen.textbbox(place, text, font=font), fill="white")
            pen.text(place, text, fill=colour, font=font)

    known = seen.truth_of_found()
    for index, box in enumerate(seen.boxes):
        given = LABELS[int(seen.named[STAGES[-1]][index])]
        if known[index] < 0:
            mark(box, _EXTRA, given, 3)
        elif known[index] == seen.named[STAGES[-1]][index]:
            mark(box, _RIGHT, "", 1)
        else:
            mark(box, _MISNAMED, f"{given} ({LABELS[int(known[index])]})", 3)
    for row in np.setdiff1d(np.arange(len(seen.truth)), seen.pairs[:, 1]):
        box = seen.truth_boxes[row]
        _dashed(pen, [float(side) * factor for side in box], _MISSED)
        mark(box, _MISSED, LABELS[int(seen.truth[row])], 0)
    picture.save(path, optimize=False)


def _dashed(pen: object, box: list[float], colour: tuple[int, int, int]) -> None:
    left, top, right, bottom = box
    for start, end in (((left, top), (right, top)), ((right, top), (right, bottom)),
                       ((right, bottom), (left, bottom)), ((left, bottom), (left, top))):  # fmt: skip
        first, last = np.array(start), np.array(end)
        steps = max(1, int(np.hypot(*(last - first)) // 6))
        for step in range(0, steps, 2):
            ends = [tuple(first + (last - first) * min(part, steps) / steps) for part in (step, step + 1)]
            pen.line(ends, fill=colour, width=3)  # type: ignore[attr-defined]

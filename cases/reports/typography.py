"""Type for printed reports: a font that travels with the program, and marking up of untrusted text.

DejaVu covers Latin, Greek, Cyrillic, Hebrew, Arabic letters and more; Chinese, Japanese and Korean characters are set
in the fonts that every PDF reader brings.
"""

from __future__ import annotations

import functools
import html
import itertools
from pathlib import Path

from reportlab.lib.colors import HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

_FONTS = Path(__file__).parent / "fonts"
PLAIN, BOLD = "KaryositeSans", "KaryositeSans-Bold"
_CJK, _HANGUL = "HeiseiMin-W3", "HYSMyeongJo-Medium"
INK, QUIET, LINE, ALARM = HexColor("#16202b"), HexColor("#667382"), HexColor("#cfd6dd"), HexColor("#a12622")
ACCENT = HexColor("#0b6e75")


@functools.cache
def fonts() -> frozenset[int]:
    """Makes the fonts known to reportlab, once a process; the code points that the embedded font has."""
    plain = TTFont(PLAIN, str(_FONTS / "DejaVuSans.ttf"))
    pdfmetrics.registerFont(plain)
    pdfmetrics.registerFont(TTFont(BOLD, str(_FONTS / "DejaVuSans-Bold.ttf")))
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)
    pdfmetrics.registerFont(UnicodeCIDFont(_CJK))
    pdfmetrics.registerFont(UnicodeCIDFont(_HANGUL))
    return frozenset(plain.face.charToGlyph)


def marked(text: object) -> str:
    """Text as reportlab's paragraph markup: escaped, line breaks kept, characters without a glyph in another font."""
    known = fonts()
    runs = itertools.groupby(str(text), key=lambda sign: _font_of(sign, known))
    parts = []
    for font, signs in runs:
        run = html.escape("".join(signs), quote=False)
        parts.append(f'<font name="{font}">{run}</font>' if font else run)
    return "".join(parts).replace("\n", "<br/>")


def _font_of(sign: str, known: frozenset[int]) -> str:
    code = ord(sign)
    if code in known or sign in "\n\t":
        return ""
    if 0x1100 <= code <= 0x11FF or 0x3130 <= code <= 0x318F or 0xAC00 <= code <= 0xD7AF:
        return _HANGUL
    return _CJK if 0x2E80 <= code <= 0xFFEF else ""


def style(size: float = 9, *, bold: bool = False, colour: HexColor = INK, after: float = 0) -> ParagraphStyle:
    return ParagraphStyle(
        f"{size}{bold}{colour.hexval()}",
        fontName=BOLD if bold else PLAIN,
        fontSize=size,
        leading=size * 1.35,
        textColor=colour,
        spaceAfter=after,
    )

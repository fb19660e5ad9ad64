"""Picture settings, preferences and scale bars, without a server."""

from __future__ import annotations

from typing import Any

import pytest

from karyosite.accounts.preferences import VIEW_RANGES, usual
from tests.browser import module_page


@pytest.fixture
def modules(browser_page: Any) -> Any:
    return module_page(browser_page)


def test_the_sliders_have_the_limits_that_the_server_accepts(modules: Any) -> None:
    ranges = modules.evaluate("async () => (await import('/image-filter.js')).RANGES")
    assert {name: tuple(values[:3]) for name, values in ranges.items()} == VIEW_RANGES
    assert modules.evaluate("async () => (await import('/image-filter.js')).USUAL") == usual()["view"]


SHOWN = """async ({ view, plain, size }) => {
  const { ImageFilter, USUAL } = await import("/image-filter.js");
  const photograph = document.createElement("canvas");
  [photograph.width, photograph.height] = size;
  const pen = photograph.getContext("2d");
  for (let x = 0; x < size[0]; x += 1) { // lighter to the right, and a dark bar
    pen.fillStyle = `rgb(${[0, 0, 0].map(() => 120 + Math.round((100 * x) / size[0])).join(",")})`;
    pen.fillRect(x, 0, 1, size[1]);
  }
  pen.fillStyle = "rgb(40, 40, 40)";
  pen.fillRect(size[0] / 2, 10, 6, 20);
  const filter = new ImageFilter({ plain });
  filter.take(photograph);
  filter.show({ ...USUAL, ...view });
  const { data } = filter.canvas.getContext("2d").getImageData(0, 0, ...size);
  const row = Math.round(size[1] / 2);
  return Array.from({ length: size[0] }, (_, x) => data[(row * size[0] + x) * 4]);
}"""


def shown(modules: Any, view: dict[str, Any], **more: Any) -> list[int]:
    return modules.evaluate(SHOWN, {"view": view, "plain": True, "size": [120, 40]} | more)


def test_each_setting_does_what_it_says_and_the_photograph_stays(modules: Any) -> None:
    plain = shown(modules, {})
    assert plain[0] == 120 and plain[62] == 40
    assert shown(modules, {"invert": True})[62] == pytest.approx(255 - 40, abs=1)
    stretched = shown(modules, {"contrast": 200})
    assert stretched[0] == pytest.approx((120 / 255 - 0.5) * 2 * 255 + 127.5, abs=1)
    assert shown(modules, {"brightness": 20})[0] == pytest.approx(120 + 51, abs=1)
    assert shown(modules, {"gamma": 2})[0] == pytest.approx((120 / 255) ** 0.5 * 255, abs=1)
    sharp = shown(modules, {"sharpen": 100})
    assert sharp[59] > plain[59] + 20 and sharp[60] < plain[60] - 20  # both sides of the bar's edge
    flat = shown(modules, {"flatten": 100})
    assert abs(flat[110] - flat[10]) < 20 < plain[110] - plain[10] - 50
    assert flat[62] < flat[10] - 80  # the bar is still there


def test_the_graphics_card_shows_what_plain_javascript_shows(modules: Any) -> None:
    """Where the browser has no fast one it falls back by itself; then this compares the plain way with itself."""
    view = {"contrast": 150, "gamma": 1.4, "sharpen": 50, "flatten": 80, "invert": True}
    size = [1250, 820]
    card, plain = (shown(modules, view, plain=way, size=size) for way in (False, True))
    assert max(abs(one - other) for one, other in zip(card, plain, strict=True)) <= 2


def test_preferences_are_sent_together_and_again_where_it_failed(modules: Any) -> None:
    sent = modules.evaluate(
        """async () => {
          const { Preferences, shelfOf } = await import("/preferences.js");
          const sent = [];
          let broken = true;
          const preferences = new Preferences({
            kept: { drawer: "", outlines: true, view: { contrast: 100, invert: false } },
            url: "/p/",
            send: async (method, url, body) => {
              sent.push(body);
              if (broken) throw new Error("away");
            },
          });
          preferences.set({ view: { contrast: 120 } });
          preferences.set({ view: { invert: true }, outlines: false });
          await preferences.flush();
          broken = false;
          shelfOf(preferences, "drawer").write("history");
          preferences.set({ view: { contrast: 130 } });
          await preferences.flush();
          await preferences.flush();
          return { sent, view: preferences.get("view"), drawer: shelfOf(preferences, "drawer").read() };
        }"""
    )
    first = {"view": {"contrast": 120, "invert": True}, "outlines": False}
    assert sent["sent"] == [first, {"view": {"contrast": 130, "invert": True}, "outlines": False, "drawer": "history"}]
    assert sent["view"] == {"contrast": 130, "invert": True} and sent["drawer"] == "history"


def test_a_scale_bar_is_a_round_length_that_fits(modules: Any) -> None:
    bars = modules.evaluate(
        """async () => {
          const { barFor } = await import("/scale-bar.js");
          return [barFor(0.1, 1), barFor(0.1, 4), barFor(5, 0.05), barFor(0.005, 16)];
        }"""
    )
    assert bars[0] == {"micrometres": 10, "px": 100}
    assert bars[1] == {"micrometres": 2, "px": 80}
    assert bars[2] == {"micrometres": 100, "px": 1}
    assert bars[3] is None

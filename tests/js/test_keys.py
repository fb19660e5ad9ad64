"""Keys: what a press means on any keyboard, how classes are typed, and that the written list is the real one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser import ROOT, module_page


@pytest.fixture
def modules(browser_page: Any) -> Any:
    return module_page(browser_page)


def test_the_guide_lists_every_key(modules: Any) -> None:
    listed = modules.evaluate(
        """async () => {
          const { SHORTCUTS, keyCaps } = await import("/keyboard.js");
          return SHORTCUTS.map(({ keys, says }) => [keys.map((key) => keyCaps(key).join(" ")), says]);
        }"""
    )
    rows = re.findall(r"^\| (`.+`) \| (.+) \|$", (ROOT / "docs" / "editor.md").read_text(), re.MULTILINE)
    assert [[re.findall(r"`([^`]+)`", keys), says] for keys, says in rows] == listed


def test_no_key_has_two_meanings(modules: Any) -> None:
    keys = modules.evaluate("async () => (await import('/keyboard.js')).SHORTCUTS.flatMap((one) => one.keys)")
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("pressed", "key"),
    [
        ({"key": "z"}, "z"),
        ({"key": "Z", "shiftKey": True}, "Shift+z"),
        ({"key": "Z"}, "z"),  # caps lock
        ({"key": "Z", "shiftKey": True, "metaKey": True}, "Mod+Shift+z"),
        ({"key": "z", "ctrlKey": True}, "Mod+z"),
        ({"key": "?", "shiftKey": True}, "?"),
        ({"key": "[", "ctrlKey": True, "altKey": True}, "["),  # AltGr
        ({"key": "Enter", "ctrlKey": True}, "Mod+Enter"),
        ({"key": "ArrowLeft", "shiftKey": True}, "Shift+ArrowLeft"),
        ({"key": "f", "altKey": True}, ""),  # the browser's menu
    ],
)
def test_a_press_by_its_printed_key(modules: Any, pressed: dict[str, Any], key: str) -> None:
    found = modules.evaluate(
        "async (pressed) => (await import('/keyboard.js')).keyOf(new KeyboardEvent('keydown', pressed))", pressed
    )
    assert found == key


def test_every_class_can_be_typed(modules: Any) -> None:
    """Digits are sent as fast as can be; what waits is ended as the clock would end it."""
    typed = modules.evaluate(
        """async () => {
          const { ClassTyping } = await import("/keyboard.js");
          const result = {};
          for (let number = 0; number <= 30; number += 1) {
            const typing = new ClassTyping();
            let last;
            for (const digit of String(number)) last = typing.next(digit);
            result[number] = last.label ?? (typing.finish() || `wrong ${last.wrong}`);
          }
          return result;
        }"""
    )
    expected = {str(number): str(number) for number in range(1, 23)} | {
        "0": "wrong 0",
        **{str(number): f"wrong {number}" for number in range(23, 30)},
        "30": "wrong 0",  # 3 was taken at once, a lone 0 is no class
    }
    assert typed == expected

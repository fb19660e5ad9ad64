"""Steps and versions in words, and whose undo is whose: the editor's modules without a server."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.browser import module_page
from tests.conftest import chromosome, karyogram_document


@pytest.fixture
def modules(browser_page: Any) -> Any:
    return module_page(browser_page)


WORDS: list[tuple[dict[str, Any], str]] = [
    ({"op": "move", "id": "c03", "label": "X", "index": 1}, "8 → X"),
    ({"op": "move", "id": "c01", "label": "1", "index": 1}, "1 to place 2"),
    ({"op": "move", "id": "c05", "label": "7", "index": 0}, "? (unclassified) → 7"),
    ({"op": "debris", "id": "c05"}, "? (unclassified) → debris"),
    ({"op": "rotate", "id": "c04", "angle": 89.7}, "X turned to 90°"),
    ({"op": "review", "id": "c03", "reviewed": True}, "8 kept as it is"),
    ({"op": "swap", "id": "c03", "other": "c04"}, "8 and X exchanged"),
    ({"op": "mark", "id": "c05", "role": "marker"}, "? (unclassified) marked as a marker"),
    ({"op": "lost", "label": "8", "count": 1}, "1 of 8 noted as lost"),
    ({"op": "lost", "label": "8", "count": 0}, "none of 8 lost"),
    ({"op": "straighten", "id": "c03", "straight": True}, "8 shown straight"),
    ({"op": "reshape", "id": "c03", "rings": [], "box": []}, "outline of 8 redrawn"),
    ({"op": "add", "chromosome": {"id": "p1", "label": "21"}, "index": 0}, "21 added"),
    ({"op": "remove", "id": "c03"}, "8 removed"),
    ({"op": "batch", "edits": [{"op": "flip", "id": "c03"}, {"op": "debris", "id": "c04"}]}, "8 flipped, X → debris"),
    ({"op": "batch", "edits": [{"op": "flip", "id": f"c0{n}"} for n in (3, 4, 5)]}, "8 flipped, and 2 more changes"),
    ({"op": "batch", "as": "split", "edits": [{"op": "reshape", "id": "c03"}]}, "8 split in two"),
    ({"op": "flip", "id": "gone"}, "a chromosome flipped"),
]  # fmt: skip


def test_every_edit_has_its_words(modules: Any) -> None:
    said = modules.evaluate(
        """async ([edits, document]) => {
          const { editWords } = await import("/steps.js");
          return edits.map((edit) => editWords(edit, document));
        }""",
        [[edit for edit, _ in WORDS], karyogram_document()],
    )
    assert said == [words for _, words in WORDS]


def test_no_operation_is_without_words(modules: Any) -> None:
    """A new operation of the reducer needs its words here, too."""
    missing = modules.evaluate(
        """async () => {
          const { OPERATIONS } = await import("/operations.js");
          const { editWords } = await import("/steps.js");
          const edit = (op) => ({ op, id: "c03", other: "c04", label: "8", index: 0, chromosome: { label: "8" } });
          return Object.keys(OPERATIONS).filter((op) => editWords(edit(op), null) === op);
        }"""
    )
    assert missing == []


def compare(modules: Any, a: Any, b: Any) -> list[tuple[str, list[str]]]:
    found = modules.evaluate("async ([a, b]) => (await import('/steps.js')).compare(a, b)", [a, b])
    return [(one["name"], one["what"]) for one in found]


def test_what_differs_between_two_versions(modules: Any) -> None:
    a = karyogram_document()
    b = copy.deepcopy(a)
    one, two, eight, x, unknown = b["chromosomes"]
    one.update(angle=90.0, flip=True)
    two["rings"] = [[[0, 0], [9, 0], [9, 9]]]
    eight.update(label="X", order=0, reviewed=True)
    x["order"] = 1  # only made room
    unknown["state"] = "debris"
    b["chromosomes"].append(chromosome("c06", "21", 0))
    b["lost"] = {"8": 1}
    assert compare(modules, a, a) == []
    assert compare(modules, a, b) == [
        ("1", ["turned 0° → 90°", "flipped"]),
        ("1", ["outline redrawn"]),
        ("8", ["noted as lost: 0 → 1"]),
        ("21", ["added"]),
        ("X", ["8 → X", "looked at"]),
        ("debris", ["unclassified → debris"]),
    ]
    assert ("21", ["removed"]) in compare(modules, b, a)


def test_two_homologues_that_changed_places_are_listed(modules: Any) -> None:
    a = karyogram_document()
    b = copy.deepcopy(a)
    b["chromosomes"][0]["order"], b["chromosomes"][1]["order"] = 1, 0
    assert compare(modules, a, b) == [("1", ["place 2 → 1"]), ("1", ["place 1 → 2"])]


STEPS = """async (told) => {
  const { StandingSteps } = await import("/undoing.js");
  const steps = new StandingSteps();
  let version = 1;
  for (const [kind, mine] of told) steps.push({ kind, version: ++version, author: mine ? "Tess" : "Cole" }, mine);
  return [steps.way("undo", { version: 2 }), steps.way("undo", undefined), steps.way("redo", undefined)];
}"""


@pytest.mark.parametrize(
    ("told", "own_2", "no_own"),
    [
        ([("edit", True)], {"as": "plain"}, {"as": "plain"}),
        ([("edit", True), ("edit", False)], {"as": "edit"}, {"as": "refuse", "by": "Cole"}),
        ([("edit", True), ("edit", False), ("undo", False)], {"as": "plain"}, {"as": "refuse", "by": ""}),
        ([("edit", False), ("undo", False)], {"as": "edit"}, {"as": "plain"}),
    ],
)
def test_undo_means_ones_own_step(modules: Any, told: Any, own_2: Any, no_own: Any) -> None:
    first, second, redo = modules.evaluate(STEPS, told)
    assert (first, second) == (own_2, no_own)
    assert redo["as"] in ("plain", "refuse")

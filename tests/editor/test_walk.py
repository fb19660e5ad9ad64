"""A thousand random edits with undo and redo in the real page: at the end, page and server hold the same document."""

from __future__ import annotations

from typing import Any

import pytest

from tests.editor.conftest import CellPage

EDITS = 1000

# Takes hold of the page's own store and pending changes: the modules are the page's, by the addresses it loaded.
TAKE_HOLD = """async () => {
  const addresses = performance.getEntriesByType("resource").map((entry) => entry.name);
  const own = (name) => import(addresses.find((one) => one.includes(`/editor/${name}.`)));
  const { History } = await own("history");
  const { resume } = History.prototype;
  History.prototype.resume = function (...given) {
    globalThis.walker = this;
    return resume.apply(this, given);
  };
  dispatchEvent(new Event("online"));
  History.prototype.resume = resume;
  return Boolean(globalThis.walker);
}"""

WALK = """async ({ edits, seed }) => {
  const { walker } = globalThis;
  let state = seed;
  const dice = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const whole = (below) => Math.floor(dice() * below);
  const pick = (list) => list[whole(list.length)];
  const labels = [...Array.from({ length: 22 }, (_, index) => String(index + 1)), "X", "Y", "unknown"];
  const slotOf = ({ state, label }) => (state === "present" ? label : "debris");
  const slotSize = (slot) => walker.store.state.document.chromosomes.filter((one) => slotOf(one) === slot).length;
  const shape = () => {
    const [x, y, width, height] = [whole(280), whole(180), 8 + whole(24), 8 + whole(48)];
    const rings = [[[x, y], [x + width, y], [x + width, y + height], [x, y + height]]];
    const axis = dice() < 0.5 ? null : [[x + width / 2, y], [x + width / 2, y + height]];
    return { rings, box: [x, y, x + width, y + height], axis, centromere: axis && Math.round(dice() * 100) / 100 };
  };
  let made = 0;
  const kinds = {
    move: (one, label) => ({ op: "move", id: one.id, label, index: whole(slotSize(label)) }),
    swap: (one) => ({ op: "swap", id: one.id, other: pick(walker.store.state.document.chromosomes).id }),
    debris: (one) => ({ op: "debris", id: one.id }),
    rotate: (one) => ({ op: "rotate", id: one.id, angle: dice() * 1000 - 500 }),
    flip: (one) => ({ op: "flip", id: one.id }),
    review: (one) => ({ op: "review", id: one.id, reviewed: dice() < 0.5 }),
    mark: (one) => ({ op: "mark", id: one.id, role: pick(["", "marker", "derivative"]) }),
    straighten: (one) => ({ op: "straighten", id: one.id, straight: dice() < 0.5 }),
    lost: (one, label) => ({ op: "lost", label, count: whole(5) }),
    reshape: (one) => ({ op: "reshape", id: one.id, ...shape() }),
    remove: (one) => ({ op: "remove", id: one.id }),
    add(one, label) {
      const { axis, centromere, ...outline } = shape();
      const known = axis ? { axis, centromere } : {};
      const scores = { detection_score: 0, score: dice(), probabilities: { [label]: dice() } };
      const chromosome = {
        id: `p${(made += 1)}`, label, state: "present", ...outline, ...known, ...scores, angle: whole(360), flip: false,
        flags: dice() < 0.3 ? ["drawn in a hurry"] : [], reviewed: dice() < 0.5, source: "person",
      };
      return { op: "add", chromosome, index: slotSize(label) };
    },
  };
  const names = Object.keys(kinds).filter((name) => name !== "remove");
  const single = () => {
    const { chromosomes } = walker.store.state.document;
    const name = chromosomes.length > 12 ? "remove" : chromosomes.length < 3 ? "add" : pick(names);
    return kinds[name](pick(chromosomes.length ? chromosomes : [{}]), pick(labels));
  };
  const done = { edit: 0, undo: 0, redo: 0 };
  while (done.edit + done.undo + done.redo < edits) {
    const turn = dice();
    const kind = turn < 0.2 ? "undo" : turn < 0.3 ? "redo" : "edit";
    const edit = turn > 0.9 ? { op: "batch", edits: [single(), single()] } : single();
    const possible = kind === "undo" ? walker.store.state.canUndo : kind === "redo" ? walker.store.state.canRedo : true;
    if (!possible) continue;
    // Steps are counted where they are queued: a turn may go on with the one before it.
    const before = walker.pending.length;
    if (kind === "edit" ? walker.edit(edit) : walker[kind]()) done[kind] += walker.pending.length > before ? 1 : 0;
    // Now and then the server catches up; else changes pile up, as when it is slow.
    if (dice() < 0.02) await walker.settled();
    else if (dice() < 0.2) await new Promise((resolve) => setTimeout(resolve));
  }
  await walker.settled();
  return { done, document: walker.store.state.document, version: walker.store.state.version };
}"""


@pytest.mark.timeout(1200)
def test_a_thousand_edits_end_alike_on_page_and_server(cell: CellPage) -> None:
    assert cell.page.evaluate(TAKE_HOLD)
    cell.page.set_default_timeout(1_000_000)
    there = cell.page.evaluate(WALK, {"edits": EDITS, "seed": 7})
    here = cell.stored()
    assert there["document"] == here["document"]
    assert there["version"] == here["version"] == 1 + EDITS
    assert there["done"]["undo"] > EDITS / 10 and there["done"]["redo"] > EDITS / 40, there["done"]
    assert len(here["document"]["chromosomes"]) >= 3
    # The way back goes on after the page was loaded anew, and what the sheet shows is what is stored.
    cell.page.set_default_timeout(10_000)
    cell.open()
    for turn in range(1, 6):
        cell.press("z")
        cell.saved(1 + EDITS + turn)
    cell.press("Shift+Z")
    cell.saved(EDITS + 7)
    shown: dict[str, list[str]] = {slot: cell.shown(slot) for slot in ("1", "8", "X", "unknown", "debris")}
    assert shown == {slot: cell.stored_slot(slot) for slot in shown}
    assert unlike(cell) == []


def unlike(cell: CellPage) -> list[Any]:
    """Chromosomes whose name on the page is not what is stored of them."""
    stored = cell.stored()["document"]["chromosomes"]
    return [
        one["id"]
        for one in stored
        if one["state"] == "present"
        and one["label"] != "unknown"
        and not (cell.chromosome(one["id"]).get_attribute("aria-label") or "").startswith(
            f"Chromosome {one['label']}, copy {one['order'] + 1}"
        )
    ]

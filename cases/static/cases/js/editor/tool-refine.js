/* Refine: clicks that say what belongs to the chosen chromosome too, and what does not; the server cuts again. */

import { ringsOf } from "./shapes.js";
import { askCut } from "./tool-cut.js";
import { reshaped, sameRings } from "./tool-edits.js";
import { chromosomeName } from "./words.js";

const MOST_POINTS = 32;

export function makeRefine({ tools, store, history, api, image, say }) {
  let about = null; // {id, points, rings}: clicks given to one chromosome, and the outline that they led to
  let asking = false;
  let waiting = false; // clicks that came while the server was asked
  let not = false;
  let turn = 0;
  const ways = [];

  function start(id) {
    about = { id, points: [], rings: store.chromosome(id)?.rings };
    tools.layer.points([], 1);
  }

  function setNot(on) {
    not = on;
    for (const [button, value] of ways) button.setAttribute("aria-pressed", String(value === not));
    tools.svg.classList.toggle("not-this", not);
    tools.refresh();
  }

  async function ask() {
    if (asking) {
      waiting = true;
      return;
    }
    const mine = turn;
    const { selected: chromosome } = store;
    if (!chromosome || chromosome.id !== about?.id) return;
    asking = true;
    const { rings } = chromosome;
    const given = about;
    const found = await tools.whileBusy(() =>
      askCut({ api, say, image }, { box: null, points: given.points, rings: ringsOf(chromosome) }),
    );
    if (mine !== turn) return;
    asking = false;
    const again = waiting;
    waiting = false;
    if (about !== given) {
      if (again) void ask();
      return;
    }
    if (!found) {
      // What was not understood is not asked for again with the next click.
      start(given.id);
      return;
    }
    const now = store.chromosome(given.id);
    if (!now || !sameRings(now.rings, rings)) {
      start(store.state.selected);
      say("This chromosome was changed meanwhile; your clicks were left out. Please click again.", "info");
      return;
    }
    const { axis, centromere } = found;
    given.rings = found.rings;
    if (history.edit(reshaped(now, found.rings, image, { axis: axis ?? null, centromere: centromere ?? null })))
      say(`Outline changed. ${chromosomeName(now)}`, "quiet");
    if (again) void ask();
  }

  return {
    id: "refine",
    hint: () =>
      !store.selected
        ? "Click the chromosome to refine."
        : not
          ? "Click what does not belong to it."
          : "Click what belongs to it too.",
    options(element) {
      ways.length = 0;
      for (const [words, value] of [["This too", false], ["Not this", true]]) {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "tool-way";
        button.textContent = words;
        button.title = "With Alt or the right button a click means the other; Q changes between the two";
        button.addEventListener("click", () => {
          setNot(value);
          tools.svg.focus({ preventScroll: true });
        });
        ways.push([button, value]);
        element.append(button);
      }
      setNot(not);
    },
    key(key) {
      if (key.toLowerCase() !== "q") return false;
      setNot(!not);
      return true;
    },
    entered: () => setNot(false),
    pressed(point) {
      if (store.selected) return true;
      const id = tools.outlineAt(point);
      if (id) store.select(id);
      return false;
    },
    click([x, y], { not: other }) {
      const { selected } = store;
      if (!selected || x < 0 || y < 0 || x >= image.width || y >= image.height) return;
      // Another chromosome, or an outline that was brushed, undone or changed by someone else: earlier clicks are past.
      const goesOn = about?.id === selected.id && sameRings(about.rings, selected.rings);
      if (!goesOn || about.points.length >= MOST_POINTS) start(selected.id);
      about.points.push([Math.round(x * 10) / 10, Math.round(y * 10) / 10, other !== not ? 0 : 1]);
      tools.layer.points(about.points, tools.scale);
      void ask();
    },
    escape() {
      if (!tools.busy) return false;
      turn += 1;
      waiting = asking = false;
      tools.stopWaiting();
      start(store.state.selected);
      return true;
    },
    left() {
      turn += 1;
      waiting = asking = false;
      about = null;
      tools.svg.classList.remove("not-this");
    },
  };
}

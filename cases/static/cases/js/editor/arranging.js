/* What can be done with the chosen chromosomes beyond naming and turning one: keys and the menu call these by name. */

import { boxAround, ringsAround } from "./contour.js";
import { maskOf, union } from "./raster.js";
import { MAX_LOST, slotOf, slots } from "./reducer.js";
import { ringsOf } from "./shapes.js";
import { chromosomeName, plural, slotTitle } from "./words.js";

const HOW_TO_ADD = "Shift-click it, or press Space and go on with the arrows";

/** Moving chromosomes to the end of a class, left of its derivatives, as edits; a marker that gets a class is a marker no
    longer. */
export function moves(karyogram, chromosomes, label) {
  const members = slots(karyogram).get(label);
  let normal = members.filter((one) => one.role !== "derivative").length;
  let all = members.length;
  return chromosomes.flatMap((one) => {
    const stays = slotOf(one) === label;
    if (!stays && one.role !== "derivative") normal += 1;
    if (!stays) all += 1;
    const end = (one.role === "derivative" ? all : normal) - 1;
    // Alone in its own class it stays where it is and counts as looked at.
    const index = stays && chromosomes.length === 1 ? one.order : end;
    const move = { op: "move", id: one.id, label, index };
    return one.role === "marker" && label !== "unknown" ? [move, { op: "mark", id: one.id, role: "" }] : [move];
  });
}

/** One edit for one or several. */
export const together = (edits, purpose) =>
  edits.length === 1 ? edits[0] : { op: "batch", ...(purpose ? { as: purpose } : {}), edits };

export class Arranging {
  constructor({ store, history, say }) {
    Object.assign(this, { store, history, say });
    // Whether the pointer was used last: only then does what it points at count as meant.
    this.pointing = false;
  }

  #run(edit, said) {
    if (!this.history.edit(edit)) return false;
    this.say(said, "quiet");
    return true;
  }

  #one() {
    const { selected } = this.store;
    if (!selected && this.store.state.document) this.say("First choose a chromosome.", "info");
    return selected;
  }

  /** The chosen chromosome joins what stays chosen, and the arrows go on to the next. */
  keepChosen() {
    if (!this.#one()) return;
    const kept = this.store.keepChosen();
    const many = plural(this.store.chosen.length, "chromosome");
    this.say(kept ? `${many} chosen. Go on with the arrows.` : "No longer chosen with the others.", "quiet");
  }

  /** Two change places: both chosen; else the chosen one and the one under the pointer; else the two of a pair. */
  swap() {
    const one = this.#one();
    if (!one) return;
    const other = this.#otherOf(one);
    if (!other) return;
    if (this.#run({ op: "swap", id: one.id, other: other.id }, "Exchanged.")) this.store.select(one.id);
  }

  #otherOf(one) {
    const { chosen, state } = this.store;
    if (chosen.length > 2) {
      this.say(`Two can change places; ${chosen.length} are chosen. Esc chooses nothing.`, "info");
      return null;
    }
    const second = chosen.find((chromosome) => chromosome !== one);
    if (second) return second;
    const pointed = this.pointing ? this.store.chromosome(state.hovered) : null;
    if (pointed && pointed !== one) return pointed;
    const homologues = one.state === "present" ? slots(state.document).get(one.label) : [];
    if (homologues.length === 2) return homologues.find((chromosome) => chromosome !== one);
    this.say(`Choose the other one as well: ${HOW_TO_ADD}.`, "info");
    return null;
  }

  /** To the unclassified ones at the end, marked as a marker; once more takes the mark off. */
  marker() {
    this.#role("marker", "unknown");
  }

  /** To the right of its normal homologues, marked as a derivative; once more takes the mark off. */
  derivative() {
    const one = this.#one();
    if (one?.state === "debris") this.say("This is debris. Type its class first to bring it back.", "info");
    else if (one) this.#role("derivative", one.label);
  }

  #role(role, label) {
    const one = this.#one();
    if (!one) return;
    if (one.role === role) {
      this.#run({ op: "mark", id: one.id, role: "" }, `No longer marked as a ${role}.`);
      return;
    }
    const others = slots(this.store.state.document).get(label).filter((other) => other !== one);
    const move = { op: "move", id: one.id, label, index: others.length };
    const edit = { op: "batch", as: role, edits: [move, { op: "mark", id: one.id, role }] };
    if (this.#run(edit, `Marked as a ${role}.`)) this.store.select(one.id);
  }

  /** by: 1 for one more homologue lost by preparation, -1 to take one back.  label: a class. */
  lost(label, by) {
    const { document: karyogram } = this.store.state;
    if (!karyogram) return;
    const before = karyogram.lost?.[label] ?? 0;
    const name = slotTitle(label);
    if (before + by < 0) this.say(`Nothing of ${name} is counted as lost.`, "info");
    else if (before + by > MAX_LOST) this.say(`${MAX_LOST} of ${name} are counted as lost already.`, "info");
    else if (this.history.edit({ op: "lost", label, count: before + by }))
      this.say(before + by ? `${before + by} of ${name} counted as lost.` : `Nothing of ${name} is counted as lost now.`, "info");
  }

  /** Shown along its own axis instead of bent as it lies; once more, as it lies. */
  straighten() {
    const one = this.#one();
    if (!one) return;
    if (!one.straight && !one.axis) {
      this.say("This chromosome cannot be straightened: no line along its middle is known.", "info");
      return;
    }
    this.#run({ op: "straighten", id: one.id, straight: !one.straight }, one.straight ? "As it lies." : "Straightened.");
  }

  /** Fragments become one: the one chosen first keeps its name and place and gets all of their outlines. */
  merge() {
    const fragments = this.store.chosen;
    if (fragments.length < 2) {
      this.say(`Choose the other fragments as well: ${HOW_TO_ADD}.`, "info");
      return;
    }
    const { image } = this.store.state.document;
    const kept = fragments.find((one) => one.state === "present") ?? fragments[0];
    const others = fragments.filter((one) => one !== kept);
    const rings = ringsAround(
      others.reduce((mask, one) => union(mask, maskOf(ringsOf(one), image), image), maskOf(ringsOf(kept), image)),
    );
    if (!rings.length) {
      this.say("These outlines cannot be joined. Nothing was changed; draw the chromosome with the brush instead.", "error");
      return;
    }
    const edits = [
      { op: "reshape", id: kept.id, rings, box: boxAround(rings), axis: null, centromere: null },
      ...others.map((one) => ({ op: "remove", id: one.id })),
      { op: "review", id: kept.id, reviewed: true },
    ];
    if (!this.#run({ op: "batch", as: "merge", edits }, `${plural(fragments.length, "fragment")} joined.`)) return;
    this.store.select(kept.id);
  }

  /** One chromosome back as the machine proposed it. */
  restore() {
    const one = this.#one();
    if (one && this.history.restore(one.id)) this.say(`${chromosomeName(one)}: back to the machine's proposal.`, "quiet");
  }

  /** The whole cell back as the machine proposed it; one step, so that undo brings everything back. */
  async restoreAll() {
    const { version } = this.store.state;
    if (!this.store.state.document || !this.history.restore(null)) return;
    if ((await this.history.settled()) && this.store.state.version > version)
      this.say("The whole cell is back to the machine's proposal. Undo brings your work back.", "info");
  }
}

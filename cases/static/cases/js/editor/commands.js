/* Everything a person can do to a karyogram, each by name: keys, buttons and drags all call these. */

import { Arranging, moves, together } from "./arranging.js";
import { LABELS, isDoubtful, slotOf, slots } from "./reducer.js";
import { chromosomeName, plural } from "./words.js";

const STEP_DEGREES = 5;
// Group C is where classifiers and people err most: its doubts come first.
const GROUP_C = new Set(["6", "7", "8", "9", "10", "11", "12", "X"]);

/* How sure the machine was of both: that this is a chromosome, and that it is this one. */
const sureness = (one) => Math.min(one.score, one.detection_score);

/** Doubtful chromosomes in the order in which they are best looked at: group C, the others, debris; among them the one
    of which the machine was least sure first. */
export function doubtsInOrder(karyogram) {
  const rank = (one) => (one.state === "debris" ? 2 : GROUP_C.has(one.label) ? 0 : 1);
  const place = (one) => LABELS.indexOf(one.label) * 100 + one.order;
  return karyogram.chromosomes
    .filter(isDoubtful)
    .sort((one, other) => rank(one) - rank(other) || sureness(one) - sureness(other) || place(one) - place(other));
}

export class Commands {
  /* page: {go(where), help(), fit(), actualSize(), zoom(factor), toggleOutlines()} */
  constructor({ store, history, sheet, say, page }) {
    Object.assign(this, { store, history, sheet, say, page });
    this.arranging = new Arranging({ store, history, say });
  }

  /** Runs the edit; afterwards says what has happened, for those who do not see it. */
  #edit(edit, said) {
    if (!this.history.edit(edit)) return false;
    const chromosome = this.store.chromosome(edit.id ?? edit.edits?.[0].id);
    if (chromosome) this.say(said ?? chromosomeName(chromosome), "quiet");
    return true;
  }

  /** The selected chromosome, or null after saying that one is needed. */
  #chosen() {
    const { selected } = this.store;
    if (!selected && this.store.state.document) this.say("First choose a chromosome.", "info");
    return selected;
  }

  choose(id) {
    this.store.select(id);
    if (id) this.sheet.focus(id);
  }

  walk(direction) {
    this.arranging.pointing = false;
    const next = this.sheet.neighbour(this.store.state.selected, direction);
    if (!next) return;
    this.store.select(next, { keep: true });
    this.sheet.focus(next);
  }

  /** Typed or clicked: to the end of a class; in its own class it stays where it is and counts as looked at. */
  relabel(label) {
    const chromosome = this.#chosen();
    if (!chromosome) return;
    const { chosen, state } = this.store;
    if (chosen.length > 1) {
      if (this.history.edit(together(moves(state.document, chosen, label)))) this.say(`${chosen.length} moved.`, "quiet");
      return;
    }
    const stays = slotOf(chromosome) === label;
    if (stays && chromosome.reviewed) {
      this.say(`${chromosomeName(chromosome)}: nothing to change.`, "quiet");
      return;
    }
    // It stays chosen: what is typed next must not fall on another one.
    this.#edit(together(moves(state.document, [chromosome], label)));
  }

  /** Dropped by the pointer: {slot, index} as the sheet found them. */
  drop(id, { slot, index }) {
    const chromosome = this.store.chromosome(id);
    if (!chromosome) return;
    const from = slotOf(chromosome);
    if (slot === "debris") {
      if (from !== "debris") this.#edit({ op: "debris", id });
      return;
    }
    // Put back where it was: no change, and no claim that anyone looked at it.
    if (from === slot && index === chromosome.order) return;
    const edits = moves(this.store.state.document, [chromosome], slot);
    edits[0].index = index;
    this.#edit(together(edits));
  }

  /** One place to the left (-1) or right (+1) among its homologues. */
  shift(by) {
    const chromosome = this.#chosen();
    if (!chromosome || chromosome.state !== "present") return;
    const index = chromosome.order + by;
    const last = slots(this.store.state.document).get(chromosome.label).length - 1;
    if (index < 0 || index > last) return;
    this.#edit({ op: "move", id: chromosome.id, label: chromosome.label, index });
  }

  /** Clockwise as seen; the picture is mirrored after it is turned, so that a flipped one turns the other way. */
  turn(degrees) {
    const chromosome = this.#chosen();
    if (!chromosome) return;
    const angle = chromosome.angle + (chromosome.flip ? -degrees : degrees);
    this.turnTo(chromosome.id, angle);
  }

  turnTo(id, angle) {
    const turned = ((angle % 360) + 360) % 360;
    this.#edit({ op: "rotate", id, angle: Math.round(turned * 100) / 100 }, `Turned to ${Math.round(turned)} degrees.`);
  }

  turnQuarter() {
    this.turn(90);
  }

  turnQuarterBack() {
    this.turn(-90);
  }

  turnUpsideDown() {
    this.turn(180);
  }

  turnStep() {
    this.turn(STEP_DEGREES);
  }

  turnStepBack() {
    this.turn(-STEP_DEGREES);
  }

  flip() {
    const chromosome = this.#chosen();
    if (chromosome) this.#edit({ op: "flip", id: chromosome.id }, "Flipped.");
  }

  /** To the debris tray; from there it comes back by typing its class or by dragging. */
  debris() {
    const chromosome = this.#chosen();
    if (!chromosome) return;
    const chosen = this.store.chosen.filter((one) => one.state === "present");
    if (chosen.length > 1) {
      const edits = chosen.map((one) => ({ op: "debris", id: one.id }));
      if (this.history.edit(together(edits))) this.say(`${chosen.length} to the debris.`, "quiet");
      return;
    }
    if (chromosome.state === "debris") {
      this.say("This is debris already. Type its class to bring it back.", "info");
      return;
    }
    this.#edit({ op: "debris", id: chromosome.id });
  }

  /** A person has looked at the doubt and keeps what the machine proposed; then the next one. */
  keep() {
    const chromosome = this.#chosen();
    if (!chromosome || !isDoubtful(chromosome)) return;
    if (this.#edit({ op: "review", id: chromosome.id, reviewed: true })) this.nextDoubt();
  }

  nextDoubt() {
    this.#stepDoubt(1);
  }

  previousDoubt() {
    this.#stepDoubt(-1);
  }

  #stepDoubt(by) {
    const { document: karyogram, selected } = this.store.state;
    if (!karyogram) return;
    const open = doubtsInOrder(karyogram).map((one) => one.id);
    if (!open.length) {
      this.say("No doubts left in this cell.", "info");
      return;
    }
    const here = open.indexOf(selected);
    const next = here < 0 ? (by > 0 ? 0 : open.length - 1) : (here + by + open.length) % open.length;
    this.choose(open[next]);
  }

  undo() {
    this.history.undo();
  }

  redo() {
    this.history.redo();
  }

  /** Accepts the cell, or opens an accepted one again. */
  async decide() {
    const { accepted, editable, lockedBecause, document: karyogram } = this.store.state;
    if (!karyogram) return;
    if (!editable) {
      this.say(lockedBecause || "This karyogram cannot be changed.", "info");
      return;
    }
    await this.history.decide(accepted ? "reopen" : "accept");
    const now = this.store.state.accepted;
    if (now === accepted) return;
    const left = karyogram.chromosomes.filter(isDoubtful).length;
    this.say(
      now ? `Cell accepted${left ? `, with ${plural(left, "doubt")} left open` : ""}.` : "The cell is open again.",
      "info",
    );
  }

  accept() {
    if (!this.store.state.accepted) return this.decide();
  }
}

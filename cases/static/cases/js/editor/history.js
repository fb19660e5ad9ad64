/* Changes on their way to the server: shown at once, sent in order, one at a time, each counted once.

   `confirmed` is what the server has said; the store's document is that with every pending change applied on top
   (pending.js).  What is pending is kept in this browser until it is saved. */

import { Refused, Unreachable } from "./api.js";
import { checkOutlines } from "./outlines.js";
import { Known } from "./known.js";
import { asEdits, change, goTogether, notSent, predict, toKeep, turnsOn } from "./pending.js";
import { EditRefused, apply } from "./reducer.js";

const LOST_RIGHT = new Set([403, 404]);
const LOOKING = "You are looking at an earlier version. Go back to now, or to this version, in the bar above.";

export class History {
  /* store: Store.  api: as karyogramApi.  shelf: {read(), write(value | null)}.  say(sentence, kind): tells the person.
     waits: seconds before each further try. */
  constructor({ store, api, shelf, say, waits = [1, 2, 4, 8, 15, 30] }) {
    Object.assign(this, { store, api, shelf, say, waits });
    this.known = null;
    this.base = 0; // the version that the first pending change was made on
    this.pending = [];
    this.blocked = false;
    this.running = false;
    this.failures = 0;
    this.wake = null;
    this.viewing = null; // {version, document} while an earlier version is looked at
    this.turn = 0; // goes up with everything that the server has confirmed
  }

  /** The karyogram as the server has confirmed it, with its state; null before it is loaded. */
  get confirmed() {
    return this.known?.state ?? null;
  }

  /** Loads the karyogram, and whatever this browser still has to send for it. */
  async load() {
    this.#adopt(await this.api.load());
    const kept = this.shelf.read();
    if (kept?.pending?.length && this.confirmed.editable) {
      this.pending = kept.pending;
      this.base = kept.base;
    }
    this.#show();
    void this.#run();
  }

  /** Applies an edit at once and queues it; → false where it cannot be made now. */
  edit(edit) {
    if (!this.#open()) return false;
    try {
      checkOutlines(this.store.state.document, edit);
      apply(this.store.state.document, edit);
    } catch (error) {
      if (!(error instanceof EditRefused)) throw error;
      this.say(error.message, "error");
      return false;
    }
    if (!turnsOn(this.pending.at(-1), edit)) this.#queue("edit", edit);
    this.#show();
    void this.#run();
    return true;
  }

  undo() {
    return this.#step("undo", this.store.state.canUndo, "There is nothing to undo.");
  }

  redo() {
    return this.#step("redo", this.store.state.canRedo, "There is nothing to redo.");
  }

  /** Back to what the machine proposed: one chromosome, or the whole cell where id is null.  Only the server knows what
      that is, so that it shows once the server has answered. */
  restore(id) {
    if (!this.#open()) return false;
    this.#queue("restore", null, { id });
    this.#show();
    void this.#run();
    return true;
  }

  /** Back to an earlier version, as one new step; only the server can make it. */
  returnTo(version) {
    this.look(null);
    if (!this.#open()) return false;
    this.#queue("version", null, { version });
    this.#show();
    void this.#run();
    return true;
  }

  /** Shows an earlier version, {version, document}, to be looked at only; null: what stands now. */
  look(version) {
    this.viewing = version;
    if (this.confirmed) this.#show();
  }

  #step(kind, possible, otherwise) {
    if (!this.#open()) return false;
    if (!possible) {
      this.say(otherwise, "info");
      return false;
    }
    this.#queue(kind, null);
    this.#show();
    this.#point(this.pending.at(-1)?.predicted);
    void this.#run();
    return true;
  }

  /** Accepts or reopens the cell as the server knows it; waits for pending changes first. */
  async decide(kind) {
    if (!this.#open()) return;
    if (!(await this.settled())) {
      this.say("The cell was not accepted, because your changes could not be saved yet.", "error");
      return;
    }
    this.store.set({ save: "saving" });
    try {
      await this.api[kind]({ base_version: this.confirmed.version });
      await this.refresh();
    } catch (error) {
      this.store.set({ save: "saved" });
      if (error instanceof Unreachable)
        this.say("The server cannot be reached. Nothing was lost; please try again in a moment.", "error");
      else if (error instanceof Refused && error.code === "stale-version") {
        await this.refresh();
        this.say("Someone else changed this cell. Look at it again before you accept it.", "error");
      } else if (error instanceof Refused) this.say(error.message, "error");
      else throw error;
    }
  }

  /** Takes in what others have changed, when nothing of ours is on its way. */
  async refresh() {
    if (this.pending.length || this.blocked) return;
    const answer = await this.api.load();
    if (this.pending.length || this.blocked) return;
    const newer = this.confirmed && answer.version !== this.confirmed.version;
    this.#adopt(answer);
    this.#show();
    if (newer) this.say(`This cell was changed meanwhile; you see version ${answer.version}.`, "info");
  }

  /** What others have stored, as `changes/` told it when `turn` was this.turn; → {before}: the document until then,
      or null where it has to be asked for again. */
  async take(changes, turn) {
    if (this.pending.length || this.blocked || turn !== this.turn) return null;
    const before = this.confirmed.document;
    if (this.#takeIn(changes)) this.#show();
    else await this.refresh();
    return { before };
  }

  #takeIn(changes) {
    if (changes.reload || !this.known.take(changes)) return false;
    this.base = changes.version;
    this.turn += 1;
    return true;
  }

  /* Somebody was faster, but changed other chromosomes: ours are made again on top, and nobody need be asked. */
  async #rebase() {
    let changes;
    try {
      changes = await this.api.changes(this.confirmed.version);
    } catch (error) {
      if (error instanceof Refused || error instanceof Unreachable) return false;
      throw error;
    }
    if (changes.reload || !goTogether(this.known, this.pending, changes.steps) || !this.#takeIn(changes)) return false;
    this.pending = notSent(this.pending);
    this.#show();
    this.say(`${changes.steps.at(-1).author} changed this cell at the same time. Both changes stand.`, "info");
    return true;
  }

  /** After a conflict: their version with our changes made again on top. */
  async applyMineAgain() {
    const mine = asEdits(this.pending);
    await this.#afterConflict(mine, this.pending.length - mine.length);
  }

  /** After a conflict: their version alone. */
  async takeTheirs() {
    await this.#afterConflict([], 0);
  }

  async #afterConflict(mine, left) {
    let answer;
    try {
      answer = await this.api.load();
    } catch (error) {
      this.say("Their version could not be loaded. Your changes are kept; please try again.", "error");
      return;
    }
    this.#adopt(answer);
    this.pending = notSent(mine);
    this.blocked = false;
    this.store.set({ conflict: null });
    const dropped = left + this.#show();
    if (dropped) this.say(`${dropped} of your changes no longer fit and ${dropped > 1 ? "were" : "was"} left out.`, "error");
    void this.#run();
  }

  /** Tries at once instead of waiting on: the network or the person is back. */
  resume() {
    if (this.store.state.save === "signed-out") this.blocked = false;
    this.wake?.();
    void this.#run();
  }

  /** Gives up what has not been saved, and shows what the server has. */
  async discard() {
    this.pending = [];
    this.#show();
    this.wake?.();
    await this.refresh().catch(() => {});
  }

  /** → true once everything is saved, false as soon as something cannot be. */
  settled() {
    return new Promise((resolve) => {
      const look = () => {
        if (!this.pending.length) return resolve(true), true;
        if (this.store.state.save !== "saving") return resolve(false), true;
        return false;
      };
      if (look()) return;
      const stop = this.store.subscribe(() => look() && stop());
    });
  }

  #open() {
    const { editable, lockedBecause, conflict } = this.store.state;
    if (conflict) this.say("First choose which version to go on with, in the bar above the sheet.", "error");
    else if (!editable) this.say(lockedBecause || "This karyogram cannot be changed.", "info");
    return editable && !conflict && this.confirmed !== null;
  }

  #queue(kind, edit, args) {
    if (!this.pending.length) this.base = this.confirmed.version;
    this.pending.push(change(kind, edit, args));
  }

  #adopt(answer) {
    this.known = new Known(answer);
    this.base = answer.version;
    this.turn += 1;
  }

  /* Puts the confirmed document with all pending changes into the store; → how many no longer fitted. */
  #show() {
    const before = this.pending.length;
    const { document, pending, undos, redos, edited } = predict(this.known, this.pending);
    this.pending = pending;
    const { viewing } = this;
    this.#keep();
    this.store.set({
      viewing: viewing?.version ?? null,
      document: viewing?.document ?? document,
      version: this.confirmed.version,
      accepted: this.pending.length ? false : this.confirmed.accepted,
      editable: this.confirmed.editable && !viewing,
      lockedBecause: viewing ? LOOKING : (this.confirmed.locked_because ?? ""),
      viewUrl: this.confirmed.view_url,
      canUndo: undos.length > 0 || (this.confirmed.can_undo && this.known.undos.length === 0),
      canRedo: redos.length > 0 || (this.confirmed.can_redo && !edited && this.known.redos.length === 0),
      pending: this.pending.length,
      save: this.#saveState(),
    });
    if (this.store.state.selected && !this.store.selected) this.store.select(null);
    return before - this.pending.length;
  }

  #saveState() {
    if (!this.pending.length) return "saved";
    const { save } = this.store.state;
    return save === "saved" ? "saving" : save;
  }

  #keep() {
    this.shelf.write(this.pending.length ? { base: this.base, pending: toKeep(this.pending) } : null);
  }

  async #run() {
    if (this.running) return;
    this.running = true;
    try {
      while (this.pending.length && !this.blocked) await this.#sendFirst();
    } finally {
      this.running = false;
    }
  }

  async #sendFirst() {
    const item = this.pending[0];
    if (!item.sent && !this.#findWay(item)) return;
    item.sent = true;
    this.#keep();
    if (this.failures === 0) this.store.set({ save: "saving" });
    try {
      const body = { base_version: this.base, client_key: item.key };
      const answer = await this.api[item.kind](item.kind === "edit" ? { ...body, edit: item.edit } : { ...body, ...item.args });
      this.failures = 0;
      if (this.pending[0] !== item) return; // given up meanwhile
      await this.#confirm(answer);
    } catch (error) {
      if (error instanceof Unreachable) await this.#waitForServer(error);
      else if (error instanceof Refused) await this.#refused(error, item);
      else throw error;
    }
  }

  /* Undo and redo mean one's own last step, also where somebody else's lies on top of it by now; → false: not to be done. */
  #findWay(item) {
    if (item.kind !== "undo" && item.kind !== "redo") return true;
    const way = this.known.wayOf(item.kind);
    if (way.edit) Object.assign(item, { as: item.kind, kind: "edit", edit: way.edit });
    if (!way.sentence) return true;
    this.pending.shift();
    this.store.set({ save: this.pending.length ? "saving" : "saved" });
    this.#show();
    this.say(way.sentence, "info");
    return false;
  }

  async #confirm(answer) {
    const { step } = answer;
    const item = this.pending.shift();
    this.base = step.version;
    if (step.version === this.confirmed.version + 1) {
      this.known.remember(answer, item.as ?? item.kind);
      this.turn += 1;
    } else if (step.version > this.confirmed.version) {
      const { base } = this;
      this.#adopt(await this.api.load());
      this.base = base;
    }
    if (!this.pending.length) this.base = this.confirmed.version;
    this.store.set({ save: this.pending.length ? "saving" : "saved" });
    this.#show();
    if (item.kind !== "edit" && !item.predicted) this.#point(step.edit);
  }

  /* What an undo or redo has changed is chosen, so that the eye finds it. */
  #point(edit) {
    const id = edit?.id ?? edit?.chromosome?.id ?? edit?.edits?.[0]?.id;
    if (id) this.store.select(id);
  }

  async #waitForServer(error) {
    const seconds = Math.max(error.waitSeconds, this.waits[Math.min(this.failures, this.waits.length - 1)]);
    this.failures += 1;
    this.store.set({ save: "unsaved" });
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = null;
  }

  async #refused(error, item) {
    this.failures = 0;
    if (error.status === 401) {
      this.blocked = true;
      this.store.set({ save: "signed-out" });
    } else if (error.code === "stale-version") {
      if (await this.#rebase()) return;
      this.blocked = true;
      this.store.set({ save: "conflict", conflict: { version: error.body.version } });
    } else if (LOST_RIGHT.has(error.status) || error.code === "case-locked") {
      this.pending = [];
      this.say(`${error.message} What you changed last was not saved and has been taken back.`, "error");
      await this.#reload(error);
    } else {
      this.pending = this.pending.filter((other) => other !== item);
      this.store.set({ save: this.pending.length ? "saving" : "saved" });
      this.#show();
      const undoing = item.kind !== "edit";
      this.say(undoing ? error.message : `${error.message} The change was not saved and has been taken back.`, "error");
    }
  }

  async #reload(error) {
    this.store.set({ save: "saved" });
    try {
      this.#adopt(await this.api.load());
    } catch {
      this.known.state = { ...this.confirmed, editable: false, locked_because: error.message };
    }
    this.#show();
  }
}

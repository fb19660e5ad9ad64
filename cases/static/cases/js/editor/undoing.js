/* Which steps stand, and which are taken back, as far as this page has seen them since it loaded.

   The server's undo takes back the newest standing step, whosever it is.  Once someone else changes the cell at the
   same time, that may be theirs: here is what the page needs to know to take back only its own. */

export class StandingSteps {
  constructor() {
    this.done = []; // {version, mine, by}; the newest last
    this.undone = [];
    this.foreign = false; // whether anything of somebody else's came in since the page loaded
  }

  /** A step that the server has told of, in order. */
  push(step, mine) {
    const entry = { version: step.version, mine, by: step.author };
    if (!mine) this.foreign = true;
    if (step.kind === "undo") {
      this.done.pop();
      this.undone.push(entry);
    } else if (step.kind === "redo") {
      this.undone.pop();
      this.done.push(entry);
    } else {
      this.undone = [];
      this.done.push(entry);
    }
  }

  /** How this page's undo or redo is to be sent.  own: the newest own step of that kind, {version}, or undefined.
      "plain": the server's own undo means the same step.  "edit": someone else's lies on top, so the own one is taken
      back by an edit of its own.  "refuse": nothing own is left, and what is on top is `by` somebody else. */
  way(kind, own) {
    if (!this.foreign) return { as: "plain" };
    const top = (kind === "undo" ? this.done : this.undone).at(-1);
    if (own) return top?.version === own.version ? { as: "plain" } : { as: "edit" };
    return top ? { as: "refuse", by: top.mine ? "" : top.by } : { as: "plain" };
  }
}

/* The karyogram as the server has confirmed it, and the steps that have led there since this page loaded it. */

import { EditRefused, apply } from "./reducer.js";
import { StandingSteps } from "./undoing.js";

export class Known {
  /* answer: as the API gives a karyogram. */
  constructor(answer) {
    this.state = answer;
    this.undos = []; // {edit, inverse, version} of this page's own steps that stand; older ones only the server knows
    this.redos = [];
    this.steps = new StandingSteps();
  }

  /** The document after these edits; null where one of them does not fit. */
  after(edits) {
    try {
      return edits.reduce((document, edit) => apply(document, edit).document, this.state.document);
    } catch (error) {
      if (!(error instanceof EditRefused)) throw error;
      return null;
    }
  }

  /** This page's own step, as the server answers it.  doing: "undo" or "redo", also where an edit did it. */
  remember({ step, can_undo, can_redo, accepted }, doing) {
    const { edit, inverse, version } = step;
    const { document } = apply(this.state.document, edit);
    this.state = { ...this.state, document, version, can_undo, can_redo, accepted };
    this.steps.push(step, true);
    if (doing === "undo") {
      this.undos.pop();
      this.redos.push({ edit: inverse, inverse: edit, version });
      return;
    }
    if (doing === "redo") this.redos.pop();
    else this.redos = [];
    this.undos.push({ edit, inverse, version });
  }

  /** What others have stored, as `changes/` tells it; → false where the steps do not lead on from here. */
  take({ steps, version, accepted, editable, locked_because, can_undo, can_redo }) {
    const document = this.after(steps.map((step) => step.edit));
    if (!document || version !== this.state.version + steps.length) return false;
    for (const step of steps) {
      this.steps.push(step, false);
      const gone = step.edit.op === "replace";
      this.undos = gone ? [] : this.undos.filter((own) => own.version !== step.undoes);
      if (gone) this.redos = [];
    }
    this.state = { ...this.state, document, version, accepted, editable, locked_because, can_undo, can_redo };
    return true;
  }

  /** How an undo or redo of this page is to be done: {} by the server's own; {edit} by an edit, because somebody else's
      step lies on top; {sentence} not at all, and why. */
  wayOf(kind) {
    const own = (kind === "undo" ? this.undos : this.redos).at(-1);
    const way = this.steps.way(kind, own);
    if (way.as === "plain") return {};
    if (way.as === "edit") {
      const edit = kind === "undo" ? own.inverse : own.edit;
      if (this.after([edit])) return { edit };
      (kind === "undo" ? this.undos : this.redos).pop();
      return { sentence: `That can no longer be ${kind === "undo" ? "taken back" : "made again"}: the chromosome was changed since.` };
    }
    const others = way.by ? `The last change is ${way.by}’s. ` : "";
    return { sentence: `${others}There is nothing more of yours to ${kind}; History takes the cell back to any version.` };
  }
}

/* The list of changes that the server has not confirmed yet: what it makes of the karyogram, and what becomes of it.

   A pending change is {kind: "edit" | "undo" | "redo" | "restore" | "version", as, edit, args, key, sent, at, predicted}.
   Its key is the server's client_key, so that a change whose answer was lost can be sent again.  as: "undo" or "redo"
   where an edit does it.  predicted: the edit that it will be, null where only the server knows.  No state, no DOM, no
   network here; history.js keeps the list and sends it. */

import { clientKey } from "./keeping.js";
import { EditRefused, apply } from "./reducer.js";
import { meet, touched } from "./steps.js";

const COALESCE_MS = 1200;
// What begins something new, so that nothing can be redone after it.
const FRESH = new Set(["edit", "restore", "version"]);

export function change(kind, edit, args) {
  return { kind, edit, args, key: clientKey(), sent: false, at: Date.now() };
}

/** Lets a turn go on in the change before it, where that has not been sent and turned the same one; → whether it did. */
export function turnsOn(last, edit) {
  const goesOn = edit.op === "rotate" && last && !last.sent && last.edit?.op === "rotate" && last.edit.id === edit.id;
  if (!goesOn || Date.now() - last.at >= COALESCE_MS) return false;
  Object.assign(last, { edit, at: Date.now() });
  return true;
}

/** What stands once all of it is stored.  known: Known.  → {document, pending: what still fits, undos, redos, edited}. */
export function predict(known, pending) {
  let { document } = known.state;
  const undos = [...known.undos];
  const redos = [...known.redos];
  const fits = pending.filter((item) => {
    const doing = item.as ?? item.kind;
    const own = doing === "undo" ? undos.pop() : doing === "redo" ? redos.pop() : null;
    const edit = item.edit ?? (doing === "undo" ? own?.inverse : own?.edit);
    item.predicted = edit ?? null;
    if (!edit) {
      // What the server will do is not known here; nor, then, what taking it back or doing it again would.
      if (FRESH.has(doing)) redos.length = 0;
      (doing === "undo" ? redos : undos).push(null);
      return true;
    }
    try {
      const applied = apply(document, edit);
      document = applied.document;
      if (doing === "undo") redos.push({ edit: applied.inverse, inverse: edit });
      else undos.push({ edit, inverse: applied.inverse });
      if (FRESH.has(doing)) redos.length = 0;
      return true;
    } catch (error) {
      if (!(error instanceof EditRefused)) throw error;
      return item.sent; // it may have been stored: only the server can say
    }
  });
  return { document, pending: fits, undos, redos, edited: fits.some((item) => FRESH.has(item.as ?? item.kind)) };
}

/** Whether these can be made again on top of other people's steps without touching what those touched. */
export function goTogether(known, pending, steps) {
  const mine = pending.map((item) => item.edit ?? item.predicted);
  const theirs = steps.map((step) => step.edit);
  if (!theirs.length || !mine.every(Boolean)) return false;
  const all = (edits) => new Set(edits.flatMap((edit) => [...touched(edit)]));
  return !meet(all(theirs), all(mine)) && Boolean(known.after([...theirs, ...mine]));
}

/** The same changes as edits on whatever stands; without what only the server may do and what was never known. */
export function asEdits(pending) {
  return pending
    .map((item) => (item.kind === "edit" ? item : { ...item, kind: "edit", edit: item.predicted, key: clientKey() }))
    .filter((item) => item.edit && item.edit.op !== "replace");
}

export function notSent(pending) {
  return pending.map((item) => ({ ...item, sent: false }));
}

/** As this browser keeps it: without what is worked out anew. */
export function toKeep(pending) {
  return pending.map(({ kind, as, edit, args, key, sent, at }) => ({ kind, as, edit, args, key, sent, at }));
}

/* The karyogram document and the edits that people make to it (docs/karyogram-document.md).

   The same reducer as cases/domain/karyogram.py: both run the table tests/contracts/karyogram_edits.json.  The server's
   word is final; this one lets the page show a change before the server has answered. */

import { EditRefused, SCHEMA, isObject } from "./karyogram.js";
import { OPERATIONS, needKeys } from "./operations.js";

export { CLASSES, EditRefused, LABELS, MAX_LOST, SHEET_ROWS, slotOf, slots } from "./karyogram.js";
export { uprightAngle } from "./operations.js";

const MAX_BATCH = 200;
// What several edits at once, or a document put back, amount to: for the reader of the history only.
const PURPOSES = ["marker", "derivative", "split", "merge", "restore", "version"];

/** → {document, inverse}: the document after one edit, and the edit that takes it back.  Never changes `document`. */
export function apply(document, edit) {
  const op = opOf(edit);
  if (op === "replace") {
    needs(edit, "document");
    // Only the server sends whole documents, and it has checked them: no more than a glance here.
    if (edit.document?.schema !== SCHEMA || !Array.isArray(edit.document.chromosomes))
      throw new EditRefused("The proposed karyogram cannot be used: its schema is not " + SCHEMA + ".");
    return { document: structuredClone(edit.document), inverse: { op, document: structuredClone(document) } };
  }
  // Rings are shared with the old document: edits exchange them, none changes one.
  const result = { ...document, chromosomes: document.chromosomes.map((chromosome) => ({ ...chromosome })) };
  if (op !== "batch") return { document: result, inverse: OPERATIONS[op](result, edit) };
  needs(edit, "edits");
  const tooMany = new EditRefused(`A batch holds between 1 and ${MAX_BATCH} edits.`);
  if (!Array.isArray(edit.edits) || edit.edits.length < 1 || edit.edits.length > MAX_BATCH) throw tooMany;
  let edits = [];
  for (const single of edit.edits) {
    const operation = OPERATIONS[opOf(single)];
    if (!operation) throw new EditRefused("A batch cannot hold another batch or a new proposal.");
    const inverse = operation(result, single);
    edits = [...(inverse.op === "batch" ? inverse.edits : [inverse]), ...edits];
  }
  if (edits.length > MAX_BATCH) throw tooMany; // a swap is taken back by two edits
  return { document: result, inverse: { op, edits } };
}

/** Chromosomes present; debris left out, unknown ones counted. */
export const count = (document) => document.chromosomes.filter((one) => one.state === "present").length;

export const isDoubtful = (chromosome) => chromosome.flags.length > 0 && !chromosome.reviewed;

/** Chromosomes with a reason for doubt that no person has looked at yet, debris included. */
export const doubts = (document) => document.chromosomes.filter(isDoubtful).length;

/** "XX", "XY", "X", "XXY" …; empty where there is neither X nor Y. */
export function sexComplement(document) {
  const many = (label) =>
    document.chromosomes.filter((one) => one.state === "present" && one.label === label).length;
  return "X".repeat(many("X")) + "Y".repeat(many("Y"));
}

function opOf(edit) {
  const op = isObject(edit) ? edit.op : null;
  const known = typeof op === "string" && (Object.hasOwn(OPERATIONS, op) || op === "replace" || op === "batch");
  if (!known) throw new EditRefused("This change is not one that a karyogram knows.");
  return op;
}

function needs(edit, part) {
  needKeys(edit, [part], ["as"]);
  if (Object.hasOwn(edit, "as") && !PURPOSES.includes(edit.as))
    throw new EditRefused("This change does not say what it amounts to in a known word.");
}

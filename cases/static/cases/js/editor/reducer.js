/* The karyogram document and the edits that people make to it (docs/karyogram-document.md).

   The same reducer as cases/domain/karyogram.py: both run the table tests/contracts/karyogram_edits.json.  The server's
   word is final; this one lets the page show a change before the server has answered. */

const AUTOSOMES = Array.from({ length: 22 }, (_, index) => String(index + 1));
export const LABELS = [...AUTOSOMES, "X", "Y", "unknown"];
export const SHEET_ROWS = [
  [AUTOSOMES.slice(0, 3), AUTOSOMES.slice(3, 5)],
  [AUTOSOMES.slice(5, 12)],
  [AUTOSOMES.slice(12, 15), AUTOSOMES.slice(15, 18)],
  [AUTOSOMES.slice(18, 20), AUTOSOMES.slice(20, 22), ["X", "Y"]],
];
const SCHEMA = "karyosite.karyogram/1";
const MAX_BATCH = 200;
const NO_SUCH_PLACE = "There is no such place in this position of the sheet.";

/** A change that a karyogram cannot take; `message` is for the person who made it. */
export class EditRefused extends Error {}

/** → {document, inverse}: the document after one edit, and the edit that takes it back.  Never changes `document`. */
export function apply(document, edit) {
  const op = opOf(edit);
  if (op === "replace") {
    needKeys(edit, ["document"]);
    // Only the server sends whole documents, and it has checked them: no more than a glance here.
    if (edit.document?.schema !== SCHEMA || !Array.isArray(edit.document.chromosomes))
      throw new EditRefused("The proposed karyogram cannot be used: its schema is not " + SCHEMA + ".");
    return { document: structuredClone(edit.document), inverse: { op, document: structuredClone(document) } };
  }
  // Rings are shared with the old document: no edit here changes them.
  const result = { ...document, chromosomes: document.chromosomes.map((chromosome) => ({ ...chromosome })) };
  if (op !== "batch") return { document: result, inverse: OPERATIONS[op](result, edit) };
  needKeys(edit, ["edits"]);
  if (!Array.isArray(edit.edits) || edit.edits.length < 1 || edit.edits.length > MAX_BATCH)
    throw new EditRefused(`A batch holds between 1 and ${MAX_BATCH} edits.`);
  const inverses = edit.edits.map((single) => {
    const operation = OPERATIONS[opOf(single)];
    if (!operation) throw new EditRefused("A batch cannot hold another batch or a new proposal.");
    return operation(result, single);
  });
  return { document: result, inverse: { op, edits: inverses.reverse() } };
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

/** Its label while present, and `debris` while debris. */
export const slotOf = ({ label, state }) => (state === "present" ? label : "debris");

/** Map of slot (1 … 22, X, Y, unknown, debris) → its chromosomes from the left; every slot is there. */
export function slots(document) {
  const found = new Map([...LABELS, "debris"].map((name) => [name, []]));
  for (const chromosome of document.chromosomes) found.get(slotOf(chromosome)).push(chromosome);
  for (const members of found.values()) members.sort((one, other) => one.order - other.order);
  return found;
}

/** 0 ≤ angle < 360, rounded half up to 0.01: the same arithmetic as the server's. */
export function uprightAngle(angle) {
  const turned = angle % 360;
  const rounded = Math.floor((turned < 0 ? turned + 360 : turned) * 100 + 0.5) / 100;
  return rounded >= 360 ? rounded - 360 : rounded;
}

function opOf(edit) {
  const op = edit !== null && typeof edit === "object" && !Array.isArray(edit) ? edit.op : null;
  const known = typeof op === "string" && (Object.hasOwn(OPERATIONS, op) || op === "replace" || op === "batch");
  if (!known) throw new EditRefused("This change is not one that a karyogram knows.");
  return op;
}

function needKeys(edit, keys) {
  const given = Object.keys(edit).filter((key) => key !== "op");
  if (given.length !== keys.length || !keys.every((key) => Object.hasOwn(edit, key)))
    throw new EditRefused(`The change “${edit.op}” needs exactly: ${[...keys].sort().join(", ")}.`);
}

function find(document, edit) {
  const found = document.chromosomes.find((one) => one.id === edit.id);
  if (!found) throw new EditRefused("The chromosome of this change is not in this karyogram.");
  return found;
}

function checkedLabel(edit) {
  if (!LABELS.includes(edit.label)) throw new EditRefused("A chromosome is one of 1 to 22, X, Y or unknown.");
  return edit.label;
}

/** Takes a chromosome out of its slot and puts it at index of another; both slots stay without gaps. */
function put(document, chromosome, label, state, index) {
  const inverse = {
    op: "place",
    id: chromosome.id,
    label: chromosome.label,
    state: chromosome.state,
    index: chromosome.order,
    reviewed: chromosome.reviewed,
    source: chromosome.source,
  };
  const places = slots(document);
  const others = (slot) => places.get(slot).filter((one) => one !== chromosome);
  const members = others(slotOf({ label, state }));
  const at = index === "end" ? members.length : index;
  if (!Number.isInteger(at) || at < 0 || at > members.length) throw new EditRefused(NO_SUCH_PLACE);
  others(slotOf(chromosome)).forEach((one, place) => (one.order = place));
  chromosome.label = label;
  chromosome.state = state;
  members.splice(at, 0, chromosome);
  members.forEach((one, place) => (one.order = place));
  return inverse;
}

const OPERATIONS = {
  move(document, edit) {
    needKeys(edit, ["id", "label", "index"]);
    const chromosome = find(document, edit);
    if (typeof edit.index !== "number") throw new EditRefused(NO_SUCH_PLACE);
    const inverse = put(document, chromosome, checkedLabel(edit), "present", edit.index);
    chromosome.reviewed = true;
    chromosome.source = "person";
    return inverse;
  },
  debris(document, edit) {
    needKeys(edit, ["id"]);
    const chromosome = find(document, edit);
    const inverse = put(document, chromosome, chromosome.label, "debris", "end");
    chromosome.reviewed = true;
    return inverse;
  },
  place(document, edit) {
    needKeys(edit, ["id", "label", "state", "index", "reviewed", "source"]);
    const chromosome = find(document, edit);
    if (!["present", "debris"].includes(edit.state))
      throw new EditRefused("A chromosome is either present or debris.");
    const exact = typeof edit.reviewed === "boolean" && typeof edit.index === "number";
    if (!exact || !["machine", "person"].includes(edit.source))
      throw new EditRefused("This change does not say exactly where the chromosome belongs.");
    const inverse = put(document, chromosome, checkedLabel(edit), edit.state, edit.index);
    chromosome.reviewed = edit.reviewed;
    chromosome.source = edit.source;
    return inverse;
  },
  rotate(document, edit) {
    needKeys(edit, ["id", "angle"]);
    const chromosome = find(document, edit);
    // NaN is not below anything.
    if (typeof edit.angle !== "number" || !(Math.abs(edit.angle) < 1e9))
      throw new EditRefused("An angle is a number of degrees.");
    const inverse = { op: "rotate", id: chromosome.id, angle: chromosome.angle };
    chromosome.angle = uprightAngle(edit.angle);
    return inverse;
  },
  flip(document, edit) {
    needKeys(edit, ["id"]);
    const chromosome = find(document, edit);
    chromosome.flip = !chromosome.flip;
    return { op: "flip", id: chromosome.id };
  },
  review(document, edit) {
    needKeys(edit, ["id", "reviewed"]);
    const chromosome = find(document, edit);
    if (typeof edit.reviewed !== "boolean")
      throw new EditRefused("A chromosome has either been looked at or not.");
    const inverse = { op: "review", id: chromosome.id, reviewed: chromosome.reviewed };
    chromosome.reviewed = edit.reviewed;
    return inverse;
  },
};

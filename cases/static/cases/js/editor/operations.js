/* What each kind of edit does to a karyogram (docs/karyogram-document.md); `apply` in reducer.js is the way in.

   Each changes the given copy of the document in place and returns the edit that takes it back.  The same as
   cases/domain/karyogram_edits.py. */

import {
  CLASSES,
  EditRefused,
  LABELS,
  MAX_CHROMOSOMES,
  MAX_LOST,
  ROLES,
  chromosomeFault,
  isObject,
  shapeFault,
  slotOf,
  slots,
} from "./karyogram.js";

const NO_SUCH_PLACE = "There is no such place in this position of the sheet.";
const SHAPE = ["rings", "box", "axis", "centromere"];

export function needKeys(edit, keys, optional = []) {
  const given = Object.keys(edit).filter((key) => key !== "op" && !optional.includes(key));
  if (given.length !== keys.length || !keys.every((key) => Object.hasOwn(edit, key)))
    throw new EditRefused(`The change “${edit.op}” needs exactly: ${[...keys].sort().join(", ")}.`);
}

/** 0 ≤ angle < 360, rounded half up to 0.01: the same arithmetic as the server's. */
export function uprightAngle(angle) {
  const turned = angle % 360;
  const rounded = Math.floor((turned < 0 ? turned + 360 : turned) * 100 + 0.5) / 100;
  return rounded >= 360 ? rounded - 360 : rounded;
}

function find(document, id) {
  const found = document.chromosomes.find((one) => one.id === id);
  if (!found) throw new EditRefused("The chromosome of this change is not in this karyogram.");
  return found;
}

function checkedLabel(edit) {
  if (!LABELS.includes(edit.label)) throw new EditRefused("A chromosome is one of 1 to 22, X, Y or unknown.");
  return edit.label;
}

const number = (members) => members.forEach((one, place) => (one.order = place));

/* null takes the key away: what is absent is the default. */
function set(holder, key, value) {
  if (value === null) delete holder[key];
  else holder[key] = value;
}

const placeOf = ({ id, label, state, order, reviewed, source }) => ({
  op: "place", id, label, state, index: order, reviewed, source,
});

/** Takes a chromosome out of its slot and puts it at index of another; both slots stay without gaps. */
function put(document, chromosome, label, state, index) {
  const inverse = placeOf(chromosome);
  const places = slots(document);
  const others = (slot) => places.get(slot).filter((one) => one !== chromosome);
  const members = others(slotOf({ label, state }));
  const at = index === "end" ? members.length : index;
  if (!Number.isInteger(at) || at < 0 || at > members.length) throw new EditRefused(NO_SUCH_PLACE);
  number(others(slotOf(chromosome)));
  chromosome.label = label;
  chromosome.state = state;
  members.splice(at, 0, chromosome);
  number(members);
  return inverse;
}

export const OPERATIONS = {
  move(document, edit) {
    needKeys(edit, ["id", "label", "index"]);
    const chromosome = find(document, edit.id);
    if (typeof edit.index !== "number") throw new EditRefused(NO_SUCH_PLACE);
    const inverse = put(document, chromosome, checkedLabel(edit), "present", edit.index);
    chromosome.reviewed = true;
    chromosome.source = "person";
    return inverse;
  },
  swap(document, edit) {
    needKeys(edit, ["id", "other"]);
    const [one, other] = [find(document, edit.id), find(document, edit.other)];
    if (one === other || one.state !== "present" || other.state !== "present")
      throw new EditRefused("Two different chromosomes of the sheet can change places; debris cannot.");
    const inverse = { op: "batch", edits: [placeOf(one), placeOf(other)] };
    [one.label, other.label] = [other.label, one.label];
    [one.order, other.order] = [other.order, one.order];
    for (const chromosome of [one, other]) Object.assign(chromosome, { reviewed: true, source: "person" });
    return inverse;
  },
  debris(document, edit) {
    needKeys(edit, ["id"]);
    const chromosome = find(document, edit.id);
    const inverse = put(document, chromosome, chromosome.label, "debris", "end");
    chromosome.reviewed = true;
    return inverse;
  },
  place(document, edit) {
    needKeys(edit, ["id", "label", "state", "index", "reviewed", "source"]);
    const chromosome = find(document, edit.id);
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
    const chromosome = find(document, edit.id);
    // NaN is not below anything.
    if (typeof edit.angle !== "number" || !(Math.abs(edit.angle) < 1e9))
      throw new EditRefused("An angle is a number of degrees.");
    const inverse = { op: "rotate", id: chromosome.id, angle: chromosome.angle };
    chromosome.angle = uprightAngle(edit.angle);
    return inverse;
  },
  flip(document, edit) {
    needKeys(edit, ["id"]);
    const chromosome = find(document, edit.id);
    chromosome.flip = !chromosome.flip;
    return { op: "flip", id: chromosome.id };
  },
  review(document, edit) {
    needKeys(edit, ["id", "reviewed"]);
    const chromosome = find(document, edit.id);
    if (typeof edit.reviewed !== "boolean")
      throw new EditRefused("A chromosome has either been looked at or not.");
    const inverse = { op: "review", id: chromosome.id, reviewed: chromosome.reviewed };
    chromosome.reviewed = edit.reviewed;
    return inverse;
  },
  mark(document, edit) {
    needKeys(edit, ["id", "role"]);
    const chromosome = find(document, edit.id);
    if (!["", ...ROLES].includes(edit.role))
      throw new EditRefused("A chromosome can be marked as a marker, as a derivative, or not at all.");
    const inverse = { op: "mark", id: chromosome.id, role: chromosome.role ?? "" };
    set(chromosome, "role", edit.role || null);
    return inverse;
  },
  straighten(document, edit) {
    needKeys(edit, ["id", "straight"]);
    const chromosome = find(document, edit.id);
    if (typeof edit.straight !== "boolean")
      throw new EditRefused("A chromosome is either shown straightened or as it lies.");
    const inverse = { op: "straighten", id: chromosome.id, straight: chromosome.straight ?? false };
    set(chromosome, "straight", edit.straight || null);
    return inverse;
  },
  lost(document, edit) {
    needKeys(edit, ["label", "count"]);
    const { label, count } = edit;
    if (!CLASSES.includes(label))
      throw new EditRefused("Only a homologue of 1 to 22, X or Y can be counted as lost.");
    if (!Number.isInteger(count) || count < 0 || count > MAX_LOST)
      throw new EditRefused(`Between none and ${MAX_LOST} homologues of a class can be counted as lost.`);
    const inverse = { op: "lost", label, count: document.lost?.[label] ?? 0 };
    const after = { ...document.lost };
    set(after, label, count || null);
    set(document, "lost", Object.keys(after).length ? after : null);
    return inverse;
  },
  reshape(document, edit) {
    needKeys(edit, ["id", ...SHAPE]);
    const chromosome = find(document, edit.id);
    const fault = shapeFault(edit);
    if (fault) throw new EditRefused(`This outline cannot be used: the chromosome ${fault}.`);
    const inverse = { op: "reshape", id: chromosome.id };
    for (const key of SHAPE) {
      inverse[key] = chromosome[key] ?? null;
      set(chromosome, key, edit[key]);
    }
    return inverse;
  },
  add(document, edit) {
    needKeys(edit, ["chromosome", "index"], ["at"]);
    const { index, at = document.chromosomes.length } = edit;
    if (!isObject(edit.chromosome) || Object.hasOwn(edit.chromosome, "order"))
      throw new EditRefused("This chromosome cannot be added: its parts are not the agreed ones.");
    const chromosome = { ...edit.chromosome, order: 0 };
    const fault = chromosomeFault(chromosome);
    if (fault) throw new EditRefused(`This chromosome cannot be added: ${fault}.`);
    if (document.chromosomes.some((other) => other.id === chromosome.id))
      throw new EditRefused("A chromosome of this name is in the karyogram already.");
    if (document.chromosomes.length >= MAX_CHROMOSOMES)
      throw new EditRefused(`A karyogram holds at most ${MAX_CHROMOSOMES} chromosomes.`);
    const members = slots(document).get(slotOf(chromosome));
    if (!Number.isInteger(index) || index < 0 || index > members.length) throw new EditRefused(NO_SUCH_PLACE);
    if (!Number.isInteger(at) || at < 0)
      throw new EditRefused("There is no such place in the list of chromosomes.");
    document.chromosomes.splice(at, 0, chromosome);
    members.splice(index, 0, chromosome);
    number(members);
    return { op: "remove", id: chromosome.id };
  },
  remove(document, edit) {
    needKeys(edit, ["id"]);
    const chromosome = find(document, edit.id);
    const at = document.chromosomes.indexOf(chromosome);
    const { order, ...rest } = chromosome;
    document.chromosomes.splice(at, 1);
    number(slots(document).get(slotOf(chromosome)));
    return { op: "add", chromosome: rest, index: order, at };
  },
};

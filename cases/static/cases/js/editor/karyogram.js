/* What a `karyosite.karyogram/1` document is made of (docs/karyogram-document.md): classes, slots, and what an entry
   must be.  The same as cases/domain/karyogram_document.py. */

const AUTOSOMES = Array.from({ length: 22 }, (_, index) => String(index + 1));
export const CLASSES = [...AUTOSOMES, "X", "Y"];
export const LABELS = [...CLASSES, "unknown"];
export const ROLES = ["marker", "derivative"];
export const SHEET_ROWS = [
  [AUTOSOMES.slice(0, 3), AUTOSOMES.slice(3, 5)],
  [AUTOSOMES.slice(5, 12)],
  [AUTOSOMES.slice(12, 15), AUTOSOMES.slice(15, 18)],
  [AUTOSOMES.slice(18, 20), AUTOSOMES.slice(20, 22), ["X", "Y"]],
];
export const SCHEMA = "karyosite.karyogram/1";
export const MAX_CHROMOSOMES = 400;
export const MAX_LOST = 4;
const MAX_AXIS = 64;
const NEEDED = [
  "id", "label", "state", "order", "rings", "box", "angle", "flip", "detection_score", "score", "probabilities",
  "flags", "reviewed", "source",
];
const OPTIONAL = ["role", "straight", "axis", "centromere"];

/** A change that a karyogram cannot take; `message` is for the person who made it. */
export class EditRefused extends Error {}

/** Its label while present, and `debris` while debris. */
export const slotOf = ({ label, state }) => (state === "present" ? label : "debris");

/** Map of slot (1 … 22, X, Y, unknown, debris) → its chromosomes from the left; every slot is there. */
export function slots(document) {
  const found = new Map([...LABELS, "debris"].map((name) => [name, []]));
  for (const chromosome of document.chromosomes) found.get(slotOf(chromosome)).push(chromosome);
  for (const members of found.values()) members.sort((one, other) => one.order - other.order);
  return found;
}

export const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isShare = (value) => Number.isFinite(value) && value >= 0 && value <= 1;
const areNumbers = (values, length) =>
  Array.isArray(values) && values.length === length && values.every(Number.isFinite);

/** What is wrong with one entry of a document, as half a sentence; empty where nothing is. */
export function chromosomeFault(chromosome) {
  const complete =
    isObject(chromosome) &&
    NEEDED.every((key) => Object.hasOwn(chromosome, key)) &&
    Object.keys(chromosome).every((key) => NEEDED.includes(key) || OPTIONAL.includes(key));
  if (!complete) return "not every part of a chromosome is there";
  const { id, label, state, order, angle, flip, probabilities, flags, reviewed, source } = chromosome;
  if (typeof id !== "string" || !id.length || [...id].length > 32) return "a chromosome has no usable id";
  const right = {
    "has no known label": LABELS.includes(label),
    "is neither present nor debris": ["present", "debris"].includes(state),
    "has no place": Number.isInteger(order) && order >= 0,
    "has no usable angle": Number.isFinite(angle) && angle >= 0 && angle < 360,
    "is neither flipped nor not": typeof flip === "boolean",
    "has no usable detection score": isShare(chromosome.detection_score),
    "has no usable score": isShare(chromosome.score),
    "has no usable probabilities":
      isObject(probabilities) &&
      Object.entries(probabilities).every(([key, value]) => LABELS.includes(key) && isShare(value)),
    "has unreadable flags": Array.isArray(flags) && flags.every((flag) => typeof flag === "string"),
    "is neither looked at nor not": typeof reviewed === "boolean",
    "has no source": ["machine", "person"].includes(source),
    "has no known role": !Object.hasOwn(chromosome, "role") || ROLES.includes(chromosome.role),
    "is neither straightened nor not": !Object.hasOwn(chromosome, "straight") || chromosome.straight === true,
  };
  for (const [fault, fine] of Object.entries(right)) if (!fine) return `${id} ${fault}`;
  if (chromosome.axis === null) return `${id} has no usable axis`;
  if (chromosome.centromere === null) return `${id} has no usable centromere`;
  const fault = shapeFault(chromosome);
  return fault && `${id} ${fault}`;
}

/** The same of rings, box, axis and centromere; the last two may be absent or null. */
export function shapeFault({ rings, box, axis = null, centromere = null }) {
  if (!Array.isArray(rings)) return "has no outline";
  for (const ring of rings) {
    if (!Array.isArray(ring) || ring.length < 3) return "has an outline of fewer than three points";
    if (!ring.every((point) => areNumbers(point, 2))) return "has an outline that is not made of points";
  }
  if (!areNumbers(box, 4)) return "has no box";
  const usable = Array.isArray(axis) && axis.length >= 2 && axis.length <= MAX_AXIS;
  if (axis !== null && !(usable && axis.every((point) => areNumbers(point, 2)))) return "has no usable axis";
  if (centromere !== null && !isShare(centromere)) return "has no usable centromere";
  return "";
}

/* What the page calls things.  One place, so that a tooltip, a screen reader and a sentence agree. */

import { isDoubtful } from "./reducer.js";

export const slotName = (slot) => (slot === "unknown" ? "?" : slot);

export const slotTitle = (slot) =>
  slot === "unknown" ? "unclassified and markers" : slot === "debris" ? "debris" : `chromosome ${slot}`;

/** What stands above a marked chromosome; its name holds the same, for whoever speaks to the page. */
export const ROLE_MARKS = { derivative: "der", marker: "mar" };

const roleWords = (role) => (role ? `, ${ROLE_MARKS[role]} (${role})` : "");

/** "Chromosome 8, copy 1, doubtful: between 8 (71 %) and X (26 %)" */
export function chromosomeName(chromosome) {
  const { label, state, order, role } = chromosome;
  const what =
    state === "debris"
      ? `Debris ${order + 1}, was ${label === "unknown" ? "unclassified" : `chromosome ${label}`}`
      : label === "unknown"
        ? `Unclassified chromosome ${order + 1}${roleWords(role)}`
        : `Chromosome ${label}, copy ${order + 1}${roleWords(role)}`;
  return isDoubtful(chromosome) ? `${what}, doubtful: ${chromosome.flags.join("; ")}` : what;
}

export const plural = (number, one, many = one + "s") => `${number} ${number === 1 ? one : many}`;

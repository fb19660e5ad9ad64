/* Asking the server to cut: what is sent, what may come back, and what the person is told when nothing does. */

import { Refused, Unreachable } from "./api.js";
import { boxAround, crosses } from "./contour.js";

const NO_ANSWER =
  "Cutting on demand does not answer just now. Nothing was changed. Try again in a moment, or use Brush, Erase and Split, which work without it.";
const NOT_HERE =
  "This server does not cut on demand. Nothing was changed. Brush, Erase and Split work without it.";
const NOTHING_FOUND = "Nothing that looks like a chromosome was found there. Draw a box closely around it.";

/** body: {box?, points?, rings?} → {rings, box, …} or null after saying why.  `quietly`: says nothing. */
export async function askCut({ api, say, quietly = false }, body) {
  const tell = (sentence) => {
    if (!quietly) say(sentence, "error");
    return null;
  };
  let answer;
  try {
    answer = await api.cut({ box: null, points: [], rings: null, ...body });
  } catch (error) {
    if (error instanceof Unreachable) return tell(NO_ANSWER);
    if (!(error instanceof Refused)) throw error;
    // An address that is not there answers without a sentence of its own.
    return tell([404, 405, 501].includes(error.status) && !error.body?.detail ? NOT_HERE : error.message);
  }
  const rings = (answer?.rings ?? []).filter((ring) => ring.length >= 3);
  if (!rings.length || crosses(rings)) return tell(NOTHING_FOUND);
  return { ...answer, rings, box: boxAround(rings) };
}

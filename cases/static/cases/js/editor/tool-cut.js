/* Asking the server to cut: what is sent, what may come back, and what the person is told when nothing does. */

import { Refused, Unreachable } from "./api.js";
import { boxAround, crosses, ringsAround } from "./contour.js";
import { maskOf } from "./raster.js";

const NO_ANSWER =
  "Cutting on demand does not answer just now. Nothing was changed. Try again in a moment, or use Brush, Erase and Split, which work without it.";
const NOT_HERE =
  "This server does not cut on demand. Nothing was changed. Brush, Erase and Split work without it.";
const NOTHING_FOUND = "Nothing that looks like a chromosome was found there. Draw a box closely around it.";

/** body: {box?, points?, rings?} → {rings, box, …} or null after saying why.  `quietly`: says nothing. */
export async function askCut({ api, say, image, quietly = false }, body) {
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
  const rings = usable(answer?.rings ?? [], image);
  return rings.length ? { ...answer, rings, box: boxAround(rings) } : tell(NOTHING_FOUND);
}

/* Outlines of a segmenter are simplified: where that made one cross itself, its area is traced anew. */
function usable(rings, image) {
  const within = (value, most) => Math.min(most, Math.max(0, value));
  const inside = rings
    .filter((ring) => ring.length >= 3)
    .map((ring) => ring.map(([x, y]) => [within(x, image.width), within(y, image.height)]));
  return crosses(inside) ? ringsAround(maskOf(inside, image)) : inside;
}

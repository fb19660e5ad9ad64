/* How chromosomes stand in a row of the sheet: with their centromeres on one line where the document knows them, as
   printed sheets show them; otherwise on the ground.  cases/reports/standing.py does the same. */

import { walkAlong } from "./density.js";
import { turned, uprightBounds } from "./shapes.js";
import { isStraightened, isUpsideDown } from "./straight.js";

/* Where the arms meet, as a share from the p end, by the band tables (a test compares); for chromosomes whose own is
   not known but that stand in a row where others' are. */
export const CENTROMERES = {
  1: 0.490, 2: 0.393, 3: 0.476, 4: 0.277, 5: 0.268, 6: 0.382, 7: 0.363, 8: 0.332,
  9: 0.331, 10: 0.325, 11: 0.420, 12: 0.281, 13: 0.185, 14: 0.194, 15: 0.210, 16: 0.427,
  17: 0.327, 18: 0.280, 19: 0.456, 20: 0.459, 21: 0.376, 22: 0.362, X: 0.376, Y: 0.242,
};
/* An estimate further than this from its class is not believed: it would only push its row apart. */
const MOST_STRAY = 0.15;
const UNCLASSIFIED = 0.4;

const knows = (chromosome) => typeof chromosome.centromere === "number";

/* Where on its axis the centromere lies; every axis is walked once. */
const walked = new WeakMap();

function pointOf({ axis, centromere }) {
  const known = walked.get(axis);
  if (known?.centromere === centromere) return known.point;
  const { x, y } = walkAlong(axis, 100).points[Math.min(99, Math.floor(centromere * 100))];
  walked.set(axis, { centromere, point: [x, y] });
  return [x, y];
}

/** How far below its top the centromere of the upright chromosome lies, in pixels of the photograph. */
export function centromereDepth(chromosome, bounds = uprightBounds(chromosome)) {
  const usual = CENTROMERES[chromosome.label] ?? UNCLASSIFIED;
  const [least, most] = [bounds.height * Math.max(0, usual - MOST_STRAY), bounds.height * Math.min(1, usual + MOST_STRAY)];
  if (!knows(chromosome)) return bounds.height * usual;
  let depth = bounds.height * chromosome.centromere;
  if (isStraightened(chromosome)) {
    if (isUpsideDown(chromosome)) depth = bounds.height - depth;
  } else if (chromosome.axis?.length >= 2) {
    depth = turned(pointOf(chromosome), chromosome.angle, chromosome.flip)[1] - bounds.y1;
  }
  return chromosome.label === "unknown" ? depth : Math.min(most, Math.max(least, depth));
}

/**
 * For the chromosomes of one row → {above, below, lifts: Map id → pixels}: how much of the row lies above and below the
 * line of the centromeres, and how far each must be lifted off the ground, in pixels of the photograph.
 * above + below is the height of the row.  Where no centromere is known everyone stands on the ground.
 */
export function standing(chromosomes) {
  const sizes = chromosomes.map((one) => ({ one, bounds: uprightBounds(one) }));
  if (!chromosomes.some(knows))
    return { above: Math.max(0, ...sizes.map(({ bounds }) => bounds.height)), below: 0, lifts: new Map() };
  const depths = sizes.map(({ one, bounds }) => ({ one, above: centromereDepth(one, bounds), height: bounds.height }));
  const below = Math.max(...depths.map(({ above, height }) => height - above));
  return {
    above: Math.max(...depths.map((one) => one.above)),
    below,
    lifts: new Map(depths.map(({ one, above, height }) => [one.id, below - (height - above)])),
  };
}

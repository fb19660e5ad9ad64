/* What the tools' gestures become: edits of the karyogram (docs/karyogram-document.md). */

import { boxAround } from "./contour.js";
import { clientKey } from "./history.js";
import { at, maskOf } from "./raster.js";
import { slots } from "./reducer.js";

/** Whether an outline is still the one that a gesture began with; what the server sends back is a copy. */
export const sameRings = (one, other) => one === other || JSON.stringify(one) === JSON.stringify(other);

/** A chromosome with another outline and nothing else changed. */
export function reshaped(chromosome, rings, image, { axis, centromere } = {}) {
  const kept = axis === undefined ? axisKept(chromosome, rings, image) : { axis, centromere };
  return {
    op: "reshape",
    id: chromosome.id,
    rings,
    box: boxAround(rings),
    axis: kept.axis ?? null,
    centromere: kept.centromere ?? null,
  };
}

/* The line along its middle stays while it still runs inside from end to end. */
function axisKept({ axis, centromere }, rings, image) {
  if (!axis) return {};
  const mask = maskOf(rings, image);
  const inner = axis.slice(1, -1);
  const inside = inner.filter((point) => at(mask, point)).length >= inner.length;
  return inside ? { axis, centromere } : {};
}

/** An id that no chromosome of this cell has or had: ids are never used again. */
export function freshId(karyogram) {
  for (;;) {
    const id = `p${clientKey().replaceAll("-", "").slice(0, 8)}`;
    if (!karyogram.chromosomes.some((one) => one.id === id)) return id;
  }
}

/** A chromosome that a person found: at the end of the place that was suggested for it.
    cut: {rings, box?, angle?, axis?, centromere?, score?, label?, probabilities?}. */
export function added(karyogram, cut) {
  const label = cut.label || "unknown";
  const chromosome = {
    id: freshId(karyogram),
    label,
    state: "present",
    rings: cut.rings,
    box: boxAround(cut.rings),
    angle: cut.angle ?? uprightAngleOf(cut.rings),
    flip: false,
    detection_score: share(cut.score),
    score: share(cut.probabilities?.[label]),
    probabilities: cut.probabilities ?? {},
    flags: [],
    reviewed: true,
    source: "person",
  };
  if (cut.axis) chromosome.axis = cut.axis;
  if (cut.axis && Number.isFinite(cut.centromere)) chromosome.centromere = cut.centromere;
  return { op: "add", chromosome, index: slots(karyogram).get(label).length };
}

const share = (value) => (Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : 0);

/** Degrees clockwise that stand a shape upright, by its longest direction; which end is up it does not know. */
export function uprightAngleOf(rings) {
  const points = rings.flat();
  const [mx, my] = [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
  let [xx, yy, xy] = [0, 0, 0];
  for (const [x, y] of points) {
    xx += (x - mx) ** 2;
    yy += (y - my) ** 2;
    xy += (x - mx) * (y - my);
  }
  const direction = (Math.atan2(2 * xy, xx - yy) * 90) / Math.PI;
  return Math.round(((((90 - direction) % 180) + 180) % 180) * 100) / 100;
}

/* What the tools' gestures become: edits of the karyogram (docs/karyogram-document.md). */

import { boxAround } from "./contour.js";
import { clientKey } from "./history.js";
import { at, maskOf } from "./raster.js";
import { slots } from "./reducer.js";
import { dense } from "./split.js";

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

/** Degrees clockwise that stand a shape upright, by its longest direction: of both ways the nearer to `before`. */
export function uprightAngleOf(rings, before = 0) {
  const points = rings.flatMap((ring) => dense([...ring, ring[0]], 1));
  const [mx, my] = [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
  let [xx, yy, xy] = [0, 0, 0];
  for (const [x, y] of points) {
    xx += (x - mx) ** 2;
    yy += (y - my) ** 2;
    xy += (x - mx) * (y - my);
  }
  const direction = (Math.atan2(2 * xy, xx - yy) * 90) / Math.PI;
  const away = (angle) => Math.abs(((angle - before + 540) % 360) - 180);
  const upright = (450 - direction) % 360;
  const nearer = away(upright) <= away((upright + 180) % 360) ? upright : (upright + 180) % 360;
  return Math.round(nearer * 100) / 100;
}

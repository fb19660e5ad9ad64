/* What the tools' gestures become: edits of the karyogram (docs/karyogram-document.md). */

import { boxAround } from "./contour.js";
import { clientKey } from "./keeping.js";
import { at, maskOf } from "./raster.js";
import { slots } from "./reducer.js";
import { dense, lengthOf } from "./split.js";

const MOST_AXIS = 64; // points of a line along the middle
const MOST_GROWN = 200; // pixels by which it may go on

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

/* The line along its middle stays where the middle stayed: it loses ends that were wiped away and goes on straight into
   what was painted there.  Where it would leave the outline in between, nobody knows the middle any more. */
function axisKept({ axis, centromere }, rings, image) {
  if (!axis) return {};
  const mask = maskOf(rings, image);
  const inside = axis.map((point) => at(mask, point) === 1);
  const [from, to] = [inside.indexOf(true), inside.lastIndexOf(true)];
  // The very ends lie on the outline itself, and count as inside or not by a hair.
  const [first, last] = [Math.max(0, from - (from === 1 ? 1 : 0)), to === axis.length - 2 ? axis.length - 1 : to];
  if (from < 0 || to - from < 1 || inside.slice(from, to).includes(false)) return {};
  const middle = axis.slice(first, last + 1);
  const start = goneOn(middle, mask);
  const end = goneOn([...middle].reverse(), mask);
  const line = [...(start ? [start] : []), ...middle, ...(end ? [end] : [])];
  if (line.length > MOST_AXIS) line.splice(1, line.length - MOST_AXIS);
  const kept = { axis: line.map((point) => point.map((value) => Math.round(value * 10) / 10)) };
  if (Number.isFinite(centromere)) {
    const before = centromere * lengthOf(axis) - lengthOf(axis.slice(0, first + 1));
    const share = (before + (start ? lengthOf([start, middle[0]]) : 0)) / lengthOf(line);
    if (share > 0 && share < 1) kept.centromere = Math.round(share * 1000) / 1000;
  }
  return kept;
}

/* The point where a line that goes straight on over its first point leaves the mask; null where it does so at once. */
function goneOn(line, mask) {
  const [x, y] = line[0];
  const inner = line.find((point) => Math.hypot(point[0] - x, point[1] - y) > 3) ?? line[1];
  const length = Math.hypot(x - inner[0], y - inner[1]) || 1;
  const [dx, dy] = [(x - inner[0]) / length, (y - inner[1]) / length];
  let far = 0;
  while (far < MOST_GROWN && at(mask, [x + dx * (far + 1), y + dy * (far + 1)])) far += 0.5;
  return far >= 1 ? [x + dx * far, y + dy * far] : null;
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

/* From pixels back to outlines: tracing, simplifying, and what an outline must be to be stored.  No DOM. */

import { boundsOf } from "./shapes.js";

const TOLERANCES = [0.3, 0.15, 0.06, 0]; // pixels that a simplified outline may stray; less where it would cross itself
const LEAST_PIECE = 3; // square pixels; smaller specks and holes are nobody's intention
const MOST_RINGS = 64;
const MOST_POINTS = 4000;

/** Polygons around a mask, in pixels of the photograph, filled even-odd: outer rings and holes, none crossing another. */
export function ringsAround(mask) {
  const traced = trace(mask);
  const large = traced.filter((ring) => Math.abs(areaInside(ring)) >= LEAST_PIECE);
  large.sort((one, other) => Math.abs(areaInside(other)) - Math.abs(areaInside(one)));
  const kept = large.slice(0, MOST_RINGS);
  for (const tolerance of TOLERANCES) {
    const rings = kept.map((ring) => simplified(ring, tolerance).map(rounded)).filter((ring) => ring.length >= 3);
    if (pointsOf(rings) <= MOST_POINTS && !crosses(rings)) return rings;
  }
  // Thousands of corners that cannot be simplified without crossing: no outline that anyone has drawn.
  return [];
}

const rounded = ([x, y]) => [Math.round(x * 100) / 100, Math.round(y * 100) / 100];
const pointsOf = (rings) => rings.reduce((sum, ring) => sum + ring.length, 0);

/** {x1, y1, x2, y2} → [x1, y1, x2, y2] around rings, as a chromosome's box. */
export function boxAround(rings) {
  const { x1, y1, x2, y2 } = boundsOf(rings.flat());
  return [x1, y1, x2, y2];
}

/** Signed: positive for an outer ring as traced, negative for a hole. */
export function areaInside(ring) {
  let twice = 0;
  ring.forEach(([x2, y2], index) => {
    const [x1, y1] = ring.at(index - 1);
    twice += x1 * y2 - x2 * y1;
  });
  return twice / 2;
}

/* Follows the sides of the cells with the inside on the right.  A corner lies on the middle of a side: rings that meet
   at a corner of two cells then pass each other instead of touching. */
function trace({ left, top, width, height, fine, bits }) {
  const inside = (column, row) =>
    column >= 0 && row >= 0 && column < width && row < height && bits[row * width + column] === 1;
  // The side above, right, below, left of a cell; the way along it; and the middle of the side.
  const [ABOVE, RIGHT, BELOW, LEFT] = [0, 1, 2, 3];
  const ALONG = [[1, 0], [0, 1], [-1, 0], [0, -1]];
  const OUT = [[0, -1], [1, 0], [0, 1], [-1, 0]];
  const MIDDLE = [[0.5, 0], [1, 0.5], [0.5, 1], [0, 0.5]];
  const seen = new Uint8Array(bits.length);
  const rings = [];
  for (let start = 0; start < bits.length; start += 1) {
    if (!bits[start] || seen[start] & (1 << ABOVE)) continue;
    let [column, row, side] = [start % width, Math.floor(start / width), ABOVE];
    if (inside(column, row - 1)) continue;
    const ring = [];
    for (;;) {
      const cell = row * width + column;
      if (seen[cell] & (1 << side)) break;
      seen[cell] |= 1 << side;
      ring.push([left + (column + MIDDLE[side][0]) / fine, top + (row + MIDDLE[side][1]) / fine]);
      const [ahead, down] = [column + ALONG[side][0], row + ALONG[side][1]];
      if (!inside(ahead, down)) side = (side + 1) % 4;
      else {
        [column, row] = [ahead, down];
        const [beyond, above] = [column + OUT[side][0], row + OUT[side][1]];
        if (inside(beyond, above)) {
          [column, row] = [beyond, above];
          side = (side + 3) % 4;
        }
      }
    }
    rings.push(ring);
  }
  return rings;
}

/** A closed ring with fewer corners, none of the old ones further than `tolerance` from it (Douglas and Peucker). */
export function simplified(ring, tolerance) {
  if (ring.length < 5) return ring;
  // Two corners far from each other stay: the first, and the one furthest from it.
  let [far, most] = [0, -1];
  ring.forEach(([x, y], index) => {
    const distance = Math.hypot(x - ring[0][0], y - ring[0][1]);
    if (distance > most) [far, most] = [index, distance];
  });
  const keep = new Uint8Array(ring.length + 1);
  keep[0] = keep[far] = 1;
  const stack = [[0, far], [far, ring.length]];
  while (stack.length) {
    const [from, to] = stack.pop();
    const [start, end] = [ring[from], ring[to % ring.length]];
    let [worst, away] = [-1, Math.max(tolerance, 1e-9)];
    for (let index = from + 1; index < to; index += 1) {
      const distance = distanceToSegment(ring[index], start, end);
      if (distance > away) [worst, away] = [index, distance];
    }
    if (worst < 0) continue;
    keep[worst] = 1;
    stack.push([from, worst], [worst, to]);
  }
  return ring.filter((_, index) => keep[index]);
}

/** Pixels from a point to the nearest point of the line between two others. */
export function distanceToSegment([x, y], [x1, y1], [x2, y2]) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const squared = dx * dx + dy * dy;
  const along = squared ? Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / squared)) : 0;
  return Math.hypot(x - x1 - along * dx, y - y1 - along * dy);
}

/** Whether any two sides of the rings meet elsewhere than at a corner that they share. */
export function crosses(rings) {
  const sides = rings.flatMap((ring, number) =>
    ring.map((end, index) => {
      const start = ring.at(index - 1);
      const low = Math.min(start[0], end[0]);
      return { start, end, number, index, many: ring.length, low, high: Math.max(start[0], end[0]) };
    }),
  );
  sides.sort((one, other) => one.low - other.low);
  return sides.some((side, from) => {
    for (let next = from + 1; next < sides.length && sides[next].low <= side.high; next += 1)
      if (!beside(side, sides[next]) && meet(side, sides[next])) return true;
    return false;
  });
}

const beside = (one, other) => {
  if (one.number !== other.number) return false;
  const apart = Math.abs(one.index - other.index);
  return apart <= 1 || apart === one.many - 1;
};

const turnOf = ([x1, y1], [x2, y2], [x3, y3]) => Math.sign((x2 - x1) * (y3 - y1) - (y2 - y1) * (x3 - x1));

function meet({ start: a, end: b }, { start: c, end: d }) {
  if (Math.max(a[1], b[1]) < Math.min(c[1], d[1]) || Math.max(c[1], d[1]) < Math.min(a[1], b[1])) return false;
  const [one, two, three, four] = [turnOf(a, b, c), turnOf(a, b, d), turnOf(c, d, a), turnOf(c, d, b)];
  if (one !== two && three !== four) return true;
  const within = ([x, y], [x1, y1], [x2, y2]) =>
    x >= Math.min(x1, x2) && x <= Math.max(x1, x2) && y >= Math.min(y1, y2) && y <= Math.max(y1, y2);
  return (
    (one === 0 && within(c, a, b)) || (two === 0 && within(d, a, b)) ||
    (three === 0 && within(a, c, d)) || (four === 0 && within(b, c, d))
  );
}

/** Whether a point lies inside the rings, even-odd. */
export function contains(rings, [x, y]) {
  let inside = false;
  for (const ring of rings)
    ring.forEach(([x2, y2], index) => {
      const [x1, y1] = ring.at(index - 1);
      if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
    });
  return inside;
}

/* One outline that holds two chromosomes, made two: along a line, between two clicks, or by a line along each.  No DOM.

   Every function takes a mask (raster.js) and gives two, the larger first, or null where the gesture does not part it.
   Nothing is lost: each cell of the mask belongs to one of the two, or to both where they cross. */

import { neckBetween } from "./neck.js";
import { areaOf, at, depthOf, piecesOf } from "./raster.js";

const LEAST_SHARE = 0.02; // of the mask; a smaller part is a slip of the hand
const LEAST_PIXELS = 8;
const OVER_THE_EDGE = 4; // pixels by which a line that ends short of the edge is drawn on
const CROSSING_ROOM = 1.15; // how much wider than its chromosome a line reaches for what both keep

/** Parts the mask where a line runs right across it. */
export function splitByLine(mask, points) {
  if (points.length < 2) return null;
  const line = drawnOn(points).map(([x, y]) => [(x - mask.left) * mask.fine, (y - mask.top) * mask.fine]);
  const { width, height, bits } = mask;
  const wall = new Uint8Array(bits.length);
  const sides = new Int8Array(bits.length); // of the wall's neighbours: 1 left of the line, 2 right of it
  for (let index = 1; index < line.length; index += 1) markWall(wall, mask, line[index - 1], line[index]);
  const open = { ...mask, bits: bits.map((bit, cell) => bit & ~wall[cell] & 1) };
  const { pieces, sizes } = piecesOf(open);
  const votes = sizes.map(() => [0, 0]);
  for (let cell = 0; cell < bits.length; cell += 1) {
    if (!wall[cell] || !bits[cell]) continue;
    for (const next of around(cell, width, height)) {
      if (!pieces[next] || sides[next]) continue;
      const side = sideOf([(next % width) + 0.5, Math.floor(next / width) + 0.5], line);
      sides[next] = side + 1;
      votes[pieces[next]][side] += 1;
    }
  }
  const belongs = sizes.map((_, number) => {
    const [one, other] = votes[number];
    if (one + other === 0) return -1;
    // The line ended inside: the two sides still hang together round its end.
    if (Math.min(one, other) > 0.25 * (one + other)) return -2;
    return one >= other ? 0 : 1;
  });
  if (belongs.some((side, number) => number > 0 && side === -2)) return null;
  const owner = new Int8Array(bits.length).fill(-1);
  for (let cell = 0; cell < bits.length; cell += 1) {
    if (!pieces[cell]) continue;
    const side = belongs[pieces[cell]];
    // A fragment that the line does not touch lies on the side that its place says.
    owner[cell] = side >= 0 ? side : sideOf([(cell % width) + 0.5, Math.floor(cell / width) + 0.5], line);
  }
  spread(owner, mask);
  return pair(mask, (cell) => owner[cell] === 0, (cell) => owner[cell] === 1);
}

/** Parts the mask between two clicks, where the outline has a neck on the way from one to the other. */
export function splitBetween(mask, one, other) {
  if (!at(mask, one) || !at(mask, other)) return null;
  const neck = neckBetween(mask, one, other);
  const parts = neck && splitByLine(mask, neck);
  if (parts && at(parts[0], one) !== at(parts[0], other)) return parts;
  return grownBetween(mask, one, other);
}

/* Where no straight cut tells the two clicks apart: each takes what is nearest to it. */
function grownBetween(mask, one, other) {
  const { width, height, bits } = mask;
  const depth = depthOf(mask);
  const owner = new Int8Array(bits.length).fill(-1);
  // From both clicks at once, the widest way first: they meet at the neck.
  const steps = 1 + Math.ceil(depth.reduce((most, value) => Math.max(most, value), 0) * mask.fine);
  const waiting = Array.from({ length: steps + 1 }, () => []);
  const level = (cell) => Math.min(steps, Math.round(depth[cell] * mask.fine));
  /* A click beside the middle counts for the middle: from there the way is as wide as it gets. */
  const climb = (from, side) => {
    for (let cell = from; cell >= 0; ) {
      owner[cell] = side;
      waiting[steps].push(cell);
      const higher = around(cell, width, height).filter((next) => depth[next] > depth[cell] && owner[next] < 0);
      cell = higher.sort((a, b) => depth[b] - depth[a])[0] ?? -1;
    }
  };
  [one, other].forEach(([x, y], side) => {
    const cell = Math.floor((y - mask.top) * mask.fine) * width + Math.floor((x - mask.left) * mask.fine);
    climb(cell, side);
  });
  for (let now = steps; now >= 0; now -= 1)
    for (let index = 0; index < waiting[now].length; index += 1) {
      const cell = waiting[now][index];
      for (const next of around(cell, width, height)) {
        if (!bits[next] || owner[next] >= 0) continue;
        owner[next] = owner[cell];
        waiting[Math.min(now, level(next))].push(next);
      }
    }
  spread(owner, mask);
  return pair(mask, (cell) => owner[cell] === 0, (cell) => owner[cell] === 1);
}

/** Parts a crossing: a line along each chromosome, from end to end.  `both`: the crossing belongs to both. */
export function splitAlong(mask, first, second, both = true) {
  const { width, bits, fine } = mask;
  const depth = depthOf(mask);
  const reach = [first, second].map((line) => halfWidth(mask, depth, line));
  const lines = [first, second].map((line) => line.map(([x, y]) => [(x - mask.left) * fine, (y - mask.top) * fine]));
  const owner = new Int8Array(bits.length).fill(-1);
  for (let cell = 0; cell < bits.length; cell += 1) {
    if (!bits[cell]) continue;
    const point = [(cell % width) + 0.5, Math.floor(cell / width) + 0.5];
    const [one, other] = lines.map((line, index) => distanceTo(point, line) / fine / reach[index]);
    owner[cell] = both && one <= CROSSING_ROOM && other <= CROSSING_ROOM ? 2 : one <= other ? 0 : 1;
  }
  return pair(mask, (cell) => owner[cell] === 0 || owner[cell] === 2, (cell) => owner[cell] === 1 || owner[cell] === 2);
}

/** Whether a line is meant to run along a chromosome: it stays inside, and is longer than the chromosome is wide. */
export function runsAlong(mask, points) {
  if (points.length < 2 || !at(mask, points[0]) || !at(mask, points.at(-1))) return false;
  const inside = points.filter((point) => at(mask, point)).length / points.length;
  const widest = depthOf(mask).reduce((most, value) => Math.max(most, value), 0) * 2;
  return inside > 0.85 && lengthOf(points) > 1.5 * widest;
}

/** Pixels from the first point of a line to its last, along it. */
export function lengthOf(points) {
  let length = 0;
  for (let index = 1; index < points.length; index += 1)
    length += Math.hypot(points[index][0] - points[index - 1][0], points[index][1] - points[index - 1][1]);
  return length;
}

/** The same line with a point at least every `step` pixels. */
export function dense(points, step = 0.5) {
  const all = [points[0]];
  for (let index = 1; index < points.length; index += 1) {
    const [[x1, y1], [x2, y2]] = [points[index - 1], points[index]];
    const many = Math.max(1, Math.ceil(Math.hypot(x2 - x1, y2 - y1) / step));
    for (let part = 1; part <= many; part += 1) all.push([x1 + ((x2 - x1) * part) / many, y1 + ((y2 - y1) * part) / many]);
  }
  return all;
}

/* The line, drawn on at both ends in its own direction. */
function drawnOn(points) {
  const on = (end, inner) => {
    const length = Math.hypot(end[0] - inner[0], end[1] - inner[1]) || 1;
    return [0, 1].map((axis) => end[axis] + ((end[axis] - inner[axis]) / length) * OVER_THE_EDGE);
  };
  // The direction is taken a little way in: the last pixels of a stroke tremble.
  const inner = (from, step) => {
    let index = from;
    while (points[index + step] && Math.hypot(points[index][0] - points[from][0], points[index][1] - points[from][1]) < 3)
      index += step;
    return points[index];
  };
  return [on(points[0], inner(0, 1)), ...points, on(points.at(-1), inner(points.length - 1, -1))];
}

/* All cells that a segment passes, without a gap that a side-by-side neighbour could slip through. */
function markWall(wall, { width, height }, [x1, y1], [x2, y2]) {
  const steps = Math.max(1, Math.ceil(Math.max(Math.abs(x2 - x1), Math.abs(y2 - y1)) * 2));
  for (let step = 0; step <= steps; step += 1) {
    const column = Math.floor(x1 + ((x2 - x1) * step) / steps);
    const row = Math.floor(y1 + ((y2 - y1) * step) / steps);
    for (const [c, r] of [[column, row], [column + 1, row]])
      if (c >= 0 && r >= 0 && c < width && r < height) wall[r * width + c] = 1;
  }
}

/* 0 left of the nearest part of the line, 1 right of it. */
function sideOf([x, y], line) {
  let [best, side] = [Infinity, 0];
  for (let index = 1; index < line.length; index += 1) {
    const [[x1, y1], [x2, y2]] = [line[index - 1], line[index]];
    const distance = toSegment(x, y, x1, y1, x2, y2);
    if (distance < best) [best, side] = [distance, (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1) < 0 ? 0 : 1];
  }
  return side;
}

function toSegment(x, y, x1, y1, x2, y2) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const squared = dx * dx + dy * dy;
  const along = squared ? Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / squared)) : 0;
  return (x - x1 - along * dx) ** 2 + (y - y1 - along * dy) ** 2;
}

function distanceTo([x, y], line) {
  let best = line.length === 1 ? (x - line[0][0]) ** 2 + (y - line[0][1]) ** 2 : Infinity;
  for (let index = 1; index < line.length; index += 1)
    best = Math.min(best, toSegment(x, y, ...line[index - 1], ...line[index]));
  return Math.sqrt(best);
}

/* Half of how wide the chromosome under a line is: its middle value, so that the crossing itself does not count. */
function halfWidth(mask, depth, line) {
  const found = [];
  for (const [x, y] of dense(line)) {
    // A line that is drawn beside the middle: the deepest place near it counts.
    let deepest = 0;
    for (let dx = -3; dx <= 3; dx += 1)
      for (let dy = -3; dy <= 3; dy += 1) {
        const column = Math.floor((x + dx - mask.left) * mask.fine);
        const row = Math.floor((y + dy - mask.top) * mask.fine);
        if (column >= 0 && row >= 0 && column < mask.width && row < mask.height)
          deepest = Math.max(deepest, depth[row * mask.width + column]);
      }
    if (deepest > 0) found.push(deepest);
  }
  found.sort((one, other) => one - other);
  return found[Math.floor(found.length / 2)] ?? 1;
}

/* Gives cells of the mask that nobody owns to the nearest owner. */
function spread(owner, { bits, width, height }) {
  const queue = [];
  for (let cell = 0; cell < bits.length; cell += 1) if (owner[cell] >= 0) queue.push(cell);
  for (let index = 0; index < queue.length; index += 1)
    for (const next of around(queue[index], width, height))
      if (bits[next] && owner[next] < 0) {
        owner[next] = owner[queue[index]];
        queue.push(next);
      }
}

function around(cell, width, height) {
  const near = [];
  const column = cell % width;
  if (column > 0) near.push(cell - 1);
  if (column < width - 1) near.push(cell + 1);
  if (cell >= width) near.push(cell - width);
  if (cell < width * (height - 1)) near.push(cell + width);
  return near;
}

/* Two masks from two tests.  Slivers that hang on the other chromosome go over to it. */
function pair(mask, isOne, isOther) {
  const masks = [isOne, isOther].map((test) => ({ ...mask, bits: mask.bits.map((bit, cell) => (bit && test(cell) ? 1 : 0)) }));
  masks.forEach((one, index) => {
    const other = masks[1 - index];
    const { pieces, sizes } = piecesOf(one);
    const all = sizes.reduce((sum, size) => sum + size, 0);
    const slivers = new Set([...sizes.keys()].filter((number) => number > 0 && sizes[number] < 0.05 * all));
    if (!slivers.size) return;
    for (let cell = 0; cell < pieces.length; cell += 1)
      if (slivers.has(pieces[cell])) {
        one.bits[cell] = 0;
        other.bits[cell] = 1;
      }
  });
  const areas = masks.map(areaOf);
  const least = Math.max(LEAST_PIXELS, LEAST_SHARE * areaOf(mask));
  if (Math.min(...areas) < least) return null;
  return areas[0] >= areas[1] ? masks : masks.reverse();
}

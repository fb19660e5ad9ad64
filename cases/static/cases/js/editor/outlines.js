/* Outlines that people draw, held to what an outline in a photograph can be.  The same as cases/domain/outlines.py: both
   run the table tests/contracts/outlines.json.  The server asks again; here a person is told at once. */

import { EditRefused, chromosomeFault, isObject, shapeFault } from "./karyogram.js";

const MAX_RINGS = 64;
const MAX_POINTS = 4000;

/** Throws EditRefused where an outline in the edit is empty, too fine, leaves the image or crosses itself. */
export function checkOutlines(document, edit) {
  const singles = !isObject(edit) ? [] : edit.op === "batch" ? edit.edits : [edit];
  for (const single of Array.isArray(singles) ? singles.filter(isObject) : []) {
    if (single.op === "reshape" && !shapeFault(single)) check(document.image, single);
    if (single.op !== "add" || !isObject(single.chromosome)) continue;
    if (!chromosomeFault({ ...single.chromosome, order: 0 })) check(document.image, single.chromosome);
  }
}

function check({ width, height }, { rings, box: [x1, y1, x2, y2] }) {
  const refuse = (sentence) => {
    throw new EditRefused(sentence);
  };
  if (!rings.length) refuse("An outline has at least one ring. Nothing was changed; draw the chromosome's outline.");
  if (rings.length > MAX_RINGS || rings.reduce((sum, ring) => sum + ring.length, 0) > MAX_POINTS)
    refuse(
      `An outline has at most ${MAX_RINGS} rings and ${MAX_POINTS} points. Nothing was changed; draw it more simply.`,
    );
  if (!(x1 >= 0 && x1 < x2 && x2 <= width && y1 >= 0 && y1 < y2 && y2 <= height))
    refuse("The box of this outline leaves the photograph. Nothing was changed.");
  if (!rings.every((ring) => ring.every(([x, y]) => x >= 0 && x <= width && y >= 0 && y <= height)))
    refuse("This outline leaves the photograph. Nothing was changed; draw it inside.");
  if (rings.some(crossesItself))
    refuse("This outline crosses itself. Nothing was changed; draw it without a crossing.");
}

/** Whether two edges of the closed polygon run through each other; that corners or edges touch does not count. */
export function crossesItself(ring) {
  const [xs, ys] = [0, 1].map((axis) => ring.map((point) => point[axis]));
  const [left, top] = [xs, ys].map((values) => Math.min(...values));
  const side = Math.max(Math.max(...xs) - left, Math.max(...ys) - top) / Math.sqrt(ring.length);
  if (ring.length < 4 || side === 0) return false;
  // Edges are compared within squares of a grid, so that outlines of thousands of points stay quick.
  const squares = new Map();
  for (let edge = 0; edge < ring.length; edge += 1)
    for (const square of squaresOf(ring[edge], ring[(edge + 1) % ring.length], left, top, side)) {
      if (!squares.has(square)) squares.set(square, []);
      const others = squares.get(square);
      if (others.some((other) => cross(ring, edge, other))) return true;
      others.push(edge);
    }
  return false;
}

/* The squares that an edge runs through, and no fewer: column by column, with a hair's breadth to spare. */
function squaresOf(from, to, left, top, side) {
  const [[x1, y1], [x2, y2]] = from[0] <= to[0] ? [from, to] : [to, from];
  const found = [];
  const last = Math.floor((x2 - left) / side + 1e-6);
  for (let column = Math.floor((x1 - left) / side - 1e-6); column <= last; column += 1) {
    const [begin, end] = [Math.max(x1, left + column * side), Math.min(x2, left + (column + 1) * side)];
    const heights = x2 - x1 > side * 1e-6 ? [begin, end].map((x) => y1 + ((y2 - y1) * (x - x1)) / (x2 - x1)) : [y1, y2];
    const lowest = Math.floor((Math.max(...heights) - top) / side + 1e-6);
    for (let row = Math.floor((Math.min(...heights) - top) / side - 1e-6); row <= lowest; row += 1)
      found.push(`${column} ${row}`);
  }
  return found;
}

function cross(ring, one, other) {
  const [a, b, c, d] = [ring[one], ring[(one + 1) % ring.length], ring[other], ring[(other + 1) % ring.length]];
  return sideOf(a, b, c) * sideOf(a, b, d) < 0 && sideOf(c, d, a) * sideOf(c, d, b) < 0;
}

/* Which side of the line from a to b: 1, -1, or 0 for on it. */
const sideOf = (a, b, c) => Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));

/* Where each class label stands beside its outline, so that labels hide neither each other nor the chromosomes. */

import { ringsOf } from "./shapes.js";
import { slotName } from "./words.js";

const OVER_LABEL = 60;
const OVER_CHROMOSOME = 5;
const OUTSIDE = 80;
const SIDES = 20;

const overlaps = (one, other) => one.x1 < other.x2 && other.x1 < one.x2 && one.y1 < other.y2 && other.y1 < one.y2;

function inside(rings, x, y) {
  let within = false;
  for (const ring of rings)
    for (let here = 0, before = ring.length - 1; here < ring.length; before = here, here += 1) {
      const [[x1, y1], [x2, y2]] = [ring[here], ring[before]];
      if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) within = !within;
    }
  return within;
}

/** Coarse squares of the picture, each counting the chromosomes that cover its middle. */
class Crowd {
  constructor(shapes, image, side) {
    this.side = side;
    this.columns = Math.ceil(image.width / side);
    this.rows = Math.ceil(image.height / side);
    this.squares = new Uint8Array(this.columns * this.rows);
    for (const { rings, y1, y2 } of shapes)
      for (let row = this.#at(y1, this.rows); row <= this.#at(y2, this.rows); row += 1) this.#cover(rings, row);
  }

  /* Squares of a row whose middles lie between two edges of an outline. */
  #cover(rings, row) {
    const y = (row + 0.5) * this.side;
    const edges = [];
    for (const ring of rings)
      for (let here = 0, before = ring.length - 1; here < ring.length; before = here, here += 1) {
        const [[x1, y1], [x2, y2]] = [ring[here], ring[before]];
        if (y1 > y !== y2 > y) edges.push(((x2 - x1) * (y - y1)) / (y2 - y1) + x1);
      }
    edges.sort((one, other) => one - other);
    for (let index = 0; index + 1 < edges.length; index += 2) {
      const from = Math.max(0, Math.ceil(edges[index] / this.side - 0.5));
      const to = Math.min(this.columns - 1, Math.ceil(edges[index + 1] / this.side - 0.5) - 1);
      for (let column = from; column <= to; column += 1) this.squares[row * this.columns + column] += 1;
    }
  }

  #at(value, many) {
    return Math.min(many - 1, Math.max(0, Math.floor(value / this.side)));
  }

  /** How much of the box is covered, in squares. */
  under({ x1, y1, x2, y2 }) {
    let covered = 0;
    for (let row = this.#at(y1, this.rows); row <= this.#at(y2, this.rows); row += 1)
      for (let column = this.#at(x1, this.columns); column <= this.#at(x2, this.columns); column += 1)
        covered += this.squares[row * this.columns + column];
    return covered;
  }
}

function shapeOf(chromosome) {
  const rings = ringsOf(chromosome);
  const [xs, ys] = [0, 1].map((axis) => rings.flat().map((point) => point[axis]));
  const [x1, y1, x2, y2] = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  return { rings, x1, y1, x2, y2 };
}

/* Middles of a label that touches the outer ring from outside, all around it; straight above comes first. */
function candidates({ rings, x1, y1, x2, y2 }, width, height) {
  const ring = rings.reduce((longest, one) => (one.length > longest.length ? one : longest));
  const found = [[(x1 + x2) / 2, y1 - height / 2 - 1]];
  for (let side = 0; side < SIDES; side += 1) {
    const here = Math.floor((side * ring.length) / SIDES);
    const [x, y] = ring[here];
    const [before, after] = [ring.at(here - 2), ring[(here + 2) % ring.length]];
    const [dx, dy] = [after[1] - before[1], before[0] - after[0]];
    const length = Math.hypot(dx, dy) || 1;
    for (const way of [1, -1]) {
      const [nx, ny] = [(way * dx) / length, (way * dy) / length];
      if (inside(rings, x + nx * 2, y + ny * 2)) continue;
      found.push([x + nx * (width / 2 + 3), y + ny * (height / 2 + 3)]);
    }
  }
  return found;
}

/** Map id → [x, y], the middle of its label, in pixels of the image; `size`: the height of a letter in the same. */
export function placeLabels(chromosomes, image, size) {
  const shapes = chromosomes.map(shapeOf);
  const crowd = new Crowd(shapes, image, Math.max(3, size / 3));
  const placed = [];
  const places = new Map();
  // Small ones first: they have the least room around them.
  const order = shapes.map((_, index) => index);
  order.sort((one, other) => shapes[one].y2 - shapes[one].y1 - (shapes[other].y2 - shapes[other].y1));
  for (const index of order) {
    const width = slotName(chromosomes[index].label).length * size * 0.64;
    let best = null;
    candidates(shapes[index], width, size).forEach(([x, y], rank) => {
      const box = { x1: x - width / 2, y1: y - size / 2, x2: x + width / 2, y2: y + size / 2 };
      const outside = box.x1 < 0 || box.y1 < 0 || box.x2 > image.width || box.y2 > image.height;
      const cost =
        (rank ? 2 : 0) +
        crowd.under(box) * OVER_CHROMOSOME +
        placed.filter((other) => overlaps(box, other)).length * OVER_LABEL +
        (outside ? OUTSIDE : 0);
      if (!best || cost < best.cost) best = { cost, box, point: [x, y] };
    });
    placed.push(best.box);
    places.set(chromosomes[index].id, best.point);
  }
  return places;
}

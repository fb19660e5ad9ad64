/* Geometry of outlines, and chromosomes cut out of the metaphase.  Coordinates are pixels of the original. */

import { drawStraight, isStraightened, straightBounds } from "./straight.js";

const rectangle = ([x1, y1, x2, y2]) => [[[x1, y1], [x2, y1], [x2, y2], [x1, y2]]];

/** The outline; its box where the models gave none. */
export const ringsOf = (chromosome) => (chromosome.rings.length ? chromosome.rings : rectangle(chromosome.box));

export function pathData(rings) {
  const number = (value) => +value.toFixed(2);
  return rings.map((ring) => "M" + ring.map(([x, y]) => `${number(x)} ${number(y)}`).join("L") + "Z").join("");
}

/** {x1, y1, x2, y2} around all points. */
export function boundsOf(points) {
  const bounds = { x1: Infinity, y1: Infinity, x2: -Infinity, y2: -Infinity };
  for (const [x, y] of points) {
    bounds.x1 = Math.min(bounds.x1, x);
    bounds.y1 = Math.min(bounds.y1, y);
    bounds.x2 = Math.max(bounds.x2, x);
    bounds.y2 = Math.max(bounds.y2, y);
  }
  return bounds;
}

/** Turned clockwise by `angle` degrees about the origin, then mirrored left-right if `flip`. */
export function turned([x, y], angle, flip) {
  const turn = (angle * Math.PI) / 180;
  const across = x * Math.cos(turn) - y * Math.sin(turn);
  return [flip ? -across : across, x * Math.sin(turn) + y * Math.cos(turn)];
}

/* The last answer for each outline: the whole sheet is measured with every change, and one chromosome of it is new. */
const measured = new WeakMap();
const MEASURED_BY = ["angle", "flip", "straight", "axis", "box"];

/** Where the chromosome lies once upright: {x1, y1, x2, y2, width, height} about the origin, in pixels. */
export function uprightBounds(chromosome) {
  const known = measured.get(chromosome.rings);
  if (known && MEASURED_BY.every((name) => known.of[name] === chromosome[name])) return known.bounds;
  const bounds = Object.freeze(isStraightened(chromosome) ? straightBounds(chromosome) : turnedBounds(chromosome));
  measured.set(chromosome.rings, { of: chromosome, bounds });
  return bounds;
}

function turnedBounds(chromosome) {
  const { angle, flip } = chromosome;
  const bounds = boundsOf(ringsOf(chromosome).flat().map((point) => turned(point, angle, flip)));
  return { ...bounds, width: bounds.x2 - bounds.x1, height: bounds.y2 - bounds.y1 };
}

/**
 * Draws the chromosome upright on the canvas, `scale` CSS pixels a pixel; → its size in CSS pixels.
 * detail: how many times closer it is looked at; above 2 pixels a pixel they are then shown as they are, not blurred.
 */
export function drawUpright(canvas, image, chromosome, scale, detail = 1) {
  const density = (globalThis.devicePixelRatio || 1) * detail;
  const bounds = uprightBounds(chromosome);
  const width = Math.max(1, bounds.width * scale);
  const height = Math.max(1, bounds.height * scale);
  canvas.width = Math.ceil(width * density);
  canvas.height = Math.ceil(height * density);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  const single = detail > 1 && scale * detail > 2;
  canvas.classList?.toggle("single-pixels", single);
  pen.imageSmoothingEnabled = !single;
  pen.imageSmoothingQuality = "high";
  pen.scale(scale * density, scale * density);
  pen.translate(-bounds.x1, -bounds.y1);
  if (chromosome.flip) pen.scale(-1, 1);
  if (isStraightened(chromosome)) {
    drawStraight(pen, image, chromosome, 1 / (scale * density));
    return { width, height };
  }
  pen.rotate((chromosome.angle * Math.PI) / 180);
  const outline = new Path2D(pathData(ringsOf(chromosome)));
  if (image) {
    pen.clip(outline, "evenodd");
    pen.drawImage(image, 0, 0);
  } else {
    // The photograph is missing: the shape alone still tells which is which.
    pen.fillStyle = "#aeb8c2";
    pen.fill(outline, "evenodd");
  }
  return { width, height };
}

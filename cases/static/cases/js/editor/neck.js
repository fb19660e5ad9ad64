/* Where two chromosomes that lie under one outline are to be parted, when one has been clicked and then the other.  No DOM.

   On the way from one click to the other every straight cut across is looked at.  The best is short, and its ends lie in
   notches: where two touch, the outline turns inwards; at a waist of one chromosome it hardly does. */

import { depthOf } from "./raster.js";

const DIRECTIONS = 36;
const STEEP = 0.5; // sine of the least angle between the way and a cut across it
const NOTCH_PX = 7; // radius around an end within which the notch is judged
const NOTCH_COUNTS = 0.47; // by how much of itself a cut counts as shorter, for each end that lies in a full notch
const FULL_NOTCH = 0.22; // share of the disc by which a full notch holds more than a straight edge

/** → [[x, y], [x, y]], the ends of the best cut in pixels of the photograph; null where no way leads from one to the other. */
export function neckBetween(mask, one, other) {
  const coarse = wholePixels(mask);
  const way = wayBetween(coarse, nearest(coarse, one), nearest(coarse, other));
  if (!way) return null;
  let [best, ends] = [Infinity, null];
  for (const index of inTheMiddle(coarse, way)) {
    const [x, y] = middleOf(coarse, way[index]);
    const [from, to] = [way[Math.max(0, index - 4)], way[Math.min(way.length - 1, index + 4)]].map((cell) => middleOf(coarse, cell));
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
    for (let turn = 0; turn < DIRECTIONS; turn += 1) {
      const angle = (turn * Math.PI) / DIRECTIONS;
      const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
      if (Math.abs((to[0] - from[0]) * dy - (to[1] - from[1]) * dx) < STEEP * length) continue;
      const cut = [edgeFrom(mask, [x, y], [dx, dy]), edgeFrom(mask, [x, y], [-dx, -dy])];
      const long = Math.hypot(cut[0][0] - cut[1][0], cut[0][1] - cut[1][1]);
      if (long * (1 - 2 * NOTCH_COUNTS) >= best) continue;
      const counts = long * (1 - NOTCH_COUNTS * (notch(mask, cut[0]) + notch(mask, cut[1])));
      if (counts < best) [best, ends] = [counts, cut];
    }
  }
  return ends;
}

/* The mask in whole pixels, with how deep each lies in it. */
function wholePixels(mask) {
  const [width, height] = [mask.width / mask.fine, mask.height / mask.fine];
  const depths = depthOf(mask);
  const half = Math.floor(mask.fine / 2);
  const depth = new Float32Array(width * height);
  for (let row = 0; row < height; row += 1)
    for (let column = 0; column < width; column += 1)
      depth[row * width + column] = depths[(row * mask.fine + half) * mask.width + column * mask.fine + half];
  return { left: mask.left, top: mask.top, width, height, depth };
}

const middleOf = ({ left, top, width }, cell) => [left + (cell % width) + 0.5, top + Math.floor(cell / width) + 0.5];

function nearest({ left, top, width, height, depth }, [x, y]) {
  const cell = Math.floor(y - top) * width + Math.floor(x - left);
  if (depth[cell] > 0) return cell;
  // A click on the very edge.
  return around(cell, width, height).find((next) => depth[next] > 0) ?? -1;
}

function around(cell, width, height) {
  const [column, row] = [cell % width, Math.floor(cell / width)];
  const near = [];
  for (const [dx, dy] of [[-1, 0], [1, 0], [0, -1], [0, 1], [-1, -1], [1, -1], [-1, 1], [1, 1]])
    if (column + dx >= 0 && column + dx < width && row + dy >= 0 && row + dy < height) near.push(cell + dy * width + dx);
  return near;
}

/* Cells from one to the other, along the middle of what lies between them. */
function wayBetween({ width, height, depth }, one, other) {
  if (one < 0 || other < 0) return null;
  const cost = (cell) => 2 + Math.round(60 / (1 + depth[cell]) ** 2);
  const reached = new Float64Array(depth.length).fill(Infinity);
  const before = new Int32Array(depth.length).fill(-1);
  const waiting = [[one]];
  reached[one] = 0;
  for (let spent = 0; spent < waiting.length; spent += 1)
    for (const cell of waiting[spent] ?? []) {
      if (reached[cell] !== spent) continue;
      for (const next of around(cell, width, height)) {
        const total = spent + cost(next);
        if (!(depth[next] > 0) || total >= reached[next]) continue;
        reached[next] = total;
        before[next] = cell;
        (waiting[total] ??= []).push(next);
      }
    }
  if (reached[other] === Infinity) return null;
  const way = [other];
  while (way.at(-1) !== one) way.push(before[way.at(-1)]);
  return way.reverse();
}

/* Where on the way a cut may lie: not beside a click, which is meant for the middle of a chromosome. */
function inTheMiddle(coarse, way) {
  const ends = [way[0], way.at(-1)];
  const far = (cell, end) => {
    const [[x1, y1], [x2, y2]] = [middleOf(coarse, cell), middleOf(coarse, end)];
    return Math.hypot(x1 - x2, y1 - y2) >= Math.min(6, coarse.depth[end]);
  };
  const free = [...way.keys()].filter((index) => ends.every((end) => far(way[index], end)));
  return free.length ? free : [Math.floor(way.length / 2)];
}

/* The last point inside the mask on a ray from a point inside. */
function edgeFrom(mask, [x, y], [dx, dy]) {
  let reach = 0;
  while (inside(mask, x + (reach + 0.5) * dx, y + (reach + 0.5) * dy)) reach += 0.5;
  return [x + reach * dx, y + reach * dy];
}

function inside({ left, top, width, height, fine, bits }, x, y) {
  const [column, row] = [Math.floor((x - left) * fine), Math.floor((y - top) * fine)];
  return column >= 0 && row >= 0 && column < width && row < height && bits[row * width + column] === 1;
}

/* 1 where the outline turns sharply inwards, 0 along a straight edge, below 0 at a corner that sticks out. */
function notch(mask, [x, y]) {
  let [within, all] = [0, 0];
  for (let dy = -NOTCH_PX; dy <= NOTCH_PX; dy += 1)
    for (let dx = -NOTCH_PX; dx <= NOTCH_PX; dx += 1) {
      if (dx * dx + dy * dy > NOTCH_PX * NOTCH_PX) continue;
      all += 1;
      if (inside(mask, x + dx, y + dy)) within += 1;
    }
  return Math.max(-1, Math.min(1, (within / all - 0.5) / FULL_NOTCH));
}

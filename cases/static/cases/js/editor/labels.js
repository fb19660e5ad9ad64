/* Where each class label stands beside its outline, so that labels hide neither each other nor the chromosomes. */

import { boundsOf, ringsOf } from "./shapes.js";
import { slotName } from "./words.js";

const OVER_LABEL = 40;
const OVER_OUTLINE = 3;
const OUTSIDE = 60;

const overlaps = (one, other) => one.x1 < other.x2 && other.x1 < one.x2 && one.y1 < other.y2 && other.y1 < one.y2;

/* Points around a box, nearest first: above, right, below, left, then the corners. */
function candidates({ x1, y1, x2, y2 }, width, height) {
  const [middle, centre] = [(x1 + x2) / 2, (y1 + y2) / 2];
  const [across, up] = [width / 2 + 2, height / 2 + 2];
  return [
    [middle, y1 - up],
    [x2 + across, centre],
    [middle, y2 + up],
    [x1 - across, centre],
    [x2 + across / 2, y1 - up / 2],
    [x1 - across / 2, y1 - up / 2],
    [x2 + across / 2, y2 + up / 2],
    [x1 - across / 2, y2 + up / 2],
    [x2 + across, y1 + height],
    [x1 - across, y1 + height],
    [x2 + across, y2 - height],
    [x1 - across, y2 - height],
    [middle, centre],
  ];
}

/** Map id → [x, y], the middle of its label, in pixels of the image; `size`: the height of a letter in the same. */
export function placeLabels(chromosomes, image, size) {
  const outlines = chromosomes.map((chromosome) => ringsOf(chromosome).flat());
  const cell = Math.max(8, size);
  const crowd = new Map();
  const key = (x, y) => Math.floor(x / cell) * 65536 + Math.floor(y / cell);
  for (const points of outlines)
    for (const [x, y] of points) crowd.set(key(x, y), (crowd.get(key(x, y)) ?? 0) + 1);
  const crowding = (box) => {
    let many = 0;
    for (let x = box.x1; x < box.x2 + cell; x += cell)
      for (let y = box.y1; y < box.y2 + cell; y += cell)
        many += Math.min(3, crowd.get(key(Math.min(x, box.x2), Math.min(y, box.y2))) ?? 0);
    return many;
  };
  const placed = [];
  const places = new Map();
  // Small ones first: they have the least room around them.
  const order = chromosomes.map((_, index) => index).sort((one, other) => outlines[one].length - outlines[other].length);
  for (const index of order) {
    const width = slotName(chromosomes[index].label).length * size * 0.62 + 2;
    let best = null;
    candidates(boundsOf(outlines[index]), width, size).forEach(([x, y], rank) => {
      const box = { x1: x - width / 2, y1: y - size / 2, x2: x + width / 2, y2: y + size / 2 };
      const outside = box.x1 < 0 || box.y1 < 0 || box.x2 > image.width || box.y2 > image.height;
      const cost =
        rank * 0.4 +
        crowding(box) * OVER_OUTLINE +
        placed.filter((other) => overlaps(box, other)).length * OVER_LABEL +
        (outside ? OUTSIDE : 0);
      if (!best || cost < best.cost) best = { cost, box, point: [x, y] };
    });
    placed.push(best.box);
    places.set(chromosomes[index].id, best.point);
  }
  return places;
}

/* How dark a chromosome is along its length: along its axis where the document knows one, else from top to bottom as
   it stands.  Measured on the photograph as it came, never on the one that sliders have changed. */

import { boundsOf, drawUpright, pathData, ringsOf } from "./shapes.js";

const CLOSER = 2; // sampled at this many places a pixel

/** → {places, values}: `places` even places from the p end, `values` darkness 0..1 between its lightest and darkest. */
export function densityProfile(image, chromosome, places = 160) {
  const { axis } = chromosome;
  const raw = axis?.length >= 2 ? alongAxis(image, chromosome, places) : fromTheTop(image, chromosome, places);
  return normalised(raw);
}

function normalised(raw) {
  const known = raw.filter((value) => value !== null).sort((one, other) => one - other);
  if (known.length < 8) return raw.map(() => 0);
  const [low, high] = [known[Math.floor(known.length * 0.03)], known[Math.ceil(known.length * 0.97) - 1]];
  return raw.map((value) => (value === null ? 0 : Math.min(1, Math.max(0, (value - low) / (high - low || 1)))));
}

/* Mean grey of each stretch, turned over so that dark is high; null where no pixel lies. */
function meansOf(sums, weights, darkGround) {
  return sums.map((sum, index) => (weights[index] ? (darkGround ? sum / weights[index] : 255 - sum / weights[index]) : null));
}

function pixelsOf(canvas) {
  return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
}

/* Bright chromosomes on a dark ground: what lies around the outline says so. */
function isDarkGround(image, chromosome) {
  const { x1, y1, x2, y2 } = boundsOf(ringsOf(chromosome).flat());
  const [width, height] = [Math.max(1, Math.ceil(x2 - x1)), Math.max(1, Math.ceil(y2 - y1))];
  const canvas = new OffscreenCanvas(width, height);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(image, -x1, -y1);
  const path = new Path2D(pathData(ringsOf(chromosome)));
  const data = pixelsOf(canvas);
  const [sum, many] = [[0, 0], [0, 0]];
  for (let y = 0; y < height; y += 2)
    for (let x = 0; x < width; x += 2) {
      const side = pen.isPointInPath(path, x + x1, y + y1, "evenodd") ? 1 : 0;
      sum[side] += data[(y * width + x) * 4];
      many[side] += 1;
    }
  return many[0] > 20 && many[1] > 0 && sum[0] / many[0] < sum[1] / many[1];
}

function fromTheTop(image, chromosome, places) {
  const canvas = document.createElement("canvas");
  drawUpright(canvas, image, chromosome, CLOSER);
  const data = pixelsOf(canvas);
  const [sums, weights] = [new Array(places).fill(0), new Array(places).fill(0)];
  for (let y = 0; y < canvas.height; y += 1) {
    const place = Math.min(places - 1, Math.floor((y / canvas.height) * places));
    for (let x = 0; x < canvas.width; x += 1) {
      const at = (y * canvas.width + x) * 4;
      if (data[at + 3] < 200) continue;
      sums[place] += data[at];
      weights[place] += 1;
    }
  }
  return meansOf(sums, weights, isDarkGround(image, chromosome));
}

/** Points at even steps of the way along a line [[x, y], …], with the direction of travel: [{x, y, dx, dy}, …]. */
export function walkAlong(line, steps) {
  const lengths = line.slice(1).map(([x, y], index) => Math.hypot(x - line[index][0], y - line[index][1]));
  const whole = lengths.reduce((sum, one) => sum + one, 0);
  const found = [];
  let [segment, gone] = [0, 0];
  for (let step = 0; step < steps; step += 1) {
    const wanted = (whole * (step + 0.5)) / steps;
    while (segment < lengths.length - 1 && gone + lengths[segment] < wanted) {
      gone += lengths[segment];
      segment += 1;
    }
    const [[x0, y0], [x1, y1]] = [line[segment], line[segment + 1]];
    const share = lengths[segment] ? (wanted - gone) / lengths[segment] : 0;
    const [dx, dy] = [(x1 - x0) / (lengths[segment] || 1), (y1 - y0) / (lengths[segment] || 1)];
    found.push({ x: x0 + (x1 - x0) * share, y: y0 + (y1 - y0) * share, dx, dy });
  }
  return { points: found, length: whole };
}

function alongAxis(image, chromosome, places) {
  const bounds = boundsOf(ringsOf(chromosome).flat());
  const [left, top] = [Math.floor(bounds.x1) - 2, Math.floor(bounds.y1) - 2];
  const [width, height] = [Math.ceil(bounds.x2) - left + 2, Math.ceil(bounds.y2) - top + 2];
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.translate(-left, -top);
  const path = new Path2D(pathData(ringsOf(chromosome)));
  pen.clip(path, "evenodd");
  pen.drawImage(image, 0, 0);
  const data = pixelsOf(canvas);
  const { points, length } = walkAlong(chromosome.axis, places);
  // No further to the sides than a chromosome is wide: a bend's other limb lies beyond.
  const reach = Math.max(4, Math.round((0.75 * area(chromosome)) / Math.max(1, length)));
  const [sums, weights] = [[], []];
  for (const { x, y, dx, dy } of points) {
    let [sum, weight] = [0, 0];
    for (const side of [-1, 1])
      for (let step = side < 0 ? 1 : 0; step <= reach; step += 1) {
        const [px, py] = [Math.round(x - left - side * step * dy - 0.5), Math.round(y - top + side * step * dx - 0.5)];
        const at = (py * width + px) * 4;
        if (px < 0 || py < 0 || px >= width || py >= height || data[at + 3] < 200) break; // the edge
        sum += data[at];
        weight += 1;
      }
    sums.push(sum);
    weights.push(weight);
  }
  return meansOf(sums, weights, isDarkGround(image, chromosome));
}

function area(chromosome) {
  const one = (ring) => ring.reduce((sum, [x, y], index) => sum + x * ring[(index + 1) % ring.length][1] - ring[(index + 1) % ring.length][0] * y, 0) / 2;
  return Math.max(...ringsOf(chromosome).map((ring) => Math.abs(one(ring))));
}

/** How well two patterns agree, -1 to 1: the correlation, at the best of small shifts along the chromosome. */
export function agreement(measured, expected, most = 0.03) {
  const reach = Math.round(most * measured.length);
  let best = -1;
  for (let shift = -reach; shift <= reach; shift += 1) {
    const from = Math.max(0, shift);
    const one = measured.slice(from, measured.length + Math.min(0, shift));
    best = Math.max(best, correlation(one, expected.slice(from - shift, from - shift + one.length)));
  }
  return best;
}

function correlation(one, other) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [a, b] = [mean(one), mean(other)];
  let [ab, aa, bb] = [0, 0, 0];
  one.forEach((value, index) => {
    const [u, v] = [value - a, other[index] - b];
    ab += u * v;
    aa += u * u;
    bb += v * v;
  });
  return aa && bb ? ab / Math.sqrt(aa * bb) : 0;
}

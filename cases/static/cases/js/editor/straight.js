/* A chromosome unrolled along its axis: arc length and width as they are, only its own pixels, drawn in strips.
   For the eye: the photograph and the outline stay as they are.  cases/reports/straight.py does the same for the
   printed sheet; a test compares them. */

/** Whether the chromosome is to be shown straight, and can be. */
export const isStraightened = ({ straight, axis, rings }) => Boolean(straight) && axis?.length >= 2 && rings.length > 0;

const lengthsOf = (line) => line.slice(1).map(([x, y], index) => Math.hypot(x - line[index][0], y - line[index][1]));

const mean = (points) => points.reduce(([x, y], one) => [x + one[0] / points.length, y + one[1] / points.length], [0, 0]);

const unit = ([x, y]) => {
  const size = Math.max(Math.hypot(x, y), 1e-9);
  return [x / size, y / size];
};

/** Whether its angle, as a person may have set it, puts the p half below the q half. */
export function isUpsideDown({ axis, angle }) {
  const half = Math.floor(axis.length / 2);
  const [p, q] = [mean(axis.slice(0, half)), mean(axis.slice(-half))];
  const turn = (angle * Math.PI) / 180;
  return (q[0] - p[0]) * Math.sin(turn) + (q[1] - p[1]) * Math.cos(turn) < 0;
}

/**
 * The view in `rows` rows, the end that stands on top first → {rows: [{x, y, across, down, left, right}, …], length},
 * pixels of the photograph: a row's middle, unit vectors to its right and downwards, and how far the chromosome reaches
 * to either side (0 where the axis leaves the outline).
 */
export function unrolledRows(chromosome, rows) {
  const line = isUpsideDown(chromosome) ? [...chromosome.axis].reverse() : chromosome.axis;
  const lengths = lengthsOf(line);
  const whole = lengths.reduce((sum, one) => sum + one, 0);
  const along = lengths.map((_, index) => unit([line[index + 1][0] - line[index][0], line[index + 1][1] - line[index][1]]));
  // At a corner of the axis its direction is the mean of both sides': rows then turn by and by.
  const corners = line.map((_, index) => {
    const [before, after] = [along[Math.max(0, index - 1)], along[Math.min(along.length - 1, index)]];
    return unit([before[0] + after[0], before[1] + after[1]]);
  });
  const found = [];
  let [segment, gone] = [0, 0];
  for (let row = 0; row < rows; row += 1) {
    const place = ((row + 0.5) / rows) * whole;
    while (segment < lengths.length - 1 && gone + lengths[segment] < place) {
      gone += lengths[segment];
      segment += 1;
    }
    const share = lengths[segment] ? (place - gone) / lengths[segment] : 0;
    const between = (points) => [0, 1].map((axis) => points[segment][axis] + share * (points[segment + 1][axis] - points[segment][axis]));
    const [x, y] = between(line);
    const down = unit(between(corners));
    const across = [down[1], -down[0]];
    found.push({ x, y, across, down, ...reaches(chromosome.rings, [x, y], across, down) });
  }
  // A neighbour that was cut out along with it would be drawn as a spike: no side is wider than the whole usually is.
  const most = found.map(({ left, right }) => left + right).sort((a, b) => a - b)[Math.floor(rows / 2)];
  for (const row of found) [row.left, row.right] = [Math.min(row.left, most), Math.min(row.right, most)];
  return { rows: found, length: whole };
}

/* To the nearest edge of the outline on either side; what lies beyond is another limb's. */
function reaches(rings, [x, y], across, down) {
  let [left, right, toTheRight] = [Infinity, Infinity, 0];
  for (const ring of rings) {
    let [px, py] = ring[ring.length - 1];
    let below = (px - x) * down[0] + (py - y) * down[1];
    for (const [nx, ny] of ring) {
      const next = (nx - x) * down[0] + (ny - y) * down[1];
      if (below > 0 !== next > 0) {
        const share = below / (below - next);
        const beside = (px + share * (nx - px) - x) * across[0] + (py + share * (ny - py) - y) * across[1];
        if (beside > 0) {
          right = Math.min(right, beside);
          toTheRight += 1;
        } else left = Math.min(left, -beside);
      }
      [px, py, below] = [nx, ny, next];
    }
  }
  return toTheRight % 2 && Number.isFinite(left) ? { left, right } : { left: 0, right: 0 };
}

/** Where the straightened chromosome lies about its own axis: {x1, y1, x2, y2, width, height}, in pixels. */
export function straightBounds(chromosome) {
  const length = lengthsOf(chromosome.axis).reduce((sum, one) => sum + one, 0);
  const { rows } = unrolledRows(chromosome, Math.max(8, Math.ceil(length / 2)));
  const half = Math.max(0.5, ...rows.map(({ left, right }) => Math.max(left, right)));
  return { x1: -half, y1: 0, x2: half, y2: length, width: 2 * half, height: length };
}

/**
 * Draws it on a context whose origin is the middle of the upper end, a unit a pixel of the photograph (flip included).
 * finest: the height of a strip in those units.  Without an image the shape alone.
 */
export function drawStraight(pen, image, chromosome, finest) {
  const length = lengthsOf(chromosome.axis).reduce((sum, one) => sum + one, 0);
  const count = Math.max(1, Math.min(2000, Math.ceil(length / finest)));
  const { rows } = unrolledRows(chromosome, count);
  const height = length / count;
  pen.fillStyle = "#aeb8c2";
  rows.forEach(({ x, y, across, down, left, right }, row) => {
    if (left + right <= 0) return;
    pen.save();
    pen.beginPath();
    // A little more than the strip, so that no seam shows between it and the next.
    pen.rect(-left, row * height, left + right, height + (row + 1 < count ? 0.5 * height : 0));
    if (image) {
      pen.clip();
      const middle = (row + 0.5) * height;
      pen.transform(across[0], down[0], across[1], down[1], -(across[0] * x + across[1] * y), middle - (down[0] * x + down[1] * y));
      pen.drawImage(image, 0, 0);
    } else pen.fill();
    pen.restore();
  });
}

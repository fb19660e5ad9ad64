/* Outlines as pixels, and what can be done with them: painting, erasing, joining, finding pieces.  No DOM.

   A mask is a window of the photograph: {left, top, width, height, fine, bits}.  left, top: its corner in whole pixels
   of the photograph; width, height: its size in cells, of which `fine` by `fine` make one pixel; bits: Uint8Array, 0 or 1,
   row by row.  Cells are smaller than pixels so that an outline that is painted on keeps its shape elsewhere. */

export const FINE = 4;

/** An empty mask over {x1, y1, x2, y2}, whole pixels, no further than the image {width, height}. */
export function emptyMask(bounds, image, fine = FINE) {
  const left = Math.max(0, Math.floor(bounds.x1));
  const top = Math.max(0, Math.floor(bounds.y1));
  const right = Math.min(image.width, Math.ceil(bounds.x2));
  const bottom = Math.min(image.height, Math.ceil(bounds.y2));
  const width = Math.max(0, right - left) * fine;
  const height = Math.max(0, bottom - top) * fine;
  return { left, top, width, height, fine, bits: new Uint8Array(width * height) };
}

export const copyOf = (mask) => ({ ...mask, bits: mask.bits.slice() });

/** The same shape over a window that holds these bounds as well; itself where it does already. */
export function grown(mask, bounds, image) {
  const { left, top, fine } = mask;
  const right = left + mask.width / fine;
  const bottom = top + mask.height / fine;
  const wanted = {
    x1: Math.min(left, bounds.x1),
    y1: Math.min(top, bounds.y1),
    x2: Math.max(right, bounds.x2),
    y2: Math.max(bottom, bounds.y2),
  };
  const larger = emptyMask(wanted, image, fine);
  if (larger.width === mask.width && larger.height === mask.height) return mask;
  const [across, down] = [(left - larger.left) * fine, (top - larger.top) * fine];
  for (let row = 0; row < mask.height; row += 1)
    larger.bits.set(
      mask.bits.subarray(row * mask.width, (row + 1) * mask.width),
      (row + down) * larger.width + across,
    );
  return larger;
}

/** The mask of rings, filled even-odd as the server fills them: a cell counts when its middle lies inside. */
export function maskOf(rings, image, { margin = 2, fine = FINE } = {}) {
  const points = rings.flat();
  const bounds = { x1: Infinity, y1: Infinity, x2: -Infinity, y2: -Infinity };
  for (const [x, y] of points) {
    bounds.x1 = Math.min(bounds.x1, x - margin);
    bounds.y1 = Math.min(bounds.y1, y - margin);
    bounds.x2 = Math.max(bounds.x2, x + margin);
    bounds.y2 = Math.max(bounds.y2, y + margin);
  }
  if (!points.length) return emptyMask({ x1: 0, y1: 0, x2: 0, y2: 0 }, image, fine);
  const mask = emptyMask(bounds, image, fine);
  const crossings = Array.from({ length: mask.height }, () => []);
  for (const ring of rings)
    ring.forEach(([x2, y2], index) => {
      const [x1, y1] = ring.at(index - 1);
      const [fromY, toY] = [(y1 - mask.top) * fine, (y2 - mask.top) * fine];
      if (fromY === toY) return;
      const first = Math.max(0, Math.ceil(Math.min(fromY, toY) - 0.5));
      const last = Math.min(mask.height, Math.ceil(Math.max(fromY, toY) - 0.5));
      for (let row = first; row < last; row += 1) {
        const share = (row + 0.5 - fromY) / (toY - fromY);
        crossings[row].push((x1 + share * (x2 - x1) - mask.left) * fine);
      }
    });
  crossings.forEach((row, index) => {
    row.sort((one, other) => one - other);
    for (let pair = 0; pair + 1 < row.length; pair += 2) {
      const from = Math.max(0, Math.ceil(row[pair] - 0.5));
      const to = Math.min(mask.width, Math.ceil(row[pair + 1] - 0.5));
      if (to > from) mask.bits.fill(1, index * mask.width + from, index * mask.width + to);
    }
  });
  return mask;
}

/** Paints (value 1) or wipes (0) everything within `radius` pixels of the line through `points`, in place. */
export function stamp(mask, points, radius, value = 1) {
  const { fine, width, height, bits } = mask;
  const reach = radius * fine;
  const cells = points.map(([x, y]) => [(x - mask.left) * fine, (y - mask.top) * fine]);
  for (let index = cells.length > 1 ? 1 : 0; index < cells.length; index += 1) {
    const [x2, y2] = cells[index];
    const [x1, y1] = cells[Math.max(0, index - 1)];
    const [dx, dy] = [x2 - x1, y2 - y1];
    const squared = dx * dx + dy * dy;
    const lastRow = Math.min(height - 1, Math.floor(Math.max(y1, y2) + reach));
    const lastColumn = Math.min(width - 1, Math.floor(Math.max(x1, x2) + reach));
    for (let row = Math.max(0, Math.floor(Math.min(y1, y2) - reach)); row <= lastRow; row += 1)
      for (let column = Math.max(0, Math.floor(Math.min(x1, x2) - reach)); column <= lastColumn; column += 1) {
        const [px, py] = [column + 0.5 - x1, row + 0.5 - y1];
        const along = squared ? Math.min(1, Math.max(0, (px * dx + py * dy) / squared)) : 0;
        if ((px - along * dx) ** 2 + (py - along * dy) ** 2 <= reach * reach) bits[row * width + column] = value;
      }
  }
  return mask;
}

/** 1 inside, 0 outside, for a point of the photograph. */
export function at(mask, [x, y]) {
  const column = Math.floor((x - mask.left) * mask.fine);
  const row = Math.floor((y - mask.top) * mask.fine);
  if (column < 0 || row < 0 || column >= mask.width || row >= mask.height) return 0;
  return mask.bits[row * mask.width + column];
}

/** Square pixels of the photograph. */
export function areaOf(mask) {
  let cells = 0;
  for (const bit of mask.bits) cells += bit;
  return cells / mask.fine ** 2;
}

/** One mask that covers both. */
export function union(one, other, image) {
  const bounds = {
    x1: other.left,
    y1: other.top,
    x2: other.left + other.width / other.fine,
    y2: other.top + other.height / other.fine,
  };
  const joined = copyOf(grown(one, bounds, image));
  eachCell(other, joined, (from, to) => (joined.bits[to] |= other.bits[from]));
  return joined;
}

/** Square pixels that both cover. */
export function overlap(one, other) {
  let cells = 0;
  eachCell(one, other, (from, to) => (cells += one.bits[from] & other.bits[to]));
  return cells / one.fine ** 2;
}

/** How alike two masks are: what both cover as a share of what either covers. */
export function likeness(one, other) {
  const both = overlap(one, other);
  return both / (areaOf(one) + areaOf(other) - both || 1);
}

/* run(index in one, index in other) for the cells that the two windows share; both of one fineness. */
function eachCell(one, other, run) {
  const [across, down] = [(one.left - other.left) * one.fine, (one.top - other.top) * one.fine];
  const firstRow = Math.max(0, -down);
  const lastRow = Math.min(one.height, other.height - down);
  const firstColumn = Math.max(0, -across);
  const lastColumn = Math.min(one.width, other.width - across);
  for (let row = firstRow; row < lastRow; row += 1)
    for (let column = firstColumn; column < lastColumn; column += 1)
      run(row * one.width + column, (row + down) * other.width + column + across);
}

/** Pieces that hang together by their sides: {pieces: Int32Array, 0 outside and 1 … n inside; sizes: cells of each}. */
export function piecesOf({ bits, width, height }) {
  const pieces = new Int32Array(bits.length);
  const sizes = [0];
  const stack = [];
  for (let start = 0; start < bits.length; start += 1) {
    if (!bits[start] || pieces[start]) continue;
    const number = sizes.length;
    sizes.push(0);
    pieces[start] = number;
    stack.push(start);
    while (stack.length) {
      const cell = stack.pop();
      sizes[number] += 1;
      const column = cell % width;
      const visit = (next) => {
        if (!bits[next] || pieces[next]) return;
        pieces[next] = number;
        stack.push(next);
      };
      if (column > 0) visit(cell - 1);
      if (column < width - 1) visit(cell + 1);
      if (cell >= width) visit(cell - width);
      if (cell < width * (height - 1)) visit(cell + width);
    }
  }
  return { pieces, sizes };
}

/** How far each cell lies from the outside, in pixels (two passes, a few per cent off the straight distance). */
export function depthOf({ bits, width, height, fine }) {
  const [straight, slant] = [1 / fine, Math.SQRT2 / fine];
  const depth = new Float32Array(bits.length);
  const look = (row, column) => (row < 0 || column < 0 || row >= height || column >= width ? 0 : depth[row * width + column]);
  for (let row = 0; row < height; row += 1)
    for (let column = 0; column < width; column += 1) {
      if (!bits[row * width + column]) continue;
      depth[row * width + column] = Math.min(
        look(row, column - 1) + straight,
        look(row - 1, column) + straight,
        look(row - 1, column - 1) + slant,
        look(row - 1, column + 1) + slant,
      );
    }
  for (let row = height - 1; row >= 0; row -= 1)
    for (let column = width - 1; column >= 0; column -= 1) {
      const cell = row * width + column;
      if (!bits[cell]) continue;
      depth[cell] = Math.min(
        depth[cell],
        look(row, column + 1) + straight,
        look(row + 1, column) + straight,
        look(row + 1, column + 1) + slant,
        look(row + 1, column - 1) + slant,
      );
    }
  return depth;
}

/** Where the mask is widest, in pixels of the photograph; null where it is empty. */
export function deepest(mask) {
  const depth = depthOf(mask);
  const most = depth.reduce((best, value, cell) => (value > depth[best] ? cell : best), 0);
  if (!mask.bits[most]) return null;
  return [mask.left + ((most % mask.width) + 0.5) / mask.fine, mask.top + (Math.floor(most / mask.width) + 0.5) / mask.fine];
}

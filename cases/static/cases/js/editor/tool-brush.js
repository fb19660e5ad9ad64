/* Brush and eraser: the chosen chromosome's outline, painted on or wiped away.  One stroke is one change. */

import { ringsAround } from "./contour.js";
import { areaOf, copyOf, grown, maskOf, stamp } from "./raster.js";
import { pathData, ringsOf } from "./shapes.js";
import { reshaped, sameRings } from "./tool-edits.js";
import { chromosomeName } from "./words.js";

const [LEAST_RADIUS, MOST_RADIUS] = [1, 40];
const LEAST_LEFT = 12; // square pixels

/** Both tools share one radius, pixels of the photograph.  shelf: {read(), write(value)} remembers it. */
export function makeBrushes({ tools, store, history, image, say, shelf }) {
  const known = Number(shelf.read());
  const size = { radius: known >= LEAST_RADIUS && known <= MOST_RADIUS ? known : 4 };
  return [new Brush("brush", 1), new Brush("erase", 0)];

  function Brush(id, value) {
    let before = null;
    let work = null; // {mask, done, id}
    const paints = value === 1;
    const range = document.createElement("input");
    const read = document.createElement("output");

    function resizeTo(radius) {
      size.radius = Math.min(MOST_RADIUS, Math.max(LEAST_RADIUS, radius));
      shelf.write(size.radius);
      range.value = size.radius;
      read.textContent = `${size.radius * 2} px`;
      tools.refresh();
    }

    function paint(points) {
      const { selected } = store;
      if (work && work.id !== selected?.id) return null;
      if (!work) {
        before = maskOf(ringsOf(selected), image);
        work = { mask: copyOf(before), done: 0, id: selected.id, rings: selected.rings };
      }
      const fresh = points.slice(Math.max(0, work.done - 1));
      if (paints) work.mask = grown(work.mask, around(fresh, size.radius + 2), image);
      stamp(work.mask, fresh, size.radius, value);
      work.done = points.length;
      return ringsAround(work.mask);
    }

    return {
      id,
      get radius() {
        return size.radius;
      },
      hint: () =>
        !store.selected
          ? `Click the chromosome to ${paints ? "paint on" : "erase from"}.`
          : paints
            ? "Drag to paint on it."
            : "Drag to wipe from it.",
      options(element) {
        const label = document.createElement("label");
        Object.assign(range, { type: "range", min: LEAST_RADIUS, max: MOST_RADIUS, step: 1 });
        range.setAttribute("aria-label", "Width of the brush");
        range.oninput = () => resizeTo(Number(range.value));
        range.onchange = () => range.blur();
        label.append("Width", range, read);
        label.title = "[ and ], or the wheel with Alt";
        element.append(label);
        resizeTo(size.radius);
      },
      resize: (by) => resizeTo(size.radius + by),
      key(key) {
        if (key === "[" || key === "]") resizeTo(size.radius + (key === "]" ? 1 : -1));
        return key === "[" || key === "]";
      },
      pressed(point) {
        if (store.selected) return true;
        const id = tools.outlineAt(point);
        if (id) store.select(id);
        return false;
      },
      click() {},
      drag(points) {
        if (!store.selected) return;
        const rings = paint(points);
        if (rings) tools.layer.path("ghost", pathData(rings), id);
      },
      drop(points) {
        const rings = store.selected ? paint(points) : null;
        const stroke = work;
        work = null;
        tools.layer.path("ghost", null);
        if (!rings) return;
        const { selected: chromosome } = store;
        if (!sameRings(chromosome.rings, stroke.rings)) {
          say("This chromosome was changed meanwhile; your stroke was left out. Please draw it again.", "info");
          return;
        }
        const kept = areaOf(stroke.mask);
        if (!rings.length || kept < LEAST_LEFT) {
          say("Nothing of this chromosome would be left, so it was kept. Press Del to make it debris.", "info");
          return;
        }
        // Painted where it was already, or wiped where it was not.
        if (Math.abs(kept - areaOf(before)) < 0.5) return;
        if (history.edit(reshaped(chromosome, rings, image)))
          say(`Outline changed. ${chromosomeName(chromosome)}`, "quiet");
      },
      giveUp() {
        work = null;
        tools.layer.path("ghost", null);
      },
    };
  }
}

function around(points, margin) {
  const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
  return {
    x1: Math.min(...xs) - margin,
    y1: Math.min(...ys) - margin,
    x2: Math.max(...xs) + margin,
    y2: Math.max(...ys) + margin,
  };
}

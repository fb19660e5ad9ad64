/* Ideograms: what the bands of a chromosome look like at 400, 550 or 850 bands, as small SVG.  Black and white, p arm
   up, the centromere pinched and hatched.  The tables are cases/static/cases/bands.json (cases/domain/bands.py reads
   the same file).  Any page may use this module. */

const SVG = "http://www.w3.org/2000/svg";
export const LEVELS = [400, 550, 850];
const GREY = { gneg: "#fff", gpos25: "#c9c9c9", gpos50: "#939393", gpos75: "#5b5b5b", gpos100: "#1d1d1d", stalk: "#fff" };
/* How dark a band is after Giemsa, 0 to 1; variable regions and centromeres are drawn hatched and count as middling. */
const DARK = { gneg: 0, gpos25: 0.25, gpos50: 0.5, gpos75: 0.75, gpos100: 1, gvar: 0.6, acen: 0.55, stalk: 0.15 };
const PINCH = { acen: 0.45, stalk: 0.5 };

let table = null;

/** Loads the band tables once; bandsOf works from then on. */
export function loadBands() {
  table ??= fetch(new URL("../../bands.json", import.meta.url)).then((answer) => {
    if (!answer.ok) throw new Error("The band tables could not be loaded.");
    return answer.json();
  });
  table.catch(() => (table = null)); // tried again the next time
  return table.then((read) => read.levels);
}

/** → [{arm, name, start, stop, stain}, …] from the p end, start and stop as shares of the length; null for no class. */
export function bandsOf(levels, label, level) {
  const rows = levels[level]?.[label];
  if (!rows) return null;
  const length = rows.at(-1)[2];
  return rows.map(([arm, name, stop, stain], index) => ({
    arm,
    name,
    start: (index ? rows[index - 1][2] : 0) / length,
    stop: stop / length,
    stain,
  }));
}

/** Where the arms meet, 0..1 from the p end. */
export const centromereOf = (bands) => Math.max(...bands.filter((band) => band.arm === "p").map((band) => band.stop));

/** The pattern to expect along the axis: `samples` darknesses, 0..1, p end first, blurred as optics and hands do. */
export function expectedPattern(bands, samples, blur = 0.012) {
  const raw = Array.from({ length: samples }, (_, index) => {
    const at = (index + 0.5) / samples;
    return DARK[bands.find((band) => at < band.stop)?.stain ?? "gneg"];
  });
  const reach = Math.max(1, Math.round(blur * 3 * samples));
  return raw.map((_, index) => {
    let [sum, weight] = [0, 0];
    for (let step = -reach; step <= reach; step += 1) {
      const value = raw[index + step];
      if (value === undefined) continue;
      const share = Math.exp(-0.5 * (step / (blur * samples)) ** 2);
      sum += share * value;
      weight += share;
    }
    return sum / weight;
  });
}

function make(name, parent, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

/* The outline from the p end to the q end and back: rounded ends, a waist at the centromere, thin stalks. */
function outline(bands, left, width, height) {
  const right = left + width;
  const round = Math.min(width / 2, height * 0.06);
  const middle = centromereOf(bands) * height;
  const around = bands.filter((band) => band.stain === "acen");
  const waist = around.length ? [around[0].start * height, around.at(-1).stop * height] : [middle - round, middle + round];
  const inset = (width * PINCH.acen) / 2;
  const side = (x, sign, down) => {
    const points = [[x, round], [x, waist[0]], [x + sign * inset, middle], [x, waist[1]], [x, height - round]];
    return (down ? points : points.reverse()).map(([px, py]) => `L${px} ${py}`).join("");
  };
  return (
    `M${left + round} 0H${right - round}Q${right} 0 ${right} ${round}${side(right, -1, true)}` +
    `Q${right} ${height} ${right - round} ${height}H${left + round}Q${left} ${height} ${left} ${height - round}` +
    `${side(left, 1, false)}Q${left} 0 ${left + round} 0Z`
  );
}

let drawn = 0;

/**
 * An <svg> of the chromosome, `height` CSS pixels tall; null where the label is no class.
 * names: band names at its right, as many as fit.
 */
export function ideogram(levels, label, { level = 550, height = 160, width = 16, names = false } = {}) {
  const bands = bandsOf(levels, label, level);
  if (!bands) return null;
  const room = names ? 46 : 0;
  const pad = 1;
  const svg = make("svg", null, {
    class: "ideogram",
    width: width + 2 * pad + room,
    height: height + 2 * pad,
    viewBox: `${-pad} ${-pad} ${width + 2 * pad + room} ${height + 2 * pad}`,
    role: "img",
    "aria-label": `Ideogram of chromosome ${label}, ${level} bands`,
  });
  drawn += 1;
  const [shape, hatch] = [`ideogram-shape-${drawn}`, `ideogram-hatch-${drawn}`];
  const definitions = make("defs", svg, {});
  const clip = make("clipPath", definitions, { id: shape });
  const line = outline(bands, 0, width, height);
  make("path", clip, { d: line });
  const pattern = make("pattern", definitions, { id: hatch, width: 4, height: 4, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  make("rect", pattern, { width: 4, height: 4, fill: "#fff" });
  make("rect", pattern, { width: 1.6, height: 4, fill: "#6d7680" });
  const body = make("g", svg, { "clip-path": `url(#${shape})` });
  for (const band of bands) {
    const [y, tall] = [band.start * height, (band.stop - band.start) * height];
    const fill = GREY[band.stain] ?? `url(#${hatch})`;
    const rect = make("rect", body, { x: 0, y, width, height: tall + 0.2, fill });
    make("title", rect, {}, `${label}${band.arm}${band.name}`);
    if (band.stain === "stalk")
      for (const x of [0, width * 0.75]) make("rect", body, { x, y, width: width * 0.25, height: tall, fill: "#aeb8c2" });
  }
  make("path", svg, { d: line, fill: "none", stroke: "#45515e", "stroke-width": 1 });
  if (names) nameBands(svg, bands, width, height);
  return svg;
}

/* Dark bands first: they are what people steer by; a name stands only where it covers no other. */
function nameBands(svg, bands, width, height) {
  const size = 9;
  const taken = [];
  const order = [...bands].sort((one, other) => DARK[other.stain] - DARK[one.stain] || other.stop - other.start - (one.stop - one.start));
  for (const band of order) {
    if (band.stain === "acen") continue;
    const y = ((band.start + band.stop) / 2) * height;
    if (y < size / 2 || y > height - size / 2 + 1 || taken.some((other) => Math.abs(other - y) < size + 1)) continue;
    taken.push(y);
    make("line", svg, { x1: width + 1, x2: width + 5, y1: y, y2: y, class: "ideogram-tick" });
    make("text", svg, { x: width + 7, y, class: "ideogram-name", "dominant-baseline": "central" }, band.arm + band.name);
  }
}

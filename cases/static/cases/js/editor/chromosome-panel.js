/* The drawer's "Chromosome" tab: the chosen chromosome and its homologues enlarged, the ideogram of its class with the
   pattern along it, what it might be, and why it is in doubt. */

import { agreement, densityProfile } from "./density.js";
import { LEVELS, bandsOf, expectedPattern, ideogram, loadBands } from "./ideogram.js";
import { isDoubtful } from "./reducer.js";
import { drawUpright, uprightBounds } from "./shapes.js";
import { standing } from "./standing.js";
import { slotName } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const PLACES = 160;
const TALL_PX = [150, 280]; // of the chromosomes and of the ideogram, by the room that there is
const OTHER_PX = 340; // what else stands in the panel
const GAP_PX = 14;
const CHART_PX = 104;
const MOST_CLOSER = 6;

function make(name, parent, attributes = {}, text) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

const percent = (share) => `${Math.round(share * 100)} %`;

/** What drawer.add takes.  view: whose `image` is the photograph as it came and whose `filter.canvas` is what is shown. */
export function chromosomePanel({ view, preferences }) {
  return {
    id: "chromosome",
    title: "Chromosome",
    key: "I",
    mount: (element, context) => new ChromosomePanel({ element, view, preferences, ...context }),
  };
}

class ChromosomePanel {
  constructor({ element, view, preferences, store, commands, drawer }) {
    Object.assign(this, { element, view, preferences, store, commands, drawer });
    this.levels = null;
    this.against = null; // another class to compare with, for the chosen chromosome
    this.frame = 0;
    this.empty = make("p", element, { class: "panel-empty quiet" }, "Choose a chromosome on either side: it is shown here enlarged beside its homologues, with the ideogram of its class.");
    this.body = make("div", element, { class: "chromosome-panel" });
    store.subscribe((state, changed) => {
      if (changed.has("selected")) this.against = null;
      if (changed.has("document") || changed.has("selected")) this.#later();
    });
    view.changed(() => this.#later());
    new ResizeObserver(() => this.#later()).observe(element);
    loadBands().then((levels) => {
      this.levels = levels;
      this.#later();
    }, () => this.#later());
  }

  #later() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (this.drawer.isOpen("chromosome")) this.#show();
    });
  }

  #show() {
    const { selected: chromosome } = this.store;
    this.empty.hidden = Boolean(chromosome);
    this.body.hidden = !chromosome;
    if (!chromosome) return;
    // Buttons are made anew each time: the keyboard stays on the one it was on.
    const focused = this.body.contains(document.activeElement) ? document.activeElement.dataset.part : null;
    this.body.replaceChildren();
    this.tall = Math.min(TALL_PX[1], Math.max(TALL_PX[0], (this.element.clientHeight - OTHER_PX) / 2));
    this.#head(chromosome);
    this.#homologues(chromosome);
    this.#pattern(chromosome);
    this.#likelihoods(chromosome);
    if (focused) this.body.querySelector(`[data-part="${focused}"]`)?.focus({ preventScroll: true });
  }

  #head(chromosome) {
    const { label, state, role } = chromosome;
    const name = state === "debris" ? "Debris" : label === "unknown" ? "Unclassified" : `Chromosome ${label}`;
    const head = make("header", this.body, { class: "panel-head" });
    make("h3", head, {}, role ? `${name}, ${role}` : name);
    const origin = chromosome.source === "person" ? "placed by a person" : `placed by the machine, ${percent(chromosome.score)} sure`;
    make("p", head, { class: "quiet" }, chromosome.reviewed && chromosome.source === "machine" ? `${origin}, kept by a person` : origin);
    if (!chromosome.flags.length) return;
    const doubtful = isDoubtful(chromosome);
    const reasons = make("ul", head, { class: doubtful ? "panel-flags doubtful" : "panel-flags" });
    for (const flag of chromosome.flags) make("li", reasons, {}, flag);
    if (!doubtful) make("p", head, { class: "quiet" }, "No doubt any more: a person has looked at it.");
  }

  #homologues(chromosome) {
    const all = this.store.state.document.chromosomes;
    const same = all.filter((one) => one.state === chromosome.state && one.label === chromosome.label);
    const together = chromosome.label === "unknown" || chromosome.state === "debris" ? [chromosome] : same.sort((one, other) => one.order - other.order);
    const sizes = together.map((one) => uprightBounds(one));
    const room = this.element.clientWidth - 32 - GAP_PX * (together.length - 1);
    const scale = Math.max(1, Math.min(MOST_CLOSER, this.tall / Math.max(...sizes.map((one) => one.height)), room / sizes.reduce((sum, one) => sum + one.width, 0)));
    const { lifts } = standing(together);
    const row = make("div", this.body, { class: "homologues" });
    for (const one of together) {
      const chosen = one.id === chromosome.id;
      const button = make("button", row, { type: "button", class: chosen ? "homologue chosen" : "homologue", "data-part": one.id });
      button.style.marginBottom = `${(lifts.get(one.id) ?? 0) * scale}px`;
      const name = together.length > 1 ? `Copy ${one.order + 1}` : "";
      button.setAttribute("aria-label", `${name || "The chosen chromosome"}${chosen && name ? ", chosen" : ""}`);
      if (chosen) button.setAttribute("aria-current", "true");
      const canvas = make("canvas", button);
      drawUpright(canvas, this.view.image ? this.view.filter.canvas : null, one, scale);
      if (name) make("span", button, {}, name);
      button.addEventListener("click", () => this.store.select(one.id));
    }
  }

  /* The ideogram, the measured profile and the expected one, all at the same heights. */
  #pattern(chromosome) {
    const label = this.against ?? likeliest(chromosome);
    const section = make("section", this.body, { class: "pattern" });
    const bar = make("div", section, { class: "pattern-bar" });
    make("h4", bar, {}, label ? `Against ${label}` : "No class to compare with");
    const levels = make("div", bar, { class: "levels", role: "group", "aria-label": "Bands of the ideogram" });
    for (const level of LEVELS) {
      const pressed = level === this.#level;
      const button = make("button", levels, { type: "button", class: "tool", "aria-pressed": String(pressed), "data-part": level, title: `Ideogram at ${level} bands` }, level);
      button.addEventListener("click", () => {
        this.preferences.set({ bands: level });
        this.#later();
      });
    }
    if (!this.levels) {
      make("p", section, { class: "quiet" }, "The band tables could not be loaded. Open the page again in a moment.");
      return;
    }
    const drawing = label && ideogram(this.levels, label, { level: this.#level, height: this.tall, width: 18, names: true });
    if (!drawing) return;
    const side = make("div", section, { class: "pattern-row" });
    side.append(drawing);
    if (!this.view.image) return;
    const measured = densityProfile(this.view.image, chromosome, PLACES);
    const expected = expectedPattern(bandsOf(this.levels, label, this.#level), PLACES);
    side.append(chart(measured, expected, this.tall));
    const [up, down] = [agreement(measured, expected), agreement([...measured].reverse(), expected)];
    const legend = make("p", section, { class: "pattern-legend quiet" });
    make("i", legend, { class: "line measured" });
    legend.append("this one ");
    make("i", legend, { class: "line expected" });
    legend.append("expected");
    const words = `Agreement ${up.toFixed(2)}; upside down it would be ${down.toFixed(2)}.`;
    make("p", section, { class: "quiet", title: "Correlation of the two lines: 1 is the same pattern, 0 none in common. For orientation only." }, words);
  }

  get #level() {
    return this.preferences.get("bands") ?? 550;
  }

  #likelihoods(chromosome) {
    const found = Object.entries(chromosome.probabilities).sort(([, one], [, two]) => two - one);
    if (!found.length) return;
    const section = make("section", this.body, { class: "likelihoods" });
    make("h4", section, {}, "What the machine thinks it is");
    const shown = this.against ?? likeliest(chromosome);
    for (const [label, share] of found.slice(0, 5)) {
      const row = make("button", section, { type: "button", class: "likelihood", "data-part": `p${label}`, "aria-pressed": String(label === shown) });
      row.title = label === "unknown" ? "" : `Show the ideogram of ${label}`;
      row.disabled = label === "unknown";
      make("b", row, {}, slotName(label));
      const bar = make("span", row, { class: "likelihood-bar" });
      make("i", bar).style.width = percent(share).replace(" ", "");
      make("span", row, { class: "quiet" }, percent(share));
      row.addEventListener("click", () => {
        this.against = label === likeliest(chromosome) ? null : label;
        this.#later();
      });
    }
  }
}

/** Its class; for an unclassified one what the machine thinks likeliest; null where nobody has an idea. */
function likeliest({ label, probabilities }) {
  if (label !== "unknown") return label;
  const known = Object.entries(probabilities).filter(([one]) => one !== "unknown");
  return known.sort(([, one], [, two]) => two - one)[0]?.[0] ?? null;
}

function chart(measured, expected, tall) {
  const svg = document.createElementNS(SVG, "svg");
  const add = (name, attributes) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    svg.append(element);
  };
  svg.setAttribute("class", "density");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "Density along the chromosome, from the p end down: measured and expected");
  svg.setAttribute("viewBox", `-1 -1 ${CHART_PX + 2} ${tall + 2}`);
  svg.setAttribute("width", CHART_PX + 2);
  svg.setAttribute("height", tall + 2);
  const at = (value, index) => `${(value * CHART_PX).toFixed(1)} ${(((index + 0.5) / PLACES) * tall).toFixed(1)}`;
  const line = (values) => `M${values.map(at).join("L")}`;
  add("path", { d: `M0 0${line(expected).replace("M", "L")}L0 ${tall}Z`, class: "density-expected" });
  add("path", { d: line(measured), class: "density-measured" });
  add("line", { x1: 0, x2: 0, y1: 0, y2: tall, class: "density-ground" });
  return svg;
}

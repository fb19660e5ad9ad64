/* The "View" popover: how the photograph is shown, in both panes alike and for the eye only. */

import { ImageFilter, RANGES, USUAL, isUsual } from "./image-filter.js";

const NAMES = { contrast: "Contrast", brightness: "Brightness", gamma: "Gamma", sharpen: "Sharpen", flatten: "Flatten background" };
const EXPLAINED = {
  contrast: "Distance between light and dark",
  brightness: "Lighter or darker altogether",
  gamma: "Lifts or deepens the middle greys; black and white stay",
  sharpen: "Crisper edges of bands",
  flatten: "Takes away uneven light behind the chromosomes",
};

function make(name, parent, attributes = {}, text) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

export class View {
  /* button: opens the popover.  popover: an empty element with the popover attribute.  spread, sheet: the panes.
     preferences: where the settings are remembered.  switches: [{label, on(), toggle()}] shown under the sliders. */
  constructor({ button, popover, spread, sheet, preferences, switches = [] }) {
    Object.assign(this, { button, popover, spread, sheet, preferences, switches });
    this.filter = new ImageFilter();
    this.settings = { ...USUAL, ...preferences.get("view") };
    this.rows = new Map();
    this.frame = 0;
    this.image = null; // the photograph as it came
    this.listeners = [];
    this.#build();
    this.#write();
  }

  /** image: decoded.  Both panes show it with the settings that hold. */
  take(image) {
    this.filter.take(image);
    this.filter.show(this.settings);
    this.spread.setPicture(this.filter.canvas);
    this.sheet.setImage(this.filter.canvas);
    this.image = image;
    this.#tell();
  }

  /** Some settings, e.g. {contrast: 180}; shown with the next frame, and remembered. */
  set(changes) {
    this.settings = { ...this.settings, ...changes };
    this.preferences.set({ view: changes });
    this.#write();
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.filter.show(this.settings);
      this.sheet.repaint();
      this.#tell();
    });
  }

  /** Calls listener() whenever the photograph looks different. */
  changed(listener) {
    this.listeners.push(listener);
  }

  #tell() {
    for (const listener of this.listeners) listener();
  }

  reset() {
    this.set({ ...USUAL });
  }

  #build() {
    const { popover, button } = this;
    make("h3", popover, { id: "view-title" }, "View");
    popover.setAttribute("aria-labelledby", "view-title");
    const grid = make("div", popover, { class: "view-rows" });
    for (const [name, [least, usual, most, step, unit]] of Object.entries(RANGES)) {
      make("label", grid, { for: name, title: EXPLAINED[name] }, NAMES[name]);
      const title = `${EXPLAINED[name]}. Double-click: ${usual}${unit && ` ${unit}`}`;
      const slider = make("input", grid, { type: "range", id: name, min: least, max: most, step, title });
      const output = make("output", grid, { for: name });
      slider.addEventListener("input", () => this.set({ [name]: Number(slider.value) }));
      slider.addEventListener("dblclick", () => this.set({ [name]: usual }));
      this.rows.set(name, { slider, output, unit });
    }
    const boxes = make("div", popover, { class: "view-switches" });
    const invert = make("input", make("label", boxes), { type: "checkbox", id: "invert" });
    invert.parentElement.append("Inverted (bright on dark)");
    invert.addEventListener("change", () => this.set({ invert: invert.checked }));
    this.invert = invert;
    for (const one of this.switches) {
      one.box = make("input", make("label", boxes), { type: "checkbox" });
      one.box.parentElement.append(one.label);
      one.box.addEventListener("change", () => one.toggle());
    }
    const foot = make("div", popover, { class: "view-foot" });
    make("p", foot, { class: "quiet" }, "For the eye only, on both sides. The photograph itself stays as it is.");
    const reset = make("button", foot, { type: "button", class: "way", id: "view-reset" }, "Reset");
    reset.addEventListener("click", () => this.reset());
    this.resetButton = reset;
    popover.addEventListener("beforetoggle", (event) => event.newState === "open" && this.#write());
    popover.addEventListener("toggle", (event) => {
      button.setAttribute("aria-expanded", String(event.newState === "open"));
      if (event.newState !== "open") return;
      const { left, bottom } = button.getBoundingClientRect();
      popover.style.left = `${Math.max(8, Math.min(left, innerWidth - popover.offsetWidth - 8))}px`;
      popover.style.top = `${bottom + 4}px`;
    });
  }

  #write() {
    for (const [name, { slider, output, unit }] of this.rows) {
      const value = this.settings[name];
      if (Number(slider.value) !== value) slider.value = value;
      const words = unit ? `${value} ${unit}` : value.toFixed(2);
      output.textContent = words;
      slider.setAttribute("aria-valuetext", words);
    }
    this.invert.checked = this.settings.invert;
    for (const one of this.switches) one.box.checked = one.on();
    const usual = isUsual(this.settings);
    this.resetButton.disabled = usual;
    this.button.classList.toggle("changed", !usual);
    this.button.title = usual ? "How the photograph is shown" : "How the photograph is shown: not as it came";
  }
}

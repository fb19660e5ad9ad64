/* The metaphase on the left: the photograph, the outlines over it and their labels; zoom and pan. */

import { placeLabels } from "./labels.js";
import { isDoubtful } from "./reducer.js";
import { boundsOf, pathData, ringsOf } from "./shapes.js";
import { chromosomeName, slotName } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const [LEAST_ZOOM, MOST_ZOOM] = [0.05, 16];
const DRAG_PX = 5;

function make(name, parent, attributes = {}) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return parent.appendChild(element);
}

export class Spread {
  /* svg: an empty <svg>.  image: {width, height} in pixels.  grab(event, id): starts dragging a chromosome. */
  constructor({ svg, store, image, grab }) {
    Object.assign(this, { svg, store, image, grab });
    this.picture = null; // the photograph's canvas, under the outlines
    this.outlines = make("g", svg, { class: "spread-outlines" });
    this.labels = make("g", svg, { class: "spread-labels", "aria-hidden": "true" });
    this.paths = new Map();
    this.texts = new Map();
    this.drawn = new Map(); // what each outline shows: {rings, name, state}
    this.view = { x: 0, y: 0, scale: 1 };
    this.fitted = true;
    this.pinched = false; // two fingers took over from one
    this.labelSize = 11; // CSS pixels; larger on very large screens
    svg.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    svg.addEventListener("pointerdown", (event) => this.#down(event));
    svg.addEventListener("pointerover", (event) => store.hover(this.#idAt(event)));
    svg.addEventListener("pointerleave", () => store.hover(null));
    new ResizeObserver(() => (this.fitted ? this.fit() : this.#apply())).observe(svg);
    store.subscribe((state, changed) => {
      if (changed.has("document")) this.#draw(state.document);
      if (["document", "selected", "also", "hovered"].some((name) => changed.has(name))) this.#mark(state);
      if (changed.has("selected") && state.selected) this.#bringIntoView(state.selected);
    });
  }

  /** canvas: the photograph, one canvas pixel a pixel; whoever owns it may draw it anew at any time. */
  setPicture(canvas) {
    this.picture?.remove();
    this.picture = canvas;
    canvas.className = "spread-image";
    this.svg.before(canvas);
    this.#apply();
  }

  /** Another photograph's size, in pixels; all of it is shown. */
  resizeImage({ width, height }) {
    this.image = { width, height };
    this.fit();
  }

  showOutlines(on) {
    this.svg.classList.toggle("bare", !on);
  }

  fit() {
    const { width, height } = this.svg.getBoundingClientRect();
    if (!width || !height) return;
    this.labelSize = parseFloat(getComputedStyle(this.svg).getPropertyValue("--label-size")) || 11;
    const scale = Math.min(width / this.image.width, height / this.image.height);
    this.view = {
      scale,
      x: (this.image.width - width / scale) / 2,
      y: (this.image.height - height / scale) / 2,
    };
    this.fitted = true;
    this.#apply();
    this.#placeLabels();
  }

  /** One pixel of the photograph to one of the screen, about the middle of what is seen. */
  actualSize() {
    const { width, height } = this.svg.getBoundingClientRect();
    const { x, y, scale } = this.view;
    this.#zoomAbout(1 / (globalThis.devicePixelRatio || 1), x + width / scale / 2, y + height / scale / 2);
  }

  zoomBy(factor) {
    const { width, height } = this.svg.getBoundingClientRect();
    const { x, y, scale } = this.view;
    this.#zoomAbout(scale * factor, x + width / scale / 2, y + height / scale / 2);
  }

  /** Zooms about a point of the window. */
  zoomAt(factor, clientX, clientY) {
    const { left, top } = this.svg.getBoundingClientRect();
    const { x, y, scale } = this.view;
    this.#zoomAbout(scale * factor, x + (clientX - left) / scale, y + (clientY - top) / scale);
  }

  /** Moves the photograph by CSS pixels. */
  moveBy(dx, dy) {
    const { x, y, scale } = this.view;
    this.view = { ...this.view, x: x - dx / scale, y: y - dy / scale };
    this.fitted = false;
    this.#apply();
  }

  #zoomAbout(wanted, x, y) {
    const scale = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, wanted));
    const ratio = this.view.scale / scale;
    this.view = { scale, x: x - (x - this.view.x) * ratio, y: y - (y - this.view.y) * ratio };
    this.fitted = false;
    this.#apply();
  }

  #apply() {
    const { width, height } = this.svg.getBoundingClientRect();
    if (!width || !height) return;
    const { x, y, scale } = this.view;
    this.svg.setAttribute("viewBox", `${x} ${y} ${width / scale} ${height / scale}`);
    this.labels.style.fontSize = `${this.labelSize / scale}px`;
    this.labels.style.strokeWidth = `${3 / scale}px`;
    this.svg.dispatchEvent(new CustomEvent("viewed", { detail: { scale } }));
    if (!this.picture) return;
    this.picture.style.transform = `translate(${-x * scale}px, ${-y * scale}px) scale(${scale})`;
    this.picture.classList.toggle("single-pixels", !this.fitted && scale > 2);
  }

  #wheel(event) {
    event.preventDefault();
    const bounds = this.svg.getBoundingClientRect();
    const { x, y, scale } = this.view;
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const factor = Math.exp(-event.deltaY * lines * 0.0015);
    this.#zoomAbout(scale * factor, x + (event.clientX - bounds.left) / scale, y + (event.clientY - bounds.top) / scale);
  }

  #idAt(event) {
    return event.target.closest?.("[data-id]")?.dataset.id ?? null;
  }

  #down(event) {
    if (event.button !== 0) return;
    const id = this.#idAt(event);
    if (id && event.shiftKey) {
      event.preventDefault();
      this.store.toggle(id);
    } else if (id) {
      this.store.select(id);
      this.grab(event, id);
    } else this.#pan(event);
  }

  #pan(down) {
    const from = { ...this.view };
    let moved = false;
    this.svg.setPointerCapture(down.pointerId);
    const move = (event) => {
      const [dx, dy] = [event.clientX - down.clientX, event.clientY - down.clientY];
      moved ||= Math.hypot(dx, dy) > DRAG_PX;
      if (!moved) return;
      this.svg.classList.add("panning");
      this.view = { ...from, x: from.x - dx / from.scale, y: from.y - dy / from.scale };
      this.fitted = false;
      this.#apply();
    };
    const end = () => {
      this.svg.classList.remove("panning");
      this.svg.removeEventListener("pointermove", move);
      if (!moved && !this.pinched) this.store.select(null);
    };
    this.svg.addEventListener("pointermove", move);
    this.svg.addEventListener("lostpointercapture", end, { once: true });
  }

  #draw(karyogram) {
    const chromosomes = karyogram?.chromosomes ?? [];
    const here = new Set(chromosomes.map((one) => one.id));
    for (const [id, path] of this.paths)
      if (!here.has(id)) {
        path.remove();
        this.texts.get(id).remove();
        for (const kept of [this.paths, this.texts, this.drawn]) kept.delete(id);
      }
    let relabelled = false;
    for (const chromosome of chromosomes) {
      const { id, label, state } = chromosome;
      if (!this.paths.has(id)) {
        this.paths.set(id, make("path", this.outlines, { "data-id": id, "fill-rule": "evenodd" }));
        make("title", this.paths.get(id));
        this.texts.set(id, make("text", this.labels));
      }
      const path = this.paths.get(id);
      const name = chromosomeName(chromosome);
      const before = this.drawn.get(id);
      if (before?.rings !== chromosome.rings) path.setAttribute("d", pathData(ringsOf(chromosome)));
      this.drawn.set(id, { rings: chromosome.rings, name, state });
      if (before?.name === name && before.state === state) continue;
      path.setAttribute("class", `outline ${isDoubtful(chromosome) ? "doubtful" : ""} ${state}`);
      path.firstChild.textContent = name;
      const text = this.texts.get(id);
      const words = state === "debris" ? "" : slotName(label);
      relabelled ||= text.textContent !== words;
      text.textContent = words;
      text.setAttribute("class", isDoubtful(chromosome) ? "doubtful" : "");
    }
    if (relabelled) this.#placeLabels();
  }

  #placeLabels() {
    const { document: karyogram } = this.store.state;
    const { width, height } = this.svg.getBoundingClientRect();
    if (!karyogram || !width) return;
    // Placed for the fitted view; zoomed in, there is only more room.
    const size = this.labelSize / Math.min(width / this.image.width, height / this.image.height);
    for (const [id, [x, y]] of placeLabels(karyogram.chromosomes, this.image, size)) {
      this.texts.get(id).setAttribute("x", x);
      this.texts.get(id).setAttribute("y", y);
    }
  }

  #mark({ selected, also, hovered }) {
    this.svg.classList.toggle("chosen", selected !== null);
    for (const [id, path] of this.paths) {
      path.classList.toggle("selected", id === selected);
      path.classList.toggle("also", id !== selected && also.includes(id));
      path.classList.toggle("hovered", id === hovered);
      this.texts.get(id).classList.toggle("selected", id === selected || id === hovered);
    }
    // What is marked must not lie under a neighbour.
    for (const id of [...also, selected, hovered]) {
      const path = this.paths.get(id);
      if (path && path !== this.outlines.lastChild && id !== this.raised) {
        this.raised = id;
        this.outlines.append(path);
      }
    }
  }

  #bringIntoView(id) {
    const chromosome = this.store.chromosome(id);
    if (this.fitted || !chromosome) return;
    const bounds = boundsOf(ringsOf(chromosome).flat());
    const [width, height] = this.svg.getAttribute("viewBox").split(" ").slice(2).map(Number);
    const { x, y } = this.view;
    if (bounds.x1 >= x && bounds.x2 <= x + width && bounds.y1 >= y && bounds.y2 <= y + height) return;
    this.view.x = (bounds.x1 + bounds.x2 - width) / 2;
    this.view.y = (bounds.y1 + bounds.y2 - height) / 2;
    this.#apply();
  }
}

/* The photograph in counting mode: a tick on each chromosome, added and taken away by a click or by a keyboard cross. */

import { Spread } from "./spread.js";
import { Store } from "./store.js";

const SVG = "http://www.w3.org/2000/svg";
const REACH_PX = 9; // a click this near to a tick means that tick
const STILL_PX = 5; // a press that moved further was a look around
const STEP_PX = 8;

export class TickField {
  /* svg: an empty <svg>.  changed(ticks): after every change by the person. */
  constructor({ svg, changed }) {
    Object.assign(this, { svg, changed });
    this.spread = new Spread({ svg, store: new Store(), image: { width: 1, height: 1 }, grab: () => {} });
    this.layer = svg.appendChild(document.createElementNS(SVG, "g"));
    this.layer.setAttribute("class", "ticks");
    this.cross = svg.appendChild(document.createElementNS(SVG, "path"));
    this.cross.setAttribute("class", "tick-cross");
    this.ticks = [];
    this.undos = [];
    this.redos = [];
    this.editable = false;
    this.at = null;
    this.down = null;
    svg.addEventListener("pointerdown", (event) => {
      this.down = event.button === 0 ? [event.clientX, event.clientY] : null;
    });
    svg.addEventListener("click", (event) => this.#click(event));
  }

  /** Another cell: its photograph (a canvas) and its ticks. */
  show({ picture, width, height, ticks, editable }) {
    this.size = { width, height };
    this.spread.setPicture(picture);
    this.spread.resizeImage(this.size);
    this.editable = editable;
    this.undos = [];
    this.redos = [];
    this.#hideCross();
    this.set(ticks);
  }

  set(ticks) {
    this.ticks = ticks;
    this.layer.replaceChildren(...ticks.flatMap(([x, y]) => [dot(x, y, "tick-edge"), dot(x, y, "tick")]));
  }

  #change(ticks) {
    if (!this.editable) return;
    this.undos.push(this.ticks);
    this.redos = [];
    this.set(ticks);
    this.changed(ticks);
  }

  undo() {
    this.#step(this.undos, this.redos);
  }

  redo() {
    this.#step(this.redos, this.undos);
  }

  #step(from, to) {
    if (!from.length) return;
    to.push(this.ticks);
    this.set(from.pop());
    this.changed(this.ticks);
  }

  takeLast() {
    if (this.ticks.length) this.#change(this.ticks.slice(0, -1));
  }

  /** A tick here, or the one that is here taken away.  x, y: pixels of the image. */
  toggle(x, y) {
    const reach = REACH_PX / this.spread.view.scale;
    const near = this.ticks
      .map((tick, index) => ({ index, distance: Math.hypot(tick[0] - x, tick[1] - y) }))
      .filter(({ distance }) => distance <= reach)
      .sort((one, other) => one.distance - other.distance)[0];
    if (near) this.#change(this.ticks.toSpliced(near.index, 1));
    else if (x >= 0 && y >= 0 && x <= this.size.width && y <= this.size.height)
      this.#change([...this.ticks, [Math.round(x * 10) / 10, Math.round(y * 10) / 10]]);
  }

  #click(event) {
    if (!this.down || Math.hypot(event.clientX - this.down[0], event.clientY - this.down[1]) > STILL_PX) return;
    const bounds = this.svg.getBoundingClientRect();
    const { x, y, scale } = this.spread.view;
    this.#hideCross();
    this.toggle(x + (event.clientX - bounds.left) / scale, y + (event.clientY - bounds.top) / scale);
  }

  /** The keyboard's pointer, by steps of 8 screen pixels; `far`: five at once. */
  moveCross(dx, dy, far) {
    const step = ((far ? 5 : 1) * STEP_PX) / this.spread.view.scale;
    const [x, y] = this.at ?? [this.size.width / 2, this.size.height / 2];
    const within = (value, most) => Math.min(most, Math.max(0, value));
    this.at = [within(x + dx * step, this.size.width), within(y + dy * step, this.size.height)];
    this.#drawCross();
  }

  toggleAtCross() {
    if (this.at) this.toggle(...this.at);
    else this.moveCross(0, 0, false);
  }

  #drawCross() {
    const [x, y] = this.at;
    const arm = 14 / this.spread.view.scale;
    this.cross.setAttribute("d", `M${x - arm} ${y}H${x + arm}M${x} ${y - arm}V${y + arm}`);
    this.cross.classList.add("shown");
  }

  #hideCross() {
    this.at = null;
    this.cross.classList.remove("shown");
  }
}

/* A line of no length with round ends: as large at every zoom. */
function dot(x, y, name) {
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("class", name);
  path.setAttribute("d", `M${x} ${y}h0`);
  return path;
}

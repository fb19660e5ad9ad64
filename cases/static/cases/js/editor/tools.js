/* The tools on the photograph: choosing one, leading the pointer (or the keys in its stead) to it, and what is drawn
   over the photograph meanwhile.  What a tool does with a click or a stroke stands in tool-*.js:

     {id, hint(), waits?, pressed?(point, event), click?(point, {not, event}), drag?(points), drop?(points), giveUp?(),
      key?(key), entered?(), left?(), options?(element)}

   Points are pixels of the photograph.  `pressed` → false: this press is not for the tool, nothing happens. */

import { contains } from "./contour.js";
import { deepest, maskOf } from "./raster.js";
import { ringsOf } from "./shapes.js";
import { Layer } from "./tool-layer.js";

const THRESHOLD_PX = 4; // CSS pixels; below it a press is a click, not a stroke
const TOUCH_THRESHOLD_PX = 9;
const STEP_PX = 8; // of the crosshair that the arrow keys move
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Tools {
  /* svg: the photograph's.  image: {width, height}.  parts: {bar, hint, text, options}: the row of buttons
     ([data-tool]), and the line below it.  tools: list as above, the first one leaves pointer and keys alone. */
  constructor({ svg, image, store, say, parts }) {
    Object.assign(this, { svg, image, store, say, parts });
    this.tools = new Map();
    this.stroke = null; // {points, from, started, pointerId | null}
    this.cursor = null; // the crosshair, while keys lead
    this.busy = null; // what is waited for
    this.layer = new Layer(svg);
    for (const button of parts.bar.querySelectorAll("[data-tool]"))
      button.addEventListener("click", () => this.use(button.dataset.tool));
    parts.bar.addEventListener("keydown", (event) => this.#walkBar(event));
    const options = { capture: true };
    svg.addEventListener("pointerdown", (event) => this.#down(event), options);
    svg.addEventListener("pointermove", (event) => this.#move(event), options);
    svg.addEventListener("pointerup", (event) => this.#up(event), options);
    svg.addEventListener("pointercancel", (event) => this.stroke?.pointerId === event.pointerId && this.giveUp(), options);
    svg.addEventListener("pointerleave", () => this.layer.ring(null));
    svg.addEventListener("contextmenu", (event) => this.#menu(event), options);
    svg.addEventListener("wheel", (event) => this.#wheel(event), { capture: true, passive: false });
    addEventListener("blur", () => this.giveUp());
    document.addEventListener("keydown", (event) => this.#key(event), options);
    this.#allow(store.state.editable);
    store.subscribe((state, changed) => {
      // Someone else's lock, a version of the past, or counting: whoever sets `editable` takes the tools away.
      if (changed.has("editable")) this.#allow(state.editable);
      if (changed.has("tool")) this.#shown(state.tool);
      if (changed.has("selected") || changed.has("document")) this.refresh();
    });
  }

  add(tool) {
    this.tools.set(tool.id, tool);
    return tool;
  }

  #allow(editable) {
    if (!editable) this.use("choose");
    for (const button of this.parts.bar.querySelectorAll("[data-tool]:not([data-tool=choose])")) button.disabled = !editable;
  }

  get tool() {
    return this.tools.get(this.store.state.tool) ?? null;
  }

  /** Takes up a tool by its name; taken up again, it is put down. */
  use(id) {
    const { tool: now, editable, lockedBecause } = this.store.state;
    if (id !== "choose" && !editable) {
      this.say(lockedBecause || "This karyogram cannot be changed.", "info");
      return;
    }
    const next = id === now ? "choose" : id;
    if (next === now) return;
    this.giveUp();
    this.tool?.left?.();
    this.stopWaiting();
    this.layer.clear();
    this.cursor = null;
    this.store.set({ tool: next });
    this.tool?.entered?.();
    this.refresh();
    // Space and Enter now belong to the photograph, not to the button that was pressed.
    if (next !== "choose" && this.parts.bar.contains(document.activeElement)) this.svg.focus({ preventScroll: true });
  }

  #shown(id) {
    for (const button of this.parts.bar.querySelectorAll("[data-tool]")) {
      const on = button.dataset.tool === id;
      button.setAttribute("aria-pressed", String(on));
      button.tabIndex = on ? 0 : -1;
    }
    if (id === "choose") delete this.svg.dataset.tool;
    else this.svg.dataset.tool = id;
    this.parts.options.replaceChildren();
    this.tool?.options?.(this.parts.options);
  }

  /** Brings the line below the tools up to date. */
  refresh() {
    const { tool } = this;
    this.parts.hint.hidden = !tool;
    if (!tool) return;
    const words = this.busy ? (tool.waits ?? "Cutting …") : tool.hint();
    if (this.parts.text.textContent !== words) this.parts.text.textContent = words;
    this.layer.size(tool.radius ?? null);
  }

  /** While the server is asked: the line says so, and the pointer too.  → what the work gives. */
  async whileBusy(work) {
    const mine = Symbol("work");
    this.#waitFor(mine);
    try {
      return await work();
    } finally {
      if (this.busy === mine) this.#waitFor(null);
    }
  }

  /** Nobody waits for the server's answer any more. */
  stopWaiting() {
    this.#waitFor(null);
  }

  #waitFor(work) {
    this.busy = work;
    this.svg.classList.toggle("busy", work !== null);
    this.refresh();
  }

  /** Ends a stroke without a change; → whether there was one. */
  giveUp() {
    const { stroke } = this;
    if (!stroke) return false;
    this.stroke = null;
    cancelAnimationFrame(stroke.frame ?? 0);
    if (stroke.pointerId !== null && this.svg.hasPointerCapture(stroke.pointerId))
      this.svg.releasePointerCapture(stroke.pointerId);
    this.#drawing(false);
    this.tool?.giveUp?.();
    return true;
  }

  /** Where on the photograph a pointer stands. */
  pointOf({ clientX, clientY }) {
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(this.svg.getScreenCTM().inverse());
    return [x, y];
  }

  /** The chromosome under a point, the smallest where outlines lie over each other, of this state alone if one is
      given; null on the ground. */
  outlineAt(point, state = null) {
    const here = (this.store.state.document?.chromosomes ?? []).filter(
      (one) => (state === null || one.state === state) && contains(ringsOf(one), point),
    );
    const size = ({ box: [x1, y1, x2, y2] }) => (x2 - x1) * (y2 - y1);
    return here.sort((one, other) => size(one) - size(other))[0]?.id ?? null;
  }

  /** CSS pixels that one pixel of the photograph takes. */
  get scale() {
    return this.svg.getScreenCTM().a;
  }

  #down(event) {
    const { tool } = this;
    if (!tool) return;
    const not = event.button === 2 || event.altKey;
    // The middle button and another one's choice (Ctrl) stay the photograph's own.
    if ((event.button !== 0 && event.button !== 2) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.#lead(null);
    this.svg.focus({ preventScroll: true });
    if (this.stroke) return;
    const point = this.pointOf(event);
    if (tool.pressed?.(point, event) === false) return;
    this.svg.setPointerCapture(event.pointerId);
    const reach = event.pointerType === "touch" ? TOUCH_THRESHOLD_PX : THRESHOLD_PX;
    this.stroke = { points: [point], from: event, reach, not, started: false, pointerId: event.pointerId, frame: 0 };
  }

  #move(event) {
    const { stroke, tool } = this;
    if (!tool) return;
    if (!stroke) {
      // A finger has no place before it touches.
      if (event.pointerType !== "touch") {
        this.#lead(null);
        this.layer.ring(tool.radius ? this.pointOf(event) : null);
      }
      return;
    }
    if (event.pointerId !== stroke.pointerId) return;
    event.stopImmediatePropagation();
    const all = event.getCoalescedEvents?.() ?? [];
    for (const one of all.length ? all : [event]) stroke.points.push(this.pointOf(one));
    if (tool.radius) this.layer.ring(stroke.points.at(-1));
    const { clientX, clientY } = stroke.from;
    if (!stroke.started && Math.hypot(event.clientX - clientX, event.clientY - clientY) < stroke.reach) return;
    this.#go();
  }

  #go() {
    const { stroke, tool } = this;
    if (!tool.drag) return;
    stroke.started = true;
    this.#drawing(true);
    stroke.frame ||= requestAnimationFrame(() => {
      stroke.frame = 0;
      if (this.stroke === stroke) tool.drag(stroke.points);
    });
  }

  #up(event) {
    const { stroke, tool } = this;
    if (!stroke || event.pointerId !== stroke.pointerId) return;
    event.stopImmediatePropagation();
    if (stroke.started) stroke.points.push(this.pointOf(event));
    this.#finish(stroke, tool, event);
  }

  #finish(stroke, tool, event) {
    this.stroke = null;
    cancelAnimationFrame(stroke.frame);
    this.#drawing(false);
    if (stroke.started) tool.drop(stroke.points);
    else tool.click?.(stroke.points[0], { not: stroke.not, event });
    this.refresh();
  }

  #drawing(on) {
    this.svg.classList.toggle("drawing", on);
  }

  #menu(event) {
    if (!this.tool) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  #wheel(event) {
    if (!event.altKey || !this.tool?.resize) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.tool.resize(event.deltaY < 0 ? 1 : -1);
  }

  /* ---- keys instead of a pointer: arrows lead a crosshair, Space puts it down and lifts it, Enter clicks. */

  #key(event) {
    const { tool } = this;
    // Counting takes the photograph's place: its keys are not the tools'.
    const away = !tool || !this.svg.getClientRects().length || document.querySelector("dialog[open]");
    if (away || event.isComposing) return;
    const from = event.target instanceof Element ? event.target : document.body;
    if (event.key === "Escape" && from.closest(".tool-hint")) from.blur();
    else if (from.closest("input, textarea, select, [contenteditable], dialog, [popover]")) return;
    const control = from.closest("a, button:not(.chromosome), summary");
    if (event.ctrlKey || event.metaKey || event.altKey || (control && event.key !== "Escape")) return;
    if (!this.#handle(event, tool)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  #handle(event, tool) {
    const { key } = event;
    if (key === "Escape") {
      if (!this.giveUp() && !tool.escape?.()) this.use("choose");
      this.refresh();
      return true;
    }
    if (key in ARROWS) {
      this.#step(ARROWS[key], event.shiftKey ? 1 : STEP_PX);
      return true;
    }
    if (key === " " || key === "Enter") {
      if (event.repeat) return true;
      if (!this.cursor) this.#lead(this.#start());
      else if (key === "Enter" && !this.stroke) this.#clickHere(tool);
      else this.#putDownOrLift(tool);
      return true;
    }
    return tool.key?.(key) ?? false;
  }

  /* Where the crosshair starts: on the chosen chromosome, otherwise in the middle of what is seen. */
  #start() {
    const { selected } = this.store;
    if (selected) {
      const [x1, y1, x2, y2] = selected.box;
      const middle = [(x1 + x2) / 2, (y1 + y2) / 2];
      // Of a bent one the middle of the box lies beside it.
      return contains(ringsOf(selected), middle) ? middle : (deepest(maskOf(ringsOf(selected), this.image)) ?? middle);
    }
    const { left, top, width, height } = this.svg.getBoundingClientRect();
    return this.pointOf({ clientX: left + width / 2, clientY: top + height / 2 });
  }

  #lead(point) {
    if (!point && !this.cursor) return;
    this.cursor = point;
    this.layer.crosshair(point, this.scale);
    this.layer.ring(point && this.tool?.radius ? point : null);
  }

  #step([across, down], by) {
    const [x, y] = this.cursor ?? this.#start();
    const step = this.cursor ? by / this.scale : 0;
    const within = (value, most) => Math.min(most, Math.max(0, value));
    const next = [within(x + across * step, this.image.width), within(y + down * step, this.image.height)];
    this.#lead(next);
    if (!this.stroke) return;
    this.stroke.points.push(next);
    this.#go();
  }

  #clickHere(tool) {
    if (tool.pressed?.(this.cursor, null) !== false) tool.click?.(this.cursor, { not: false, event: null });
    this.refresh();
  }

  #putDownOrLift(tool) {
    if (this.stroke) {
      this.#finish(this.stroke, tool, null);
      return;
    }
    if (!tool.drag) this.#clickHere(tool);
    else if (tool.pressed?.(this.cursor, null) !== false)
      this.stroke = { points: [this.cursor], not: false, started: false, pointerId: null, frame: 0 };
  }

  #walkBar(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    const buttons = [...this.parts.bar.querySelectorAll("[data-tool]:not(:disabled)")];
    const next = buttons.at((buttons.indexOf(document.activeElement) + by) % buttons.length);
    next?.focus();
    event.preventDefault();
    event.stopPropagation();
  }
}

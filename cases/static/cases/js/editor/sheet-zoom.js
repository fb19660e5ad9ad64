/* Looking closer at the sheet: the wheel zooms at the pointer, dragging the ground moves it, down to single pixels.
   The sheet keeps its layout; only what is looked at is drawn again, from the photograph's own pixels. */

const [LEAST, MOST] = [1, 16];
const DRAG_PX = 5;
const SETTLED_MS = 120;

export class SheetZoom {
  /* root: the sheet's element, which cuts off what is outside.  body: what is inside it and zoomed. */
  constructor({ root, body, sheet, store }) {
    Object.assign(this, { root, body, sheet, store, scale: 1, x: 0, y: 0, timer: 0 });
    root.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    root.addEventListener("pointerdown", (event) => this.#down(event));
    new ResizeObserver(() => this.#apply()).observe(root);
    // A browser scrolls what has the focus into view by itself; here the pane is moved instead.
    root.addEventListener("scroll", () => root.scrollTo(0, 0));
    store.subscribe((state, changed) => {
      if (changed.has("selected") && state.selected) this.#bringIntoView(sheet.buttonOf(state.selected));
    });
  }

  fit() {
    Object.assign(this, { scale: 1, x: 0, y: 0 });
    this.#apply();
  }

  zoomBy(factor) {
    const { width, height, left, top } = this.root.getBoundingClientRect();
    this.#zoomAbout(this.scale * factor, left + width / 2, top + height / 2);
  }

  #zoomAbout(wanted, clientX, clientY) {
    const { left, top } = this.root.getBoundingClientRect();
    const scale = Math.min(MOST, Math.max(LEAST, wanted));
    const [px, py] = [clientX - left, clientY - top];
    this.x = px - ((px - this.x) * scale) / this.scale;
    this.y = py - ((py - this.y) * scale) / this.scale;
    this.scale = scale;
    this.#apply();
  }

  #apply() {
    const { clientWidth: width, clientHeight: height } = this.root;
    // The sheet's edges never come inside the pane.
    this.x = Math.min(0, Math.max(width * (1 - this.scale), this.x));
    this.y = Math.min(0, Math.max(height * (1 - this.scale), this.y));
    this.body.style.transform = this.scale === 1 ? "" : `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    this.root.classList.toggle("zoomed", this.scale > 1);
    this.root.dispatchEvent(new CustomEvent("drawn"));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.sheet.setDetail(this.scale), SETTLED_MS);
  }

  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    this.#zoomAbout(this.scale * Math.exp(-event.deltaY * lines * 0.0015), event.clientX, event.clientY);
  }

  #down(down) {
    if (down.button !== 0 || this.scale === 1 || down.target.closest(".chromosome")) return;
    const from = { x: this.x, y: this.y };
    let moved = false;
    this.root.setPointerCapture(down.pointerId);
    const move = (event) => {
      const [dx, dy] = [event.clientX - down.clientX, event.clientY - down.clientY];
      moved ||= Math.hypot(dx, dy) > DRAG_PX;
      if (!moved) return;
      this.root.classList.add("panning");
      Object.assign(this, { x: from.x + dx, y: from.y + dy });
      this.#apply();
    };
    const end = () => {
      this.root.classList.remove("panning");
      this.root.removeEventListener("pointermove", move);
    };
    this.root.addEventListener("pointermove", move);
    this.root.addEventListener("lostpointercapture", end, { once: true });
  }

  #bringIntoView(button) {
    if (this.scale === 1 || !button || !this.root.contains(button)) return;
    const [inner, outer] = [button.getBoundingClientRect(), this.root.getBoundingClientRect()];
    const inside = (low, high, from, to) => (low < from && high > to ? 0 : low < from ? from - low : high > to ? to - high : 0);
    this.x += inside(inner.left - 8, inner.right + 8, outer.left, outer.right);
    this.y += inside(inner.top - 8, inner.bottom + 8, outer.top, outer.bottom);
    this.#apply();
  }
}

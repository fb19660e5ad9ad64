/* Comments as pins on the photograph; and choosing a spot for a new one. */

const SVG = "http://www.w3.org/2000/svg";
// A drop whose tip is at 0, 0; in CSS pixels.
const DROP = "M0 0 C-3 -5 -8 -8 -8 -14 A8 8 0 1 1 8 -14 C8 -8 3 -5 0 0 Z";

function make(name, parent, attributes = {}) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return parent.appendChild(element);
}

export class Pins {
  /* svg: the photograph's.  opened(comment): a pin was clicked.  image: {width, height}. */
  constructor({ svg, store, image, opened, say }) {
    Object.assign(this, { svg, store, image, opened, say });
    this.group = make("g", svg, { class: "spread-pins", "aria-hidden": "true" });
    // Pins keep their size whatever the zoom.
    new MutationObserver(() => this.#scale()).observe(svg, { attributes: true, attributeFilter: ["viewBox"] });
    store.subscribe((state, changed) => {
      if (["comments", "document", "pinned"].some((name) => changed.has(name))) this.#draw(state);
    });
  }

  #draw({ comments, pinned }) {
    this.group.replaceChildren();
    const open = (comments ?? []).filter((one) => !one.resolved_at && one.x !== null);
    open.forEach((comment, index) => {
      const [x, y] = this.#spot(comment);
      const pin = make("g", this.group, { class: `pin${comment.id === pinned ? " pinned" : ""}`, "data-x": x, "data-y": y, "data-pin": comment.id });
      make("path", pin, { d: DROP });
      make("text", pin, { y: -11 }).textContent = index + 1;
      make("title", pin).textContent = `${comment.author}: ${comment.text}`;
      pin.addEventListener("pointerdown", (event) => {
        event.stopPropagation();
        this.opened(comment);
      });
    });
    this.#scale();
  }

  /* Where the chromosome is now; where it was, if it is gone. */
  #spot({ chromosome, x, y }) {
    const box = chromosome && this.store.chromosome(chromosome)?.box;
    // Beside it, so that the pin hides neither the chromosome nor its name.
    return box ? [box[2], (box[1] + box[3]) / 2] : [x, y];
  }

  #scale() {
    const scale = 1 / (this.svg.getScreenCTM()?.a || 1);
    for (const pin of this.group.children)
      pin.setAttribute("transform", `translate(${pin.dataset.x} ${pin.dataset.y}) scale(${scale})`);
  }

  /** A pin is shown for a moment, also one that is resolved. */
  show(comment) {
    this.store.set({ pinned: comment.id });
  }

  /** Lets the person click a spot → [x, y] in pixels of the photograph, or null (Esc, or beside it). */
  ask() {
    this.say("Click the spot on the photograph. Esc leaves it.", "info");
    this.svg.classList.add("choosing-spot");
    return new Promise((resolve) => {
      const end = (spot) => {
        this.svg.classList.remove("choosing-spot");
        this.svg.removeEventListener("pointerdown", clicked, true);
        document.removeEventListener("keydown", pressed, true);
        resolve(spot);
      };
      const clicked = (event) => {
        if (event.button !== 0) return;
        event.preventDefault();
        event.stopPropagation();
        const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
        const inside = x >= 0 && y >= 0 && x <= this.image.width && y <= this.image.height;
        if (!inside) this.say("That spot lies beside the photograph.", "info");
        end(inside ? [Math.round(x * 10) / 10, Math.round(y * 10) / 10] : null);
      };
      const pressed = (event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        event.stopPropagation();
        end(null);
      };
      this.svg.addEventListener("pointerdown", clicked, true);
      document.addEventListener("keydown", pressed, true);
    });
  }
}

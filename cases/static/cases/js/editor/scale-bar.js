/* A scale bar, where the laboratory has said how large a pixel is on the slide. */

const LENGTHS = [0.5, 1, 2, 5, 10, 20, 50, 100]; // µm
const MOST_PX = 110;

/** The longest round length that fits: {micrometres, px}; null where none does.  scale: CSS pixels a pixel. */
export function barFor(micrometresPerPixel, scale) {
  const perMicrometre = scale / micrometresPerPixel;
  const length = LENGTHS.findLast((one) => one * perMicrometre <= MOST_PX);
  return length === undefined ? null : { micrometres: length, px: length * perMicrometre };
}

export class ScaleBar {
  /* table: a positioned element.  micrometres: of one pixel of the photograph; null: no bar. */
  constructor({ table, micrometres }) {
    this.micrometres = micrometres;
    if (!micrometres) return;
    this.element = document.createElement("div");
    this.element.className = "scale-bar";
    this.words = this.element.appendChild(document.createElement("span"));
    this.bar = this.element.appendChild(document.createElement("i"));
    table.append(this.element);
  }

  /** Keeps the bar right: whenever `target` says `name`, scaleOf(event) is asked for CSS pixels a pixel. */
  follow(target, name, scaleOf) {
    if (!this.micrometres) return;
    target.addEventListener(name, (event) => {
      const bar = barFor(this.micrometres, scaleOf(event));
      this.element.hidden = !bar;
      if (!bar) return;
      this.words.textContent = `${bar.micrometres} µm`;
      this.bar.style.width = `${bar.px}px`;
    });
  }
}

/* What is drawn over the photograph while a tool works: in pixels of the photograph, lines in those of the screen. */

const SVG = "http://www.w3.org/2000/svg";

export class Layer {
  constructor(svg) {
    const make = (name, parent, className) => {
      const element = document.createElementNS(SVG, name);
      element.setAttribute("class", className);
      return parent.appendChild(element);
    };
    this.make = make;
    this.root = make("g", svg, "tool-layer");
    this.root.setAttribute("aria-hidden", "true");
    this.shapes = make("g", this.root, "tool-shapes");
    this.dots = make("g", this.root, "tool-dots");
    this.brush = make("circle", this.root, "tool-ring");
    this.cross = make("path", this.root, "tool-crosshair");
    this.paths = new Map();
    this.radius = null;
  }

  /** A named path: outline or line; "" or null takes it away. */
  path(name, data, className = "") {
    if (!data) {
      this.paths.get(name)?.remove();
      this.paths.delete(name);
      return;
    }
    if (!this.paths.has(name)) this.paths.set(name, this.make("path", this.shapes, ""));
    const path = this.paths.get(name);
    path.setAttribute("d", data);
    path.setAttribute("class", `tool-path ${className}`);
    path.setAttribute("fill-rule", "evenodd");
  }

  /** Clicks so far: [[x, y, 1 | 0], …]; `scale`: CSS pixels a pixel. */
  points(points, scale) {
    this.dots.replaceChildren();
    for (const [x, y, this_] of points) {
      const dot = this.make("g", this.dots, this_ ? "tool-dot" : "tool-dot not");
      dot.setAttribute("transform", `translate(${x} ${y}) scale(${1 / scale})`);
      this.make("circle", dot, "").setAttribute("r", 6);
      this.make("path", dot, "").setAttribute("d", this_ ? "M-3 0H3M0 -3V3" : "M-3 0H3");
    }
  }

  size(radius) {
    this.radius = radius;
    if (!radius) this.ring(null);
    else this.brush.setAttribute("r", radius);
  }

  ring(point) {
    this.brush.classList.toggle("shown", Boolean(point && this.radius));
    if (!point) return;
    this.brush.setAttribute("cx", point[0]);
    this.brush.setAttribute("cy", point[1]);
  }

  crosshair(point, scale) {
    if (!point) {
      this.cross.removeAttribute("d");
      return;
    }
    const [[x, y], near, far] = [point, 4 / scale, 14 / scale];
    this.cross.setAttribute(
      "d",
      `M${x - far} ${y}H${x - near}M${x + near} ${y}H${x + far}M${x} ${y - far}V${y - near}M${x} ${y + near}V${y + far}`,
    );
  }

  clear() {
    for (const name of [...this.paths.keys()]) this.path(name, null);
    this.dots.replaceChildren();
    this.ring(null);
    this.crosshair(null);
  }
}

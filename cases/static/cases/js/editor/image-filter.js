/* The photograph as the eye wants it: contrast, brightness, gamma, sharpening, a flat background, inverted.  Only ever
   on a copy: what is stored, measured and cut is the photograph as it came.

   Both panes draw from the one canvas that is kept here. */

/* name: [least, usual, most, step, unit]; karyosite/accounts/preferences.py has the same limits (a test compares). */
export const RANGES = {
  contrast: [50, 100, 300, 5, "%"],
  brightness: [-60, 0, 60, 1, "%"],
  gamma: [0.4, 1, 2.5, 0.05, ""],
  sharpen: [0, 0, 100, 5, "%"],
  flatten: [0, 0, 100, 5, "%"],
};
export const USUAL = { ...Object.fromEntries(Object.entries(RANGES).map(([name, [, usual]]) => [name, usual])), invert: false };

export const isUsual = (view) => Object.entries(USUAL).every(([name, usual]) => view[name] === usual);

// Up to here plain JavaScript answers within a frame; beyond, the graphics card is asked where there is one.
const MOST_PLAIN_PIXELS = 1_000_000;
const SHARPEN_PX = 1.4;
const GROUND_SQUARES = 12; // along the longer side, for the unevenness of the light

/** How a brightness 0..1 is shown once sharpened and flattened; values outside 0..1 are cut off. */
export function toned(value, { contrast, brightness, gamma, invert }) {
  const clipped = Math.min(1, Math.max(0, value));
  const turned = invert ? 1 - clipped : clipped;
  const spread = (turned - 0.5) * (contrast / 100) + 0.5 + brightness / 100;
  return Math.min(1, Math.max(0, spread)) ** (1 / gamma);
}

/* One byte a pixel, blurred; three passes of a moving mean come close to a Gaussian. */
function blurred(grey, width, height, sigma) {
  const reach = Math.max(1, Math.round(sigma));
  let from = Float32Array.from(grey);
  let to = new Float32Array(from.length);
  const pass = (count, stride, lines, lineStride) => {
    for (let line = 0; line < lines; line += 1) {
      const start = line * lineStride;
      const at = (index) => from[start + Math.min(count - 1, Math.max(0, index)) * stride];
      let sum = 0;
      for (let index = -reach; index <= reach; index += 1) sum += at(index);
      for (let index = 0; index < count; index += 1) {
        to[start + index * stride] = sum / (2 * reach + 1);
        sum += at(index + reach + 1) - at(index - reach);
      }
    }
    [from, to] = [to, from];
  };
  for (let turn = 0; turn < 2; turn += 1) {
    pass(width, 1, height, width);
    pass(height, width, width, 1);
  }
  return Uint8Array.from(from, Math.round);
}

/* The light without the chromosomes: in squares of the picture what is brighter than nine in ten pixels (darker, where
   they shine on a dark ground), with smooth passages from square to square. */
function groundOf(grey, width, height) {
  const histogram = (left, top, right, bottom) => {
    const counts = new Uint32Array(256);
    const skip = Math.max(1, Math.round(Math.sqrt(((right - left) * (bottom - top)) / 4000)));
    let many = 0;
    for (let y = top; y < bottom; y += skip)
      for (let x = left; x < right; x += skip) {
        counts[grey[y * width + x]] += 1;
        many += 1;
      }
    return (share) => {
      let left_ = share * many;
      return counts.findIndex((count) => (left_ -= count) < 0);
    };
  };
  const share = histogram(0, 0, width, height)(0.5) < 90 ? 0.1 : 0.9;
  const side = Math.max(8, Math.ceil(Math.max(width, height) / GROUND_SQUARES));
  const [columns, rows] = [Math.ceil(width / side), Math.ceil(height / side)];
  const squares = new Float32Array(columns * rows);
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1) {
      const [left, top] = [column * side, row * side];
      squares[row * columns + column] = histogram(left, top, Math.min(width, left + side), Math.min(height, top + side))(share);
    }
  const ground = new Uint8Array(width * height);
  const clamp = (value, most) => Math.min(most, Math.max(0, value));
  for (let y = 0; y < height; y += 1) {
    const row = clamp(y / side - 0.5, rows - 1);
    const [upper, down] = [Math.floor(row), row % 1];
    const lower = Math.min(rows - 1, upper + 1);
    for (let x = 0; x < width; x += 1) {
      const column = clamp(x / side - 0.5, columns - 1);
      const [near, across] = [Math.floor(column), column % 1];
      const far = Math.min(columns - 1, near + 1);
      const above = squares[upper * columns + near] * (1 - across) + squares[upper * columns + far] * across;
      const below = squares[lower * columns + near] * (1 - across) + squares[lower * columns + far] * across;
      ground[y * width + x] = Math.round(above * (1 - down) + below * down);
    }
  }
  return { ground, level: histogram(0, 0, width, height)(share) };
}

export class ImageFilter {
  /* plain: never ask the graphics card (tests compare both). */
  constructor({ plain = false } = {}) {
    this.plain = plain;
    this.canvas = document.createElement("canvas");
    this.source = null;
  }

  /** image: decoded; its canvas shows it as it is until `show` is called. */
  take(image) {
    const [width, height] = [image.naturalWidth || image.width, image.naturalHeight || image.height];
    this.source = image;
    this.canvas.width = width;
    this.canvas.height = height;
    this.pen = this.canvas.getContext("2d", { willReadFrequently: width * height <= MOST_PLAIN_PIXELS });
    this.pen.drawImage(image, 0, 0);
    this.bytes = this.grey = this.soft = this.ground = null;
    this.card?.forget();
    this.card = null;
  }

  /** Draws the photograph with these settings on the canvas. */
  show(view) {
    if (!this.source) return;
    if (isUsual(view)) {
      this.pen.drawImage(this.source, 0, 0);
      return;
    }
    this.#read(view);
    const { width, height } = this.canvas;
    if (!this.plain && width * height > MOST_PLAIN_PIXELS && this.card === null) this.card = Card.of(this) ?? false;
    if (this.card) this.card.show(view, this.pen);
    else this.#showPlain(view);
  }

  /** Once per photograph, and the maps only when they are first needed. */
  #read(view) {
    const { width, height } = this.canvas;
    if (!this.bytes) {
      const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
      copy.drawImage(this.source, 0, 0);
      this.bytes = copy.getImageData(0, 0, width, height).data;
      this.grey = new Uint8Array(width * height);
      for (let at = 0; at < this.grey.length; at += 1)
        this.grey[at] = (this.bytes[at * 4] * 77 + this.bytes[at * 4 + 1] * 150 + this.bytes[at * 4 + 2] * 29) >> 8;
    }
    if (view.sharpen && !this.soft) this.soft = blurred(this.grey, width, height, SHARPEN_PX);
    if (view.flatten && !this.ground) Object.assign(this, groundOf(this.grey, width, height));
  }

  #showPlain(view) {
    const { width, height } = this.canvas;
    const { bytes, grey, soft, ground, level } = this;
    // Sharpening and flattening may leave 0..255 on the way: the table covers what they can reach.
    const table = Uint8ClampedArray.from({ length: 1280 }, (_, index) => Math.round(toned((index - 512) / 255, view) * 255));
    const [edge, flat] = [(view.sharpen / 100) * 2, view.flatten / 100];
    const shown = this.pen.createImageData(width, height);
    const { data } = shown;
    for (let at = 0; at < grey.length; at += 1) {
      let more = 512;
      if (edge) more += edge * (grey[at] - soft[at]);
      if (flat) more += flat * (level - ground[at]);
      more = Math.round(Math.min(1024, Math.max(0, more)));
      const byte = at * 4;
      data[byte] = table[bytes[byte] + more];
      data[byte + 1] = table[bytes[byte + 1] + more];
      data[byte + 2] = table[bytes[byte + 2] + more];
      data[byte + 3] = 255;
    }
    this.pen.putImageData(shown, 0, 0);
  }
}

const VERTEX = `#version 300 es
in vec2 corner; out vec2 at;
void main() { at = vec2(corner.x, -corner.y) * 0.5 + 0.5; gl_Position = vec4(corner, 0.0, 1.0); }`;
const FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D picture, maps; uniform vec4 tone; uniform vec3 local; in vec2 at; out vec4 colour;
void main() {
  vec3 rgb = texture(picture, at).rgb;
  float grey = dot(rgb, vec3(77.0, 150.0, 29.0)) / 256.0;
  vec2 map = texture(maps, at).rg;
  vec3 value = clamp(rgb + local.x * (grey - map.r) + local.y * (local.z - map.g), 0.0, 1.0);
  value = tone.w > 0.5 ? 1.0 - value : value;
  value = clamp((value - 0.5) * tone.x + 0.5 + tone.y, 0.0, 1.0);
  colour = vec4(pow(value, vec3(1.0 / tone.z)), 1.0);
}`;

/* The same sum on the graphics card, for large photographs. */
class Card {
  static of(filter) {
    try {
      const { width, height } = filter.canvas;
      const gl = new OffscreenCanvas(width, height).getContext("webgl2", { failIfMajorPerformanceCaveat: true, antialias: false });
      if (!gl || gl.getParameter(gl.MAX_TEXTURE_SIZE) < Math.max(width, height)) return null;
      return new Card(filter, gl);
    } catch {
      return null; // without a card the plain way is right, only slower
    }
  }

  constructor(filter, gl) {
    Object.assign(this, { filter, gl, mapped: "" });
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
    gl.useProgram(program);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 3, -1, -1, 3]), gl.STATIC_DRAW);
    const corner = gl.getAttribLocation(program, "corner");
    gl.enableVertexAttribArray(corner);
    gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
    this.places = Object.fromEntries(["picture", "maps", "tone", "local"].map((name) => [name, gl.getUniformLocation(program, name)]));
    this.textures = [gl.createTexture(), gl.createTexture()];
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    this.#fill(0, gl.RGBA8, gl.RGBA, new Uint8Array(filter.bytes.buffer));
  }

  #fill(unit, inside, format, bytes) {
    const { gl } = this;
    const { width, height } = this.filter.canvas;
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, this.textures[unit]);
    gl.texImage2D(gl.TEXTURE_2D, 0, inside, width, height, 0, format, gl.UNSIGNED_BYTE, bytes);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
  }

  show(view, pen) {
    const { gl, filter, places } = this;
    const wanted = `${Boolean(filter.soft)} ${Boolean(filter.ground)}`;
    if (this.mapped !== wanted) {
      const both = new Uint8Array(filter.grey.length * 2);
      for (let at = 0; at < filter.grey.length; at += 1) {
        both[at * 2] = filter.soft?.[at] ?? 0;
        both[at * 2 + 1] = filter.ground?.[at] ?? 0;
      }
      this.#fill(1, gl.RG8, gl.RG, both);
      this.mapped = wanted;
    }
    gl.viewport(0, 0, filter.canvas.width, filter.canvas.height);
    gl.uniform1i(places.picture, 0);
    gl.uniform1i(places.maps, 1);
    gl.uniform4f(places.tone, view.contrast / 100, view.brightness / 100, view.gamma, view.invert ? 1 : 0);
    gl.uniform3f(places.local, view.sharpen / 50, view.flatten / 100, (filter.level ?? 0) / 255);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    pen.drawImage(gl.canvas, 0, 0);
  }

  forget() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

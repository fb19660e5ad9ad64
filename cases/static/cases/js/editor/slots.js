/* The karyogram sheet on the right: places in four rows, and the debris tray.  One scale for the whole sheet. */

import { LABELS, SHEET_ROWS, isDoubtful, sexComplement, slots } from "./reducer.js";
import { drawUpright, uprightBounds } from "./shapes.js";
import { LOST_PX, ROLE_PX, showLost, showRole } from "./signs.js";
import { standing } from "./standing.js";
import { chromosomeName, slotName, slotTitle } from "./words.js";

// What a place takes besides its chromosomes, CSS pixels: kept in step with editor.css.
const PLACE = { least: 52, sides: 22, between: 4, height: 36 };
const GAPS = { places: 8, groups: 24 };
const [LEAST_SCALE, MOST_SCALE] = [0.15, 4];
const TRAY_PX = 34;

function make(name, parent, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

const ROWS = SHEET_ROWS.map((groups, index) => (index === SHEET_ROWS.length - 1 ? [...groups, ["unknown"]] : groups));

export class Sheet {
  /* root: an empty element for the rows.  tray: the same for debris.  grab(event, id): starts dragging. */
  constructor({ root, tray, store, grab }) {
    Object.assign(this, { root, tray, store, grab });
    this.places = new Map();
    this.buttons = new Map();
    this.image = null;
    this.scale = 0;
    this.detail = 1; // how many times closer the sheet is looked at
    this.roomy = 0; // the scale when the page was opened or last resized
    this.#build();
    for (const area of [root, tray]) {
      area.addEventListener("pointerover", (event) => store.hover(this.#idAt(event)));
      area.addEventListener("pointerleave", () => store.hover(null));
      area.addEventListener("focusin", (event) => this.#focused(this.#idAt(event)));
      area.addEventListener("pointerdown", (event) => this.#down(event));
    }
    new ResizeObserver(() => this.store.state.document && this.render(true)).observe(root);
    const editor = root.closest(".editor");
    editor?.classList.toggle("fixed", !store.state.editable);
    store.subscribe((state, changed) => {
      if (changed.has("document") && state.document) this.render(false);
      if (["document", "selected", "also", "hovered"].some((name) => changed.has(name))) this.#mark(state);
      if (changed.has("editable")) editor?.classList.toggle("fixed", !state.editable);
    });
  }

  setImage(image) {
    this.image = image;
    for (const entry of this.buttons.values()) entry.drawn = "";
    if (this.store.state.document) this.render(true);
  }

  /** Draws the chromosomes again from the photograph's canvas, which someone has changed. */
  repaint() {
    for (const entry of this.buttons.values()) entry.drawn = "";
    for (const one of this.store.state.document?.chromosomes ?? []) this.#button(one);
  }

  /** How closely the sheet is looked at (1: as laid out): what is seen is drawn from single pixels of the photograph. */
  setDetail(detail) {
    this.detail = detail;
    for (const one of this.store.state.document?.chromosomes ?? []) this.#button(one);
  }

  #detailOf(button) {
    if (this.detail === 1 || !this.root.contains(button)) return 1;
    const [inner, outer] = [button.getBoundingClientRect(), this.root.getBoundingClientRect()];
    const seen = inner.right > outer.left && inner.left < outer.right && inner.bottom > outer.top && inner.top < outer.bottom;
    return seen ? this.detail : 1;
  }

  #build() {
    this.body = make("div", this.root, "sheet-body");
    SHEET_ROWS.forEach((groups, index) => {
      const row = make("div", this.body, "sheet-row");
      const last = index === SHEET_ROWS.length - 1;
      for (const labels of last ? [...groups, ["unknown"]] : groups) {
        const group = make("div", row, "sheet-group");
        for (const label of labels) this.#place(group, label);
      }
    });
    this.#place(this.tray, "debris");
  }

  #place(parent, slot) {
    const place = make("div", parent, `place place-${slot}`);
    place.dataset.slot = slot;
    place.setAttribute("role", "group");
    const stand = make("div", place, "stand");
    const foot = make("div", place, "place-foot");
    foot.setAttribute("aria-hidden", "true");
    if (slot !== "debris") make("span", foot, "place-name", slotName(slot)).title = slotTitle(slot);
    const many = make("span", foot, "place-count");
    this.places.set(slot, { place, stand, many });
  }

  /** Brings the page in step with the document; `anew`: the room or the photograph has changed too. */
  render(anew) {
    const { document: karyogram } = this.store.state;
    const fitting = this.#fittingScale(karyogram);
    // While someone works, the scale only shrinks where it must, and comes back to what it was at first: a change
    // that leaves more room makes nothing jump under the pointer.
    if (anew || !this.roomy) this.roomy = fitting;
    this.scale = Math.min(this.roomy, fitting);
    const focused = this.#idAt({ target: document.activeElement });
    const members = slots(karyogram);
    const here = new Set(karyogram.chromosomes.map((one) => one.id));
    for (const [id, { button }] of this.buttons)
      if (!here.has(id)) {
        button.remove();
        this.buttons.delete(id);
      }
    const sex = sexComplement(karyogram);
    for (const [slot, { place, stand, many }] of this.places) {
      const chromosomes = members.get(slot);
      chromosomes.forEach((chromosome, index) => {
        const { button } = this.#button(chromosome);
        if (stand.children[index] !== button) stand.insertBefore(button, stand.children[index] ?? null);
      });
      const lost = karyogram.lost?.[slot] ?? 0;
      const tallest = Math.max(...chromosomes.map((one) => uprightBounds(one).height * this.scale), 34);
      showLost(stand, lost, tallest);
      place.classList.toggle("doubtful", chromosomes.some(isDoubtful));
      const note = this.#countNote(slot, chromosomes.length, sex, karyogram);
      many.textContent = note;
      place.classList.toggle("odd", note !== "");
      const gone = lost ? `, and ${lost} counted as lost` : "";
      place.setAttribute("aria-label", `${slotTitle(slot)}: ${chromosomes.length}${gone}`);
    }
    this.#standUp(members);
    if (focused && document.activeElement !== this.buttons.get(focused)?.button) this.focus(focused);
    this.root.dispatchEvent(new CustomEvent("drawn"));
  }

  /* Centromeres on one line, row by row, where the document knows them. */
  #standUp(members) {
    for (const groups of ROWS) {
      const row = groups.flat().flatMap((label) => members.get(label));
      const { lifts } = standing(row);
      for (const { id } of row) this.buttons.get(id).button.style.marginBottom = `${(lifts.get(id) ?? 0) * this.scale}px`;
    }
  }

  /* Shown where a place does not hold what a place usually holds; normal sex complements are not remarked on. */
  #countNote(slot, number, sex, karyogram) {
    if (!karyogram.chromosomes.length) return "";
    if (slot === "unknown" || slot === "debris") return number > 1 ? String(number) : "";
    if (slot === "X" || slot === "Y") return ["XX", "XY"].includes(sex) ? "" : String(number);
    return number === 2 ? "" : String(number);
  }

  #button(chromosome) {
    const { id, angle, flip, straight = false, rings } = chromosome;
    if (!this.buttons.has(id)) {
      const button = make("button", null, "chromosome");
      button.type = "button";
      button.dataset.id = id;
      this.buttons.set(id, { button, canvas: make("canvas", button), drawn: "" });
    }
    const entry = this.buttons.get(id);
    const scale = this.#scaleOf(chromosome);
    const detail = this.#detailOf(entry.button);
    const wanted = `${angle} ${flip} ${straight} ${rings.length} ${scale} ${detail} ${globalThis.devicePixelRatio}`;
    if (entry.drawn !== wanted || entry.rings !== rings) {
      drawUpright(entry.canvas, this.image, chromosome, scale, detail);
      entry.drawn = wanted;
      entry.rings = rings;
    }
    const name = chromosomeName(chromosome);
    if (entry.button.getAttribute("aria-label") !== name) {
      entry.button.setAttribute("aria-label", name);
      entry.button.title = name;
    }
    showRole(entry.button, chromosome.state === "present" ? chromosome.role : "");
    entry.button.classList.toggle("doubtful", isDoubtful(chromosome));
    return entry;
  }

  #scaleOf(chromosome) {
    if (chromosome.state === "present") return this.scale;
    const { width, height } = uprightBounds(chromosome);
    return Math.min(this.scale, TRAY_PX / Math.max(height, width / 2));
  }

  #fittingScale(karyogram) {
    const { clientWidth, clientHeight } = this.root;
    if (!clientWidth || !clientHeight) return this.scale || 1;
    const style = getComputedStyle(this.root);
    const width = clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const height = clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    const sizes = new Map(LABELS.map((label) => [label, []]));
    for (const one of karyogram.chromosomes) if (one.state === "present") sizes.get(one.label).push({ ...uprightBounds(one), marked: Boolean(one.role) });
    const members = slots(karyogram);
    const heights = ROWS.map((groups) => standing(groups.flat().flatMap((label) => members.get(label))));
    const fits = (scale) => {
      let tall = 0;
      for (const [index, groups] of ROWS.entries()) {
        let wide = GAPS.groups * (groups.length - 1);
        let tallest = Math.max(20, (heights[index].above + heights[index].below) * scale);
        for (const labels of groups) {
          wide += GAPS.places * (labels.length - 1);
          for (const label of labels) {
            const ones = sizes.get(label);
            const own = ones.reduce((sum, one) => sum + one.width * scale + PLACE.between, PLACE.sides);
            const lost = (karyogram.lost?.[label] ?? 0) * (LOST_PX + PLACE.between);
            wide += Math.max(PLACE.least, own + lost);
            for (const one of ones) tallest = Math.max(tallest, one.height * scale + (one.marked ? ROLE_PX : 0));
          }
        }
        if (wide > width) return false;
        tall += tallest + PLACE.height;
      }
      return tall <= height;
    };
    let [low, high] = [LEAST_SCALE, MOST_SCALE];
    for (let turn = 0; turn < 14; turn += 1) {
      const middle = (low + high) / 2;
      if (fits(middle)) low = middle;
      else high = middle;
    }
    return low;
  }

  #mark({ selected, also, hovered, document: karyogram }) {
    const first = selected ?? this.buttonsInOrder()[0]?.dataset.id;
    for (const [id, { button }] of this.buttons) {
      button.classList.toggle("selected", id === selected);
      button.classList.toggle("also", id !== selected && also.includes(id));
      button.classList.toggle("hovered", id === hovered);
      if (id === selected) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
      // One stop for the Tab key; arrows go on from there.
      button.tabIndex = id === first ? 0 : -1;
    }
    const chosen = karyogram?.chromosomes.find((one) => one.id === selected);
    for (const [slot, { place }] of this.places)
      place.classList.toggle("holds-selected", chosen?.state === "present" && chosen.label === slot);
  }

  /* By the Tab key, or by what has chosen it already. */
  #focused(id) {
    if (id && id !== this.store.state.selected) this.store.select(id);
  }

  #idAt(event) {
    return event.target?.closest?.(".chromosome")?.dataset.id ?? null;
  }

  #down(event) {
    if (event.button !== 0) return;
    const id = this.#idAt(event);
    if (!id) {
      this.store.select(null);
      return;
    }
    if (event.shiftKey) {
      event.preventDefault();
      this.store.toggle(id);
      this.focus(this.store.state.selected);
      return;
    }
    this.store.select(id);
    this.grab(event, id);
  }

  /** All chromosomes' buttons as the sheet is read: row by row, debris last. */
  buttonsInOrder() {
    return [...this.root.querySelectorAll(".chromosome"), ...this.tray.querySelectorAll(".chromosome")];
  }

  buttonOf(id) {
    return this.buttons.get(id)?.button ?? null;
  }

  canvasOf(id) {
    return this.buttons.get(id)?.canvas ?? null;
  }

  focus(id) {
    this.buttonOf(id)?.focus({ preventScroll: true });
  }

  /** The chromosome beside this one: direction "left" | "right" | "up" | "down"; null at the end. */
  neighbour(id, direction) {
    const all = this.buttonsInOrder();
    const here = all.findIndex((button) => button.dataset.id === id);
    if (here < 0) return all[0]?.dataset.id ?? null;
    if (direction === "left" || direction === "right")
      return all[here + (direction === "left" ? -1 : 1)]?.dataset.id ?? null;
    const rows = [...this.root.querySelectorAll(".sheet-row"), this.tray];
    const row = rows.findIndex((one) => one.contains(all[here]));
    const step = direction === "up" ? -1 : 1;
    const from = middle(all[here]);
    for (let other = row + step; rows[other]; other += step) {
      const there = [...rows[other].querySelectorAll(".chromosome")];
      there.sort((one, two) => Math.abs(middle(one) - from) - Math.abs(middle(two) - from));
      if (there.length) return there[0].dataset.id;
    }
    return null;
  }

  /** Where a chromosome dropped at this point would go: {slot, index} or null.  Its own place counts as taken out. */
  dropAt(clientX, clientY, id) {
    const target = document.elementFromPoint(clientX, clientY)?.closest("[data-slot]");
    if (!target) return null;
    const { slot } = target.dataset;
    const others = [...target.querySelectorAll(".chromosome")].filter((button) => button.dataset.id !== id);
    const index = others.filter((button) => middle(button) < clientX).length;
    return { slot, index };
  }

  /** Shows where it would go; null: nothing is dragged. */
  showDrop(drop, id) {
    this.caret ??= make("div", null, "caret");
    for (const [slot, { place }] of this.places) place.classList.toggle("target", drop?.slot === slot);
    if (!drop) {
      this.caret.remove();
      return;
    }
    const { stand } = this.places.get(drop.slot);
    const others = [...stand.querySelectorAll(".chromosome")].filter((button) => button.dataset.id !== id);
    const bounds = stand.getBoundingClientRect();
    const [before, after] = [others[drop.index - 1], others[drop.index]];
    const x = after
      ? after.getBoundingClientRect().left - 3
      : before
        ? before.getBoundingClientRect().right + 1
        : bounds.left + bounds.width / 2;
    if (this.caret.parentElement !== stand) stand.append(this.caret);
    this.caret.style.left = `${((x - bounds.left) * stand.offsetWidth) / bounds.width}px`; // the sheet may be zoomed
  }
}

const middle = (button) => {
  const { left, width } = button.getBoundingClientRect();
  return left + width / 2;
};

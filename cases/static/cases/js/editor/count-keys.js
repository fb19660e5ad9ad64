/* Keys of counting mode.  While it is on, no other key of the page acts. */

import { keyOf } from "./keyboard.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export const COUNTING_KEYS = {
  Enter: (counting) => counting.store(),
  a: (counting) => counting.store({ analysed: true }),
  ".": (counting) => counting.step(1),
  PageDown: (counting) => counting.step(1),
  ",": (counting) => counting.step(-1),
  PageUp: (counting) => counting.step(-1),
  s: (counting) => counting.setSure(!counting.sure),
  e: (counting) => counting.panel.askReason(),
  z: (counting) => counting.field.undo(),
  "Mod+z": (counting) => counting.field.undo(),
  "Shift+z": (counting) => counting.field.redo(),
  "Mod+Shift+z": (counting) => counting.field.redo(),
  Backspace: (counting) => counting.field.takeLast(),
  " ": (counting) => counting.field.toggleAtCross(),
  0: (counting) => counting.field.spread.fit(),
  "+": (counting) => counting.field.spread.zoomBy(1.25),
  "=": (counting) => counting.field.spread.zoomBy(1.25),
  "-": (counting) => counting.field.spread.zoomBy(0.8),
  "#": (counting) => counting.close(),
  j: (counting) => counting.close(),
  Escape: (counting) => counting.panel.closeReason() || counting.close(),
};

export function listenCounting(counting) {
  // Before everything else on the page: a key of the editor must not act on a karyogram that is not seen.
  document.addEventListener(
    "keydown",
    (event) => {
      if (!counting.on || event.isComposing || document.querySelector("dialog[open]")) return;
      const from = event.target instanceof Element ? event.target : document.body;
      if (from.closest(".top") || event.key === "Tab") return;
      const key = keyOf(event);
      const typing = from.closest("input[type=text], textarea, select");
      const pressing = from.closest("button, a, input") && (key === "Enter" || key === " ");
      if (key === "?") return; // the list of keys
      event.stopImmediatePropagation();
      if (typing ? key !== "Escape" : pressing) return;
      const arrow = /^(Shift\+)?(Arrow\w+)$/.exec(key);
      if (arrow && from.closest("input[type=radio]")) return;
      if (!arrow && !Object.hasOwn(COUNTING_KEYS, key)) return;
      event.preventDefault();
      if (!counting.state && !["Escape", "#", "j", ".", ",", "PageUp", "PageDown"].includes(key)) return;
      if (arrow) counting.field.moveCross(...ARROWS[arrow[2]], Boolean(arrow[1]));
      else void COUNTING_KEYS[key](counting);
    },
    true,
  );
}

/* One chromosome across a case's cells: the ideogram at the same scale, and keys from class to class. */

import { ideogram, loadBands } from "./editor/ideogram.js";
import { ClassTyping, keyOf } from "./editor/keyboard.js";

const WAIT_MS = 700;
const LETTERS = { x: "X", y: "Y", u: "unknown" };
const root = document.getElementById("across");
const figure = document.getElementById("ideogram");
const typing = new ClassTyping();
let timer = 0;

function openClass(label) {
  root.querySelector(`.across-classes [data-class="${label}"]`)?.click();
}

function typed(digit) {
  clearTimeout(timer);
  const { label, wait } = typing.next(digit);
  if (label) openClass(label);
  else if (wait) timer = setTimeout(() => openClass(typing.finish()), WAIT_MS);
}

function walk(by) {
  const all = [...root.querySelectorAll(".across-one")];
  const here = all.indexOf(document.activeElement);
  all[Math.min(all.length - 1, Math.max(0, here + by))]?.focus();
}

document.addEventListener("keydown", (event) => {
  const from = event.target instanceof Element ? event.target : document.body;
  if (event.defaultPrevented || from.closest("input, select, textarea")) return;
  const key = keyOf(event);
  const way = { ".": "next", PageDown: "next", ",": "prev", PageUp: "prev" }[key];
  if (way) document.querySelector(`a[rel=${way}]`)?.click();
  else if (/^[0-9]$/.test(key)) typed(key);
  else if (Object.hasOwn(LETTERS, key)) openClass(LETTERS[key]);
  else if (key === "ArrowRight" || key === "ArrowLeft") walk(key === "ArrowRight" ? 1 : -1);
  else return;
  event.preventDefault();
});

/* As tall as the homologues are on the whole, so that band stands beside band. */
async function showIdeogram() {
  const levels = await loadBands();
  const bands = document.getElementById("bands");
  const draw = () => {
    const drawn = ideogram(levels, root.dataset.class, {
      level: Number(bands.value),
      height: Number(root.dataset.typical),
      width: 22,
      names: true,
    });
    figure.hidden = !drawn;
    figure.querySelector("svg")?.remove();
    if (drawn) figure.prepend(drawn);
  };
  bands.addEventListener("change", draw);
  draw();
}

// Without the tables the cells are still worth looking at.
if (figure) showIdeogram().catch(() => (figure.hidden = true));

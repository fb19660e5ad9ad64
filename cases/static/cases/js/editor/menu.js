/* The operations on what lies under the pointer, with their keys: by right click, long press, or the menu key. */

import { keyCaps, keyOf } from "./keyboard.js";
import { isDoubtful, slots } from "./reducer.js";
import { chromosomeName, plural, slotTitle } from "./words.js";

const LONG_PRESS_MS = 550;
const TREMBLE_PX = 9;
const MARGIN = 8;

function make(name, parent, attributes = {}, text) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

/** What can be done with the chosen chromosomes: lists of {says, key, run}, one list a group.  Names come from the
    state, so that the menu says “no longer a marker” where it is one. */
export function operationsOn(store, commands, page) {
  const { selected: one, chosen, state } = store;
  const { arranging } = commands;
  const lone = chosen.length === 1;
  const { label, state: stands, role, straight, axis } = one;
  const present = stands === "present";
  const named = present && label !== "unknown";
  const lost = state.document.lost?.[label] ?? 0;
  const pair = named && slots(state.document).get(label).length === 2;
  const swapping = chosen.length === 2 ? "Swap the two chosen" : lone && pair ? `Swap the two ${label}s` : "";
  const groups = [
    [
      lone && isDoubtful(one) && { says: `Keep ${named ? label : "it"} as it is`, key: "Enter", run: () => commands.keep() },
      swapping && { says: swapping, key: "w", run: () => arranging.swap() },
      !lone && { says: `Merge the ${chosen.length} chosen into one`, key: "Shift+m", run: () => arranging.merge() },
    ],
    [
      (label !== "unknown" || !present) && { says: "Unclassified", key: "u", run: () => commands.relabel("unknown") },
      lone && { says: role === "marker" ? "No longer a marker" : "Marker", key: "m", run: () => arranging.marker() },
      lone && present && { says: role === "derivative" ? "No longer a derivative" : "Derivative", key: "Shift+d", run: () => arranging.derivative() },
      present && { says: "Debris", key: "Delete", run: () => commands.debris() },
    ],
    lone && named ? lossesOf(label, lost, arranging) : [],
    lone
      ? [
          { says: "Upside down", key: "t", run: () => commands.turnUpsideDown() },
          { says: "A quarter turn clockwise", key: "r", run: () => commands.turnQuarter() },
          { says: "Flip left and right", key: "f", run: () => commands.flip() },
          (axis || straight) && { says: straight ? "Show it as it lies" : "Show it straightened", key: "s", run: () => arranging.straighten() },
        ]
      : [],
    lone && page.useTool
      ? [
          { says: "Refine the outline", key: "g", run: () => page.useTool("refine") },
          { says: "Split in two", key: "k", run: () => page.useTool("split") },
        ]
      : [],
    lone ? [{ says: "As the machine proposed it", key: "p", run: () => arranging.restore() }] : [],
  ];
  return groups.map((group) => group.filter(Boolean)).filter((group) => group.length);
}

const lossesOf = (label, lost, arranging) => [
  { says: `Count one ${label} as lost`, key: "l", run: () => arranging.lost(label, 1) },
  lost > 0 && { says: `Not lost: take one ${label} back`, key: "Shift+l", run: () => arranging.lost(label, -1) },
];

/** What can be done with a place of the sheet (a slot, or null for the ground beside all of them). */
function operationsOnPlace(slot, store, commands) {
  const { document: karyogram, canUndo, canRedo } = store.state;
  const { arranging } = commands;
  const named = slot && slot !== "unknown" && slot !== "debris";
  const groups = [
    named ? lossesOf(slot, karyogram.lost?.[slot] ?? 0, arranging) : [],
    [
      canUndo && { says: "Undo", key: "z", run: () => commands.undo() },
      canRedo && { says: "Redo", key: "Shift+z", run: () => commands.redo() },
      { says: "The whole cell as the machine proposed it", key: "Shift+p", run: () => arranging.restoreAll() },
    ],
  ];
  return groups.map((group) => group.filter(Boolean)).filter((group) => group.length);
}

/** areas: elements whose chromosomes ([data-id]) and places ([data-slot]) have a menu. */
export function makeMenu({ areas, store, commands, page, sheet }) {
  const menu = make("div", document.body, { class: "operations", role: "menu", popover: "manual" });
  let items = [];
  let opened = 0;

  function open(x, y, { id, slot }) {
    const { document: karyogram, editable, lockedBecause } = store.state;
    if (!karyogram) return;
    if (id && !store.chosen.some((one) => one.id === id)) store.select(id);
    else if (!id) store.select(null);
    const many = store.chosen.length;
    const title = id ? (many > 1 ? `${plural(many, "chromosome")} chosen` : capital(chromosomeName(store.chromosome(id)))) : slot ? capital(slotTitle(slot)) : "This cell";
    const groups = !editable ? [] : id ? operationsOn(store, commands, page) : operationsOnPlace(slot, store, commands);
    const [name, ...doubt] = title.split(", doubtful: ");
    menu.replaceChildren();
    const head = make("div", menu, { class: "operations-title", role: "presentation" }, name);
    const below = editable ? doubt[0] : lockedBecause || "This karyogram can be looked at, not changed.";
    if (below) make("small", head, {}, below);
    menu.setAttribute("aria-label", title);
    items = groups.flatMap((group) => {
      make("hr", menu, { role: "separator" });
      return group.map((operation) => itemOf(operation));
    });
    menu.showPopover();
    opened = Date.now();
    const { offsetWidth: width, offsetHeight: height } = menu;
    menu.style.left = `${Math.max(MARGIN, Math.min(x, innerWidth - width - MARGIN))}px`;
    menu.style.top = `${Math.max(MARGIN, Math.min(y, innerHeight - height - MARGIN))}px`;
    (items[0]?.button ?? menu).focus();
  }

  function itemOf({ says, key, run }) {
    const button = make("button", menu, { type: "button", role: "menuitem", class: "operation", tabindex: "-1" });
    make("span", button, {}, says);
    const caps = make("span", button, { class: "operation-keys" });
    for (const cap of keyCaps(key)) make("kbd", caps, {}, cap);
    const item = { button, key, run: () => (close(), run()) };
    button.addEventListener("click", item.run);
    return item;
  }

  function close() {
    menu.hidePopover();
    if (store.state.selected) sheet.focus(store.state.selected);
  }

  menu.addEventListener("keydown", (event) => {
    const here = items.findIndex(({ button }) => button === document.activeElement);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: -1 }[event.key];
    const meant = items.find(({ key }) => key === keyOf(event));
    if (to !== undefined) items.at(to % items.length)?.button.focus();
    else if (event.key === "Escape" || event.key === "Tab") close();
    else if (event.key === "Enter" || event.key === " ") items[here]?.run();
    else if (meant) meant.run();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  // Not left to the browser: letting go of a long press would close what it has just opened.
  addEventListener("pointerdown", (event) => !menu.contains(event.target) && menu.hidePopover(), { capture: true });
  menu.addEventListener("focusout", (event) => event.relatedTarget && !menu.contains(event.relatedTarget) && menu.hidePopover());

  const under = (target) => ({
    id: target.closest?.("[data-id]")?.dataset.id ?? null,
    slot: target.closest?.("[data-slot]")?.dataset.slot ?? null,
  });

  for (const area of areas) {
    area.addEventListener("contextmenu", (event) => {
      if (event.defaultPrevented) return;
      event.preventDefault();
      // A long press may bring the browser's own event as well.
      if (!menu.matches(":popover-open") || Date.now() - opened > LONG_PRESS_MS) open(event.clientX, event.clientY, under(event.target));
    });
    area.addEventListener("pointerdown", (down) => {
      if (down.pointerType === "mouse" || !down.isPrimary || store.state.tool !== "choose") return;
      const ended = new AbortController();
      const options = { signal: ended.signal };
      const timer = setTimeout(() => {
        // What the finger had begun to drag stays where it is.
        dispatchEvent(new PointerEvent("pointercancel", { pointerId: down.pointerId }));
        open(down.clientX, down.clientY, under(down.target));
      }, LONG_PRESS_MS);
      ended.signal.addEventListener("abort", () => clearTimeout(timer));
      const moved = (event) => Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) > TREMBLE_PX && ended.abort();
      addEventListener("pointermove", moved, options);
      for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => ended.abort(), options);
      addEventListener("pointerdown", () => ended.abort(), { ...options, capture: true });
    });
  }
  for (const kind of ["pointermove", "pointerdown"])
    addEventListener(kind, () => (commands.arranging.pointing = true), { passive: true });
}

const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);

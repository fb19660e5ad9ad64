/* What stands on the sheet besides the chromosomes: dashed places of lost ones, and the marks “der” and “mar”. */

import { ROLE_MARKS } from "./words.js";

export const LOST_PX = 16; // the width of a dashed place, CSS pixels
export const ROLE_PX = 11; // the height of a mark above its chromosome

function make(name, parent, className, text) {
  const element = document.createElement(name);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

/** As many dashed places at the end of a stand as homologues are counted as lost; height: CSS pixels. */
export function showLost(stand, number, height) {
  const shown = [...stand.querySelectorAll(".lost-place")];
  for (const extra of shown.splice(number)) extra.remove();
  while (shown.length < number) shown.push(make("span", stand, "lost-place", "lost"));
  for (const place of shown) {
    if (place !== stand.lastElementChild) stand.append(place);
    place.title = "Counted as lost by preparation";
    place.style.height = `${Math.round(height)}px`;
  }
}

/** The mark above a chromosome's picture; none for a plain one. */
export function showRole(button, role) {
  const words = ROLE_MARKS[role] ?? "";
  const shown = button.querySelector(".role-mark");
  if (!words) shown?.remove();
  else (shown ?? make("span", button, "role-mark")).textContent = words;
}

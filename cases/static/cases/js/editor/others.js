/* This cell's count against the case's other cells: "45 here; others 46 ×7, 45 ×1", leading to one chromosome across
   them.  A person's count that the karyogram does not bear out is a doubt. */

import { count } from "./reducer.js";

const MOST_SHOWN = 3;

/** "46 ×7, 45 ×1", commonest first; "" where no other cell has been counted. */
export function othersInWords(cells, here) {
  const found = new Map();
  for (const { id, count: number, standing } of cells)
    if (id !== here && number !== null && !["new", "excluded"].includes(standing)) found.set(number, (found.get(number) ?? 0) + 1);
  return [...found]
    .sort(([one, some], [other, more]) => more - some || one - other)
    .map(([number, many], place) => (place < MOST_SHOWN ? `${number}\u00a0×${many}` : place === MOST_SHOWN ? "…" : ""))
    .filter(Boolean)
    .join(", ");
}

/** → refresh(), for when something has been counted.  link: an <a> to the page of one class across cells. */
export function showOthers({ store, link, cells, here }) {
  const own = cells.find(({ id }) => id === here);
  function show() {
    const { document: karyogram, selected } = store.state;
    if (!karyogram) return;
    const number = count(karyogram);
    const others = othersInWords(cells, here);
    const differs = own.counted !== null && own.counted !== number;
    link.hidden = !others && !differs;
    const words = [differs ? `counted ${own.counted}, ${number} here` : `${number} here`, others && `others ${others}`];
    link.textContent = words.filter(Boolean).join("; ");
    link.classList.toggle("doubtful", differs);
    const label = store.chromosome(selected)?.label ?? "1";
    link.href = `${link.dataset.across}?class=${label}`;
    link.title = `${link.textContent}. Open chromosome ${label === "unknown" ? "?" : label} across the cells`;
  }
  store.subscribe((_, changed) => (changed.has("document") || changed.has("selected")) && show());
  return show;
}

/* The list of keys, in a dialog that the browser itself keeps the focus in. */

import { SHORTCUTS, keyCaps } from "./keyboard.js";

export function makeHelp({ dialog, list }) {
  const groups = Map.groupBy ? Map.groupBy(SHORTCUTS, (one) => one.group) : grouped(SHORTCUTS);
  for (const [name, shortcuts] of groups) {
    const section = list.appendChild(document.createElement("section"));
    section.appendChild(document.createElement("h3")).textContent = name;
    const entries = section.appendChild(document.createElement("dl"));
    for (const { keys, says } of shortcuts) {
      const term = entries.appendChild(document.createElement("dt"));
      keys.forEach((key, index) => {
        if (index) term.append(" ");
        const group = term.appendChild(document.createElement("span"));
        for (const cap of keyCaps(key)) group.appendChild(document.createElement("kbd")).textContent = cap;
      });
      entries.appendChild(document.createElement("dd")).textContent = says;
    }
  }
  // A click beside the dialog lands on the dialog element itself.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  return () => dialog.showModal();
}

function grouped(shortcuts) {
  const groups = new Map();
  for (const one of shortcuts) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  return groups;
}

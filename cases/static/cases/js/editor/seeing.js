/* Everything of the cell page that is about seeing, hooked together: picture settings, zoom of both panes, scale bars,
   and what of it is remembered for the person. */

import { ScaleBar } from "./scale-bar.js";
import { SheetZoom } from "./sheet-zoom.js";
import { View } from "./view.js";

/** Adds fit, zoom, toggleOutlines and toggleKeyHints to `page`; → the View, which takes the photograph. */
export function startSeeing({ page, config, preferences, spread, sheet, store }) {
  const byId = (id) => document.getElementById(id);
  const editor = byId("main");
  const sheetZoom = new SheetZoom({ root: sheet.root, body: sheet.body, sheet, store });
  const outlines = byId("outlines");

  function showOutlines(on) {
    outlines.setAttribute("aria-pressed", String(on));
    spread.showOutlines(on);
  }
  function showKeyHints(on) {
    editor.classList.toggle("no-key-hints", !on);
  }
  showOutlines(preferences.get("outlines") ?? true);
  showKeyHints(preferences.get("key_hints") ?? true);

  // + and - act on the pane under the pointer; without one, on the photograph.
  const overSheet = () => sheet.root.closest(".pane").matches(":hover");
  Object.assign(page, {
    fit() {
      if (overSheet()) sheetZoom.fit();
      else spread.fit();
    },
    zoom: (factor) => (overSheet() ? sheetZoom : spread).zoomBy(factor),
    toggleOutlines() {
      const on = outlines.getAttribute("aria-pressed") !== "true";
      showOutlines(on);
      preferences.set({ outlines: on });
    },
    toggleKeyHints() {
      const on = editor.classList.contains("no-key-hints");
      showKeyHints(on);
      preferences.set({ key_hints: on });
    },
  });
  // The button says "Fit" beside the photograph: wherever the pointer came from, it means the photograph.
  byId("fit").addEventListener("click", () => spread.fit());
  new ScaleBar({ table: spread.svg.parentElement, micrometres: config.micrometresPerPixel }).follow(spread.svg, "viewed", (event) => event.detail.scale);
  new ScaleBar({ table: sheet.root.closest(".light-table"), micrometres: config.micrometresPerPixel }).follow(
    sheet.root,
    "drawn",
    () => sheet.scale * sheetZoom.scale,
  );
  return new View({
    button: byId("view"),
    popover: byId("view-popover"),
    spread,
    sheet,
    preferences,
    switches: [
      {
        label: "Keys along the foot of the page",
        on: () => !editor.classList.contains("no-key-hints"),
        toggle: () => page.toggleKeyHints(),
      },
    ],
  });
}

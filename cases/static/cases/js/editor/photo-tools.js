/* Puts the tools on the photograph together: what main.js calls once. */

import { browserShelf } from "./keeping.js";
import { makePinch } from "./pinch.js";
import { makeAdd } from "./tool-add.js";
import { makeBrushes } from "./tool-brush.js";
import { makeRefine } from "./tool-refine.js";
import { makeSplit } from "./tool-split.js";
import { Tools } from "./tools.js";

/** → Tools.  api: {cut(body)}. */
export function startTools({ store, history, api, image, say, spread }) {
  const byId = (id) => document.getElementById(id);
  const { svg } = spread;
  // Before the tools listen: the second finger must not reach them.
  makePinch({
    svg,
    spread,
    begin() {
      tools.giveUp();
      // A chromosome that one finger had begun to drag stays where it is.
      dispatchEvent(new PointerEvent("pointercancel"));
    },
  });
  const tools = new Tools({
    svg,
    image,
    store,
    say,
    parts: { bar: byId("tools"), hint: byId("tool-hint"), text: byId("tool-hint-text"), options: byId("tool-options") },
  });
  const given = { tools, store, history, api, image, say };
  tools.add(makeAdd(given));
  tools.add(makeRefine(given));
  for (const brush of makeBrushes({ ...given, shelf: browserShelf("karyosite:brush") })) tools.add(brush);
  tools.add(makeSplit(given));
  return tools;
}

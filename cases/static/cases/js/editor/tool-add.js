/* Add: a box drawn around a chromosome, or a click on it; the server cuts it out. */

import { pathData } from "./shapes.js";
import { askCut } from "./tool-cut.js";
import { added } from "./tool-edits.js";
import { chromosomeName } from "./words.js";

const LEAST_SIDE = 5; // pixels of the photograph

export function makeAdd({ tools, store, history, api, image, say }) {
  let turn = 0; // an answer that nobody waits for any more changes nothing

  const boxOf = (points) => {
    const [[x1, y1], [x2, y2]] = [points[0], points.at(-1)];
    const within = (value, most) => Math.round(Math.min(most, Math.max(0, value)) * 10) / 10;
    return [
      within(Math.min(x1, x2), image.width),
      within(Math.min(y1, y2), image.height),
      within(Math.max(x1, x2), image.width),
      within(Math.max(y1, y2), image.height),
    ];
  };
  const outline = ([x1, y1, x2, y2]) => pathData([[[x1, y1], [x2, y1], [x2, y2], [x1, y2]]]);

  async function cut(body) {
    turn += 1;
    const mine = turn;
    const found = await tools.whileBusy(() => askCut({ api, say, image }, body));
    if (mine !== turn) return;
    tools.layer.path("box", null);
    tools.layer.points([], 1);
    if (!found) return;
    const edit = added(store.state.document, found);
    if (!history.edit(edit)) return;
    store.select(edit.chromosome.id);
    const { selected } = store;
    const name = selected.label === "unknown" ? "an unclassified one" : `a chromosome ${selected.label}`;
    say(`Added as ${name}. Type its class to change that; Z takes it back.`, "info");
    say(chromosomeName(selected), "quiet");
  }

  return {
    id: "add",
    hint: () => "Drag a box around a chromosome, or click it.",
    drag: (points) => tools.layer.path("box", outline(boxOf(points)), "box"),
    drop(points) {
      const box = boxOf(points);
      if (box[2] - box[0] < LEAST_SIDE || box[3] - box[1] < LEAST_SIDE) {
        tools.layer.path("box", null);
        say("This box is too small to hold a chromosome.", "info");
        return;
      }
      tools.layer.path("box", outline(box), "box waits");
      void cut({ box });
    },
    click(point) {
      const [x, y] = point;
      if (x < 0 || y < 0 || x >= image.width || y >= image.height) return;
      // What was put aside is what somebody who adds something looks for, also where another one lies over it.
      const aside = tools.outlineAt(point, "debris");
      if (aside) {
        store.select(aside);
        say("This one was put aside as debris. Type its class to bring it back.", "info");
        return;
      }
      const there = tools.outlineAt(point);
      if (there) {
        store.select(there);
        say("This one has its outline already. To add one that lies across it, draw a box around it.", "info");
        return;
      }
      tools.layer.points([[x, y, 1]], tools.scale);
      void cut({ points: [[x, y, 1]] });
    },
    giveUp: () => tools.layer.path("box", null),
    /* Esc gives up an answer that is waited for, before it leaves the tool. */
    escape() {
      if (!tools.busy) return false;
      turn += 1;
      tools.stopWaiting();
      tools.layer.clear();
      return true;
    },
    left() {
      turn += 1;
    },
  };
}

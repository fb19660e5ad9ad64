/* Split: one outline that holds two chromosomes becomes two.

   Touching: a line drawn across, or a click on one and then on the other.  Crossing: a line along each of them; what
   both cover stays with both.  The server is asked which classes the two parts are; without its answer the larger part
   keeps its class and the other waits among the unclassified. */

import { ringsAround } from "./contour.js";
import { at, likeness, maskOf } from "./raster.js";
import { pathData, ringsOf } from "./shapes.js";
import { dense, runsAlong, splitAlong, splitBetween, splitByLine } from "./split.js";
import { askCut } from "./tool-cut.js";
import { added, reshaped, sameRings, uprightAngleOf } from "./tool-edits.js";

const WAIT_MS = 2500; // for the server's word on the parts; splitting itself does not need it
const STILL_THE_SAME = 0.8; // likeness below which the server's outline is another one than the part

export function makeSplit({ tools, store, history, api, image, say }) {
  let both = true;
  let first = null; // {id, rings, point | line}: the first of two clicks or lines
  let turn = 0;

  const lineData = (points) => "M" + points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L");

  const asksAboutCrossing = (on) => {
    const [label] = tools.parts.options.children;
    if (label) label.hidden = !on;
  };

  function forget() {
    first = null;
    asksAboutCrossing(false);
    tools.layer.path("first", null);
    tools.layer.path("line", null);
    tools.layer.points([], 1);
    tools.refresh();
  }

  /* The chosen one where the gesture touches it; otherwise the one that most of the gesture lies in. */
  function meantBy(points) {
    const touched = new Map();
    for (const chromosome of store.state.document.chromosomes) {
      const mask = maskOf(ringsOf(chromosome), image, { fine: 1 });
      const many = points.filter((point) => at(mask, point)).length;
      if (many) touched.set(chromosome.id, many);
    }
    const { selected } = store.state;
    if (first && touched.has(first.id)) return store.chromosome(first.id);
    if (touched.has(selected)) return store.chromosome(selected);
    const most = [...touched].sort(([, one], [, other]) => other - one)[0];
    return most ? store.chromosome(most[0]) : null;
  }

  /** A part as the server sees it, or null where it does not answer in time. */
  async function described(rings) {
    const late = new Promise((resolve) => setTimeout(resolve, WAIT_MS, null));
    const found = await Promise.race([askCut({ api, say, image, quietly: true }, { rings }), late]);
    return found && likeness(maskOf(found.rings, image), maskOf(rings, image)) >= STILL_THE_SAME ? found : null;
  }

  async function apply(chromosome, masks) {
    const [kept, cut] = masks.map(ringsAround);
    if (!kept.length || !cut.length) return refuse();
    forget();
    store.select(chromosome.id);
    tools.layer.path("kept", pathData(kept), "brush waits");
    tools.layer.path("cut", pathData(cut), "second waits");
    turn += 1;
    const mine = turn;
    const { rings } = chromosome;
    const [one, other] = await tools.whileBusy(() => Promise.all([described(kept), described(cut)]));
    if (mine !== turn) return;
    tools.layer.path("kept", null);
    tools.layer.path("cut", null);
    const now = store.chromosome(chromosome.id);
    if (!now || !sameRings(now.rings, rings)) {
      say("This chromosome was changed meanwhile; it was not split. Please draw the line again.", "info");
      return;
    }
    const add = added(store.state.document, { ...other, rings: cut });
    const edits = [
      reshaped(now, kept, image, { axis: one?.axis ?? null, centromere: one?.centromere ?? null }),
      { op: "rotate", id: now.id, angle: one?.angle ?? uprightAngleOf(kept, now.angle) },
      { op: "review", id: now.id, reviewed: true },
      add,
    ];
    if (!history.edit({ op: "batch", as: "split", edits })) return;
    const { label } = add.chromosome;
    store.select(add.chromosome.id);
    say(
      `Split in two; the new one is ${label === "unknown" ? "unclassified" : `a chromosome ${label}`} and chosen. Type its class to change that.`,
      "info",
    );
  }

  function refuse(sentence = "This does not part the chromosome. Draw the line right across it, from outside to outside.") {
    forget();
    say(sentence, "info");
  }

  const still = (chromosome) => first && first.id === chromosome.id && sameRings(first.rings, chromosome.rings);

  return {
    id: "split",
    waits: "Looking which classes these are …",
    hint: () =>
      first?.point
        ? "Now click the other one."
        : first?.line
          ? "Now draw along the other one."
          : "Touching: draw across, or click each. Crossing: draw along each.",
    options(element) {
      const label = document.createElement("label");
      const box = document.createElement("input");
      Object.assign(box, { type: "checkbox", checked: both });
      box.addEventListener("change", () => {
        both = box.checked;
        box.blur();
      });
      label.append(box, "Both keep the crossing");
      label.title = "Q changes it";
      label.hidden = !first?.line;
      element.append(label);
    },
    key(key) {
      if (key.toLowerCase() !== "q") return false;
      both = !both;
      tools.parts.options.querySelector("input").checked = both;
      return true;
    },
    drag: (points) => tools.layer.path("line", lineData(points), "line"),
    drop(points) {
      const line = dense(points);
      tools.layer.path("line", null);
      const chromosome = meantBy(line);
      if (!chromosome) {
        refuse("No chromosome lies under this line.");
        return;
      }
      const mask = maskOf(ringsOf(chromosome), image);
      if (runsAlong(mask, line)) {
        if (!still(chromosome) || !first.line) {
          forget();
          first = { id: chromosome.id, rings: chromosome.rings, line };
          store.select(chromosome.id);
          tools.layer.path("first", lineData(line), "line along");
          asksAboutCrossing(true);
          tools.refresh();
          return;
        }
        const masks = splitAlong(mask, first.line, line, both);
        if (masks) void apply(chromosome, masks);
        else refuse("The two lines run along the same part. Draw one along each chromosome, from end to end.");
        return;
      }
      const masks = splitByLine(mask, line);
      if (masks) void apply(chromosome, masks);
      else refuse();
    },
    click(point) {
      const chromosome = meantBy([point]);
      if (!chromosome) {
        if (first) refuse("That is beside the chromosome. Click one of the two, then the other.");
        return;
      }
      if (!still(chromosome) || !first.point) {
        forget();
        first = { id: chromosome.id, rings: chromosome.rings, point };
        store.select(chromosome.id);
        tools.layer.points([[...point, 1]], tools.scale);
        tools.refresh();
        return;
      }
      const masks = splitBetween(maskOf(ringsOf(chromosome), image), first.point, point);
      if (masks) void apply(chromosome, masks);
      else refuse("The two clicks lie too close together to tell the chromosomes apart.");
    },
    /* Asked while the person looks where to part it: the server has the photograph at hand by the time it is asked
       which classes the parts are. */
    entered() {
      const { selected } = store;
      if (selected) void askCut({ api, say, image, quietly: true }, { rings: ringsOf(selected) });
    },
    giveUp: () => tools.layer.path("line", null),
    escape() {
      const waits = first !== null || tools.busy !== null;
      turn += 1;
      tools.stopWaiting();
      tools.layer.clear();
      forget();
      return waits;
    },
    left() {
      turn += 1;
      first = null;
    },
  };
}

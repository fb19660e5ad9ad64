/* Puts the cell page together.  Everything that it needs to know stands in #cell-config. */

import { Analysis } from "./analysis.js";
import { Refused, Unreachable, karyogramApi } from "./api.js";
import { makeSay, showConflict, showControls, showDoubts, showFacts, showModels, showNote, showSaving, showTyped } from "./bars.js";
import { chromosomePanel } from "./chromosome-panel.js";
import { Commands } from "./commands.js";
import { Counting } from "./counting.js";
import { makeDrag, makeTurnHandle } from "./drag.js";
import { Drawer } from "./drawer.js";
import { makeHelp } from "./help.js";
import { History } from "./history.js";
import { browserShelf } from "./keeping.js";
import { listen } from "./keyboard.js";
import { makeMenu } from "./menu.js";
import { showOthers } from "./others.js";
import { Preferences, shelfOf } from "./preferences.js";
import { startTools } from "./photo-tools.js";
import { startSeeing } from "./seeing.js";
import { startSharing } from "./sharing.js";
import { Sheet } from "./slots.js";
import { Spread } from "./spread.js";
import { Store } from "./store.js";

const LOOK_AGAIN_MS = 15_000;

const byId = (id) => document.getElementById(id);
const config = JSON.parse(byId("cell-config").textContent);
const editor = byId("main");
const shelfName = (cell) => `karyosite:unsent:${config.user}:${cell}`;

const store = new Store();
const preferences = new Preferences({ kept: config.preferences, url: config.urls.preferences });
const say = makeSay({ box: byId("say"), text: byId("say-text"), close: byId("say-close"), quiet: byId("say-quiet") });
const server = karyogramApi(config.urls.karyogram);
const history = new History({ store, say, api: server, shelf: browserShelf(shelfName(config.metaphase)) });

let grab = () => {};
const sheet = new Sheet({ root: byId("sheet"), tray: byId("tray"), store, grab: (...given) => grab(...given) });
const spread = new Spread({ svg: byId("spread"), store, image: config.image, grab: (...given) => grab(...given) });

const page = {
  async go(where) {
    const address = config.urls[where];
    if (!address) {
      say(where === "next" ? "This is the last cell of the case." : "This is the first cell of the case.", "info");
      return;
    }
    await history.settled();
    location.assign(address);
  },
  help: makeHelp({ dialog: byId("keys"), list: byId("keys-list") }),
  actualSize: () => spread.actualSize(),
};
const view = startSeeing({ page, config, preferences, spread, sheet, store });
const others = showOthers({ store, link: byId("others"), cells: config.counting.cells, here: config.metaphase });
const counting = new Counting({ config, editor, settings: () => view.settings, counted: others });
page.count = () => counting.toggle();
const commands = new Commands({ store, history, sheet, say, page });
grab = makeDrag({ store, sheet, say, drop: (id, place) => commands.drop(id, place) });
makeTurnHandle({ handle: byId("turn"), store, sheet, turn: (id, angle) => commands.turnTo(id, angle) });
const drawerShelf = shelfOf(preferences, "drawer");
const drawer = new Drawer({ root: byId("drawer"), shelf: drawerShelf, context: { store, history, commands, config, say } });
page.drawer = drawer;
const sharing = startSharing({ page, config, store, history, sheet, spread, drawer, say });
drawer.add(chromosomePanel({ view, preferences }));
const tools = startTools({ store, history, api: server, image: config.image, say, spread });
page.useTool = (id) => tools.use(id);
listen({ target: document, store, commands, page, say });
makeMenu({ areas: [byId("sheet"), byId("tray"), spread.svg], store, commands, page, sheet });

showFacts(store, { number: byId("fact-count"), sex: byId("fact-sex"), left: byId("fact-doubts") });
showSaving(store, {
  line: byId("saving"),
  text: byId("saving-text"),
  retry: byId("saving-retry"),
  discard: byId("saving-discard"),
  signIn: byId("saving-sign-in"),
});
showConflict(store, history, {
  bar: byId("conflict"),
  text: byId("conflict-text"),
  again: byId("conflict-again"),
  theirs: byId("conflict-theirs"),
});
showDoubts(store, commands, { bar: byId("doubts"), list: byId("doubts-list"), title: byId("doubts-title") });
showControls(store, {
  decide: byId("decide"),
  decideText: byId("decide-text"),
  undo: byId("undo"),
  redo: byId("redo"),
  banner: byId("locked"),
  square: document.querySelector(".cell-squares [aria-current]"),
});
showNote(store, byId("picture-note"));
showModels(store, byId("models"));
showTyped(store, byId("typed"));

const analysis = new Analysis({
  state: config.analysis,
  urls: config.urls,
  may: config.mayAnalyse,
  say,
  hasKaryogram: () => Boolean(store.state.document),
  finished: open,
  parts: {
    panel: byId("analysis"),
    title: byId("analysis-title"),
    text: byId("analysis-text"),
    bar: byId("analysis-bar"),
    cancel: byId("analysis-cancel"),
    again: byId("analysis-again"),
  },
});

const clicks = {
  undo: () => commands.undo(),
  redo: () => commands.redo(),
  decide: () => commands.decide(),
  actual: () => page.actualSize(),
  outlines: () => page.toggleOutlines(),
  help: () => page.help(),
  "count-open": () => page.count(),
  "keys-close": () => byId("keys").close(),
  "saving-retry": () => history.resume(),
  "saving-discard": () => history.discard(),
  "image-again": () => loadImage(),
};
for (const [id, run] of Object.entries(clicks)) byId(id).addEventListener("click", run);

/** The photograph, once, for both panes. */
let imageTries = 0;
async function loadImage() {
  const url = store.state.viewUrl || config.urls.view;
  byId("image-failed").hidden = true;
  const image = new Image();
  // A second try must not be answered from the browser's memory of the first.
  image.src = imageTries ? `${url}${url.includes("?") ? "&" : "?"}again=${imageTries}` : url;
  imageTries += 1;
  try {
    await image.decode();
  } catch {
    byId("image-failed").hidden = false;
    return;
  }
  view.take(image);
}

async function open() {
  try {
    await history.load();
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return; // no karyogram yet: the analysis panel says why
    if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
    analysis.showUnloaded(error.message, open);
    return;
  }
  editor.classList.add("ready");
  editor.classList.toggle("no-chromosomes", !store.state.document.chromosomes.length);
  if (store.state.document.chromosomes.length) analysis.hide();
  else analysis.showEmpty(store.state.document.note);
}

// Cells of this case with changes that this browser has not been able to send.
for (const square of document.querySelectorAll(".cell-squares [data-cell]"))
  if (square.dataset.cell !== config.metaphase && browserShelf(shelfName(square.dataset.cell)).read()) {
    square.classList.add("unsent");
    square.title += " · changes on this computer are not saved yet: open it to send them";
  }
document.querySelector(".cell-squares [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

let lookedAt = Date.now();
async function lookAgain() {
  if (document.visibilityState !== "visible") return;
  history.resume();
  if (!store.state.document || Date.now() - lookedAt < LOOK_AGAIN_MS) return;
  lookedAt = Date.now();
  // Whatever goes wrong here, the next change will find out.
  await history.refresh().catch(() => {});
}
addEventListener("online", () => history.resume());
addEventListener("focus", lookAgain);
document.addEventListener("visibilitychange", lookAgain);
// A link followed in the moment between a change and its answer waits for the answer.
document.addEventListener("click", async (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[href]:not([download])") : null;
  const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (!link || !plain || event.defaultPrevented || store.state.save !== "saving") return;
  event.preventDefault();
  await history.settled();
  location.assign(link.href);
});
addEventListener("beforeunload", (event) => {
  if (history.pending.length) event.preventDefault();
});

analysis.start();
void loadImage();
await open();
sharing.start();
// Come here from one chromosome on another page.
if (location.hash) commands.choose(location.hash.slice(1));
editor.dataset.opened = "true";

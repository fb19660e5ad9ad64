/* What stands around the two panes: facts, doubts, whether everything is saved, the conflict bar, and sentences. */

import { doubtsInOrder } from "./commands.js";
import { count, doubts, isDoubtful, sexComplement } from "./reducer.js";
import { plural, slotName } from "./words.js";

const INFO_MS = 5000;

function make(name, parent, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

/** → say(sentence, kind): "error" stays until closed, "info" goes by itself, "quiet" is only for screen readers. */
export function makeSay({ box, text, close, quiet }) {
  let timer = 0;
  const hide = () => (box.hidden = true);
  close.addEventListener("click", hide);
  return function say(sentence, kind = "info") {
    if (kind === "quiet") {
      quiet.textContent = sentence;
      return;
    }
    clearTimeout(timer);
    text.textContent = sentence;
    box.className = `say ${kind}`;
    box.setAttribute("role", kind === "error" ? "alert" : "status");
    box.hidden = false;
    if (kind !== "error") timer = setTimeout(hide, INFO_MS);
  };
}

export function showFacts(store, { number, sex, left }) {
  store.subscribe(({ document: karyogram }, changed) => {
    if (!changed.has("document") || !karyogram) return;
    number.textContent = count(karyogram);
    sex.textContent = sexComplement(karyogram) || "none";
    const open = doubts(karyogram);
    left.textContent = open;
    left.closest("[data-fact]").classList.toggle("doubtful", open > 0);
  });
}

const SAVED = {
  saved: (version) => `version ${version} · saved`,
  saving: (version) => `version ${version} · saving…`,
  unsaved: () => "not saved yet: will be sent when the server is back",
  "signed-out": () => "not saved: you have been signed out",
  conflict: () => "not saved: someone else changed this cell",
};

/** Whether everything is saved; buttons for when it is not. */
export function showSaving(store, { line, text, retry, discard, signIn }) {
  store.subscribe(({ save, version, document: karyogram }, changed) => {
    if (!karyogram || !["save", "version", "document"].some((name) => changed.has(name))) return;
    const words = SAVED[save](version);
    if (text.textContent !== words) text.textContent = words;
    line.dataset.save = save;
    retry.hidden = discard.hidden = save !== "unsaved";
    signIn.hidden = save !== "signed-out";
  });
}

/** "Someone else changed this cell …", with both ways on. */
export function showConflict(store, history, { bar, text, again, theirs }) {
  store.subscribe(({ conflict, pending }, changed) => {
    if (!changed.has("conflict")) return;
    bar.hidden = !conflict;
    if (!conflict) return;
    const yours = pending === 1 ? "Your change has" : `Your ${pending} changes have`;
    text.textContent = `Someone else changed this cell (version ${conflict.version}). ${yours} not been saved.`;
    again.focus();
  });
  again.addEventListener("click", () => history.applyMineAgain());
  theirs.addEventListener("click", () => history.takeTheirs());
}

/** The open doubts with their reasons; the chosen one with the ways to end it. */
export function showDoubts(store, commands, { bar, list, title }) {
  function item(chromosome, chosen, editable) {
    const entry = make("li", null, chosen ? "doubt now" : "doubt");
    const button = make("button", entry, "doubt-reason");
    button.type = "button";
    make("b", button, "", chromosome.state === "debris" ? "debris" : slotName(chromosome.label));
    make("span", button, "", chromosome.flags.join("; "));
    button.title = chromosome.flags.join("; ");
    button.addEventListener("click", () => commands.choose(chromosome.id));
    if (!chosen || !editable) return entry;
    const keep = make("button", entry, "doubt-act", chromosome.label === "unknown" ? "Keep as it is " : `Keep ${chromosome.label} `);
    keep.type = "button";
    make("kbd", keep, "", "⏎");
    keep.addEventListener("click", () => commands.keep());
    const other = Object.entries(chromosome.probabilities)
      .filter(([label]) => label !== chromosome.label)
      .sort(([, one], [, two]) => two - one)[0];
    if (other && other[1] >= 0.05) {
      const move = make("button", entry, "doubt-act", `Make it ${other[0]}`);
      move.type = "button";
      move.addEventListener("click", () => commands.relabel(other[0]));
    }
    return entry;
  }

  function show({ document: karyogram, selected, editable }) {
    const open = doubtsInOrder(karyogram);
    const flagged = karyogram.chromosomes.some((one) => one.flags.length);
    bar.classList.toggle("none", !open.length);
    const at = open.findIndex((one) => one.id === selected);
    const many = at < 0 ? plural(open.length, "doubt") : `Doubt ${at + 1} of ${open.length}`;
    title.textContent = open.length ? many : flagged ? "No doubts left" : "No doubts";
    list.replaceChildren(...open.map((one) => item(one, one.id === selected, editable)));
    list.querySelector(".now")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  store.subscribe((state, changed) => {
    if (state.document && ["document", "selected", "editable"].some((name) => changed.has(name))) show(state);
  });
}

/** What is to be known of the whole photograph: out of focus, incomplete.  Of an empty one the panel in the sheet says it. */
export function showNote(store, line) {
  store.subscribe(({ document: karyogram }, changed) => {
    if (!changed.has("document") || !karyogram) return;
    line.textContent = karyogram.note;
    line.hidden = !karyogram.note || !karyogram.chromosomes.length;
  });
}

/** The one primary button, undo and redo, and the banner of a karyogram that cannot be changed. */
export function showControls(store, { decide, decideText, undo, redo, banner, square }) {
  store.subscribe((state, changed) => {
    if (!state.document) return;
    decide.hidden = !state.editable && !state.accepted;
    decide.disabled = !state.editable || state.conflict !== null;
    decide.classList.toggle("accepted", state.accepted);
    decide.title = state.accepted && state.editable ? "Open the cell again" : "";
    const open = state.document.chromosomes.filter(isDoubtful).length;
    decideText.textContent = state.accepted ? "Accepted" : "Accept cell";
    // The name is what stands on the button; what else there is to know comes after it.
    const more = state.accepted ? "Press to open the cell again" : open ? `${plural(open, "doubt")} left` : "";
    decide.setAttribute("aria-description", more);
    undo.hidden = redo.hidden = !state.editable;
    undo.disabled = !state.canUndo;
    redo.disabled = !state.canRedo;
    banner.hidden = state.editable;
    if (!state.editable) banner.textContent = state.lockedBecause || "This karyogram can be looked at, not changed.";
    if (changed.has("accepted")) square?.classList.toggle("accepted", state.accepted);
  });
}

/** The digits typed so far, while another may follow. */
export function showTyped(store, line) {
  store.subscribe(({ typed }, changed) => {
    if (!changed.has("typed")) return;
    line.hidden = !typed;
    line.textContent = `${typed}…`;
  });
}

/** Which methods made this: "cut by sam-kary", with its version on hover. */
export function showModels(store, line) {
  store.subscribe(({ document: karyogram }, changed) => {
    if (!changed.has("document") || !karyogram) return;
    const roles = { detector: "found by", segmenter: "cut by", classifier: "named by", judge: "settled by" };
    const said = (words) => karyogram.models.map((model) => words(model).trim()).join(" · ");
    line.textContent = said(({ role, name }) => `${roles[role] ?? role} ${name}`);
    line.title = said(({ role, name, version }) => `${roles[role] ?? role} ${name} ${version}`);
  });
}

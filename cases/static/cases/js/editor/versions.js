/* The History panel: every step, newest first; any version to be looked at, compared, or gone back to.

   The server lists the steps; what each one did in words comes from walking the karyogram back through their inverses. */

import { Refused, Unreachable, request } from "./api.js";
import { button, make } from "./dom.js";
import { EditRefused, apply } from "./reducer.js";
import { compare, originWords, stepWords, touched, when } from "./steps.js";
import { chromosomeName, plural } from "./words.js";

const KIND = { undo: "undo", redo: "redo" };
const SETTLE_MS = 250;

export class Versions {
  /* root: the karyogram's address.  bar: an empty element above the panes. */
  constructor({ store, history, say, root, bar }) {
    Object.assign(this, { store, history, say, root, bar });
    this.steps = []; // {step, words, ids}, newest first
    this.next = null;
    this.before = null; // the document before the oldest step listed
    this.listed = 0;
    this.documents = new Map(); // version → document; versions never change
    this.comparison = null; // {older, newer, differences}
    this.origins = { version: 0, of: new Map() };
    this.shownVersion = null;
    store.subscribe((state, changed) => {
      if (changed.has("viewing") || changed.has("version")) this.#drawBar(state);
      if (!this.visible) return;
      if (changed.has("version")) this.#soon();
      if (changed.has("selected") || changed.has("document")) this.#drawOrigin();
      if (changed.has("viewing")) this.#markShown();
    });
  }

  mount(element) {
    this.element = element;
    this.origin = make("div", element, { class: "origin", hidden: true });
    this.compared = make("div", element, { class: "comparison", hidden: true });
    this.list = make("ol", element, { class: "steps", "aria-label": "Steps, newest first" });
    this.more = button(element, "tool steps-more", "Older steps", () => this.#loadMore(), { hidden: true });
    this.list.addEventListener("pointerover", (event) => this.#point(event));
    this.list.addEventListener("pointerleave", () => this.store.set({ marked: null }));
    this.list.addEventListener("focusin", (event) => this.#point(event));
    this.list.addEventListener("focusout", () => this.store.set({ marked: null }));
    element.addEventListener("keydown", (event) => this.#walk(event));
  }

  shown() {
    this.visible = true;
    void this.load();
  }

  hidden() {
    this.visible = false;
    this.store.set({ marked: null });
  }

  #soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), SETTLE_MS);
  }

  /** Lists the newest steps anew. */
  async load() {
    const answer = await this.#get(`${this.root}versions/`);
    const { confirmed } = this.history;
    if (!answer || !confirmed) return;
    if (answer.results[0]?.version > confirmed.version) {
      this.#soon(); // the karyogram itself is a moment behind the list
      return;
    }
    this.steps = [];
    this.before = confirmed.document;
    this.#take(answer, confirmed.version);
    this.#draw();
    void this.#loadOrigins();
  }

  async #loadMore() {
    const answer = await this.#get(this.next);
    if (!answer) return;
    const first = this.steps.length;
    this.#take(answer, Infinity);
    this.#draw();
    this.list.children[first]?.querySelector("button")?.focus();
  }

  #take({ results, next }, newest) {
    this.next = next;
    for (const step of results) {
      if (step.version > newest) continue;
      try {
        this.before = this.before && step.version > 1 ? apply(this.before, step.inverse).document : null;
      } catch (error) {
        if (!(error instanceof EditRefused)) throw error;
        this.before = null;
      }
      this.steps.push({ step, words: stepWords(step, this.before), ids: touched(step.edit) });
    }
  }

  async #get(url) {
    try {
      return (await request("GET", url)).answer;
    } catch (error) {
      if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
      this.say("The history could not be loaded. The karyogram itself is not touched by that; try again in a moment.", "error");
      return null;
    }
  }

  #draw() {
    // Listed anew under someone's hands, the keyboard stays where it was.
    const held = this.list.contains(document.activeElement) ? document.activeElement : null;
    const version = held?.closest(".step").dataset.version;
    this.list.replaceChildren(...this.steps.map((one) => this.#row(one)));
    const again = held?.classList.contains("step-compare") ? ".step-compare" : ".step-main";
    if (held) this.list.querySelector(`[data-version="${version}"] ${again}`)?.focus({ preventScroll: true });
    this.more.hidden = !this.next;
    this.#markShown();
    this.#drawOrigin();
  }

  #row({ step, words }) {
    const row = make("li", null, { class: `step ${step.kind}`, "data-version": step.version });
    const main = button(row, "step-main", undefined, () => this.show(step.version), { title: "Show this version" });
    make("span", main, { class: "step-version" }, String(step.version));
    const what = make("span", main, { class: "step-what" });
    if (KIND[step.kind]) make("i", what, { class: "step-kind" }, KIND[step.kind]);
    what.append(words);
    make("span", main, { class: "step-who" }, `${step.author} · ${when(step.at)}`);
    button(row, "tool step-compare", "Compare", () => this.compareWith(step.version), {
      title: "Compare this version with the one that is shown",
      "aria-label": `Compare version ${step.version} with the one that is shown`,
    });
    return row;
  }

  #idsAt(event) {
    const version = Number(event.target.closest?.("[data-version]")?.dataset.version);
    return this.steps.find((one) => one.step.version === version)?.ids ?? null;
  }

  #point(event) {
    const ids = this.#idsAt(event);
    this.store.set({ marked: ids && !ids.has("*") ? ids : null });
  }

  #walk(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = event.target.closest?.(".step");
    if (!by || !row) return;
    event.preventDefault();
    (by > 0 ? row.nextElementSibling : row.previousElementSibling)?.querySelector(".step-main").focus();
  }

  #markShown() {
    const shown = this.store.state.viewing ?? this.store.state.version;
    for (const row of this.list?.children ?? []) {
      const here = Number(row.dataset.version) === shown;
      row.classList.toggle("here", here);
      if (here) row.querySelector(".step-main").setAttribute("aria-current", "true");
      else row.querySelector(".step-main").removeAttribute("aria-current");
    }
  }

  async #document(version) {
    const { confirmed } = this.history;
    if (version === confirmed.version) return confirmed.document;
    if (!this.documents.has(version)) {
      const answer = await this.#get(`${this.root}versions/${version}/`);
      if (!answer) return null;
      this.documents.set(version, answer.document);
    }
    return this.documents.get(version);
  }

  /** Shows a version on both panes, to be looked at only; the newest one is now itself. */
  async show(version) {
    this.wanted = version;
    if (version === this.history.confirmed.version) {
      this.history.look(null);
      return;
    }
    const document = await this.#document(version);
    if (document && this.wanted === version) this.history.look({ version, document });
  }

  backToNow() {
    this.wanted = null;
    this.endComparison();
    this.history.look(null);
  }

  async goBack() {
    const { viewing } = this.store.state;
    if (!viewing) return;
    this.endComparison();
    if (this.history.returnTo(viewing)) this.say(`Back at version ${viewing}. Undo takes that back.`, "info");
  }

  /** This version against the one that is shown; against the one before it where that is the same. */
  async compareWith(version) {
    const { viewing, version: now } = this.store.state;
    const shown = viewing ?? now;
    const other = shown === version ? Math.max(1, version - 1) : shown;
    const [older, newer] = [Math.min(version, other), Math.max(version, other)];
    if (older === newer) {
      this.say("This is the only version: there is nothing to compare it with.", "info");
      return;
    }
    const [a, b] = [await this.#document(older), await this.#document(newer)];
    if (!a || !b) return;
    const differences = compare(a, b);
    this.comparison = { older, newer, differences };
    this.store.set({ differing: new Set(differences.map((one) => one.id)) });
    await this.show(newer);
    this.#drawComparison();
  }

  endComparison() {
    this.comparison = null;
    this.store.set({ differing: null, marked: null });
    if (this.element) this.#drawComparison();
  }

  #drawComparison() {
    const { compared, comparison } = this;
    compared.hidden = !comparison;
    if (!comparison) return;
    const { older, newer, differences } = comparison;
    compared.replaceChildren();
    const head = make("div", compared, { class: "comparison-head" });
    make("b", head, {}, differences.length ? `${plural(differences.length, "difference")}` : "No difference");
    const choice = make("span", head, { class: "comparison-choice", role: "group", "aria-label": "Which one is shown" });
    for (const version of [older, newer])
      button(choice, "tool", `version ${version}`, () => this.show(version).then(() => this.#markChoice()), { "data-shows": version });
    button(head, "tool", "×", () => this.endComparison(), { "aria-label": "End the comparison", title: "End the comparison" });
    const list = make("ul", compared, {});
    for (const { id, name, what } of differences) {
      const line = button(make("li", list), "comparison-line", undefined, () => this.store.select(id));
      make("b", line, {}, name);
      line.append(what.join(", "));
      for (const [event, ids] of [["pointerenter", new Set([id])], ["pointerleave", null], ["focus", new Set([id])], ["blur", null]])
        line.addEventListener(event, () => this.store.set({ marked: ids }));
    }
    this.#markChoice();
  }

  #markChoice() {
    const shown = this.store.state.viewing ?? this.store.state.version;
    for (const one of this.compared.querySelectorAll("[data-shows]"))
      one.setAttribute("aria-pressed", String(Number(one.dataset.shows) === shown));
  }

  async #loadOrigins() {
    const answer = await this.#get(`${this.root}origins/`);
    if (!answer) return;
    this.origins = { version: answer.version, of: new Map(answer.chromosomes.map((one) => [one.id, one.decisions])) };
    this.#drawOrigin();
  }

  /* How the chosen chromosome came to be what it is. */
  #drawOrigin() {
    const { selected } = this.store;
    const now = this.store.state.viewing === null;
    this.origin.hidden = !selected || !now;
    if (this.origin.hidden) return;
    this.origin.replaceChildren();
    make("b", this.origin, {}, chromosomeName(selected).split(", doubtful")[0]);
    for (const words of originWords(selected, this.origins.of.get(selected.id))) make("div", this.origin, {}, words);
  }

  /* "Version 4 of 12 · back to now" above the panes. */
  #drawBar({ viewing, version }) {
    const { bar } = this;
    bar.hidden = viewing === null;
    bar.closest(".editor")?.classList.toggle("viewing", viewing !== null);
    if (viewing === null) return;
    const known = this.steps.find((one) => one.step.version === viewing);
    bar.replaceChildren();
    const text = make("span", bar, { role: "status" });
    make("b", text, {}, `Version ${viewing} of ${version}`);
    text.append(known ? ` · ${known.words} · ${known.step.author}, ${when(known.step.at)}` : "", " · read only");
    button(bar, "way", "Back to now", () => this.backToNow());
    if (this.history.confirmed.editable) button(bar, "way quietly", "Go back to this version", () => this.goBack(), { title: "As one new step; undo takes it back" });
  }
}

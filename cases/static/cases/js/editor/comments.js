/* Comments on the cell: what was said, and the Comments panel in which one says it. */

import { Refused, Unreachable, request } from "./api.js";
import { button, make } from "./dom.js";
import { when } from "./steps.js";
import { plural, slotName } from "./words.js";

/** The cell's comments; the store holds them as `comments`, oldest first. */
export class Comments {
  /* metaphase: the cell's address, ending with its id and "/". */
  constructor({ store, say, metaphase }) {
    Object.assign(this, { store, say });
    this.root = `${metaphase}comments/`;
    this.one = (id, way) => metaphase.replace(/metaphases\/.*$/, `comments/${id}/${way}/`);
  }

  get open() {
    return (this.store.state.comments ?? []).filter((one) => !one.resolved_at);
  }

  async load() {
    const found = [];
    for (let url = `${this.root}?page_size=200`; url; ) {
      const page = await this.#try(() => request("GET", url), "The comments could not be loaded.");
      if (!page) return;
      found.push(...page.answer.results);
      url = page.answer.next;
    }
    this.store.set({ comments: found });
  }

  /** where: {chromosome} or {spot} or {}; → whether it was stored. */
  async add(text, where) {
    const made = await this.#try(() => request("POST", this.root, { text, ...where }), "The comment was not stored. What you wrote is still there.");
    if (made) this.store.set({ comments: [...(this.store.state.comments ?? []), made.answer] });
    return Boolean(made);
  }

  resolve(id) {
    return this.#change(id, "resolve");
  }

  reopen(id) {
    return this.#change(id, "reopen");
  }

  async #change(id, way) {
    const done = await this.#try(() => request("POST", this.one(id, way)), "Nothing was changed.");
    if (done) this.store.set({ comments: this.store.state.comments.map((one) => (one.id === id ? done.answer : one)) });
  }

  async #try(ask, otherwise) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
      const why = error instanceof Refused ? error.message : "The server cannot be reached; please try again in a moment.";
      this.say(`${otherwise} ${why}`, "error");
      return null;
    }
  }
}

/** The panel: something to write, and the list. */
export class CommentsPanel {
  /* pins: asks for a spot of the photograph and shows one.  mayComment: false where the case is signed. */
  constructor({ store, comments, pins, drawer, mayComment }) {
    Object.assign(this, { store, comments, pins, drawer, mayComment });
    this.where = null; // {chromosome} | {spot} | {}; null: whatever is chosen when it is sent
    store.subscribe((state, changed) => {
      if (changed.has("comments")) {
        const open = comments.open.length;
        drawer.badge("comments", open, `${open} open`);
      }
      if (!this.element) return;
      if (changed.has("comments") || changed.has("document")) this.#drawList();
      if (changed.has("selected") || changed.has("document")) this.#drawWhere();
      if (changed.has("pinned")) this.#mark(state.pinned);
    });
  }

  mount(element) {
    this.element = element;
    if (this.mayComment) this.#mountForm(element);
    else make("p", element, { class: "comments-note" }, "This case is signed: its comments can only be read.");
    this.list = make("div", element, { class: "comments" });
    this.#drawList();
    this.#drawWhere();
  }

  #mountForm(element) {
    this.form = make("form", element, { class: "comment-form" });
    this.about = make("div", this.form, { class: "comment-about", role: "group", "aria-label": "What the comment is about" });
    this.text = make("textarea", this.form, { rows: 3, maxlength: 2000, "aria-label": "Comment", placeholder: "What should others look at?" });
    const foot = make("div", this.form, { class: "comment-foot" });
    make("span", foot, { class: "quiet" }, "Everyone in the laboratory sees it.");
    make("span", foot, { class: "spring" });
    this.send = make("button", foot, { type: "submit", class: "way" }, "Comment ");
    make("kbd", this.send, {}, "Ctrl ⏎");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        void this.#send();
      }
    });
  }

  /** Ready to write about the chosen chromosome, or the cell. */
  write() {
    this.where = null;
    this.drawer.open("comments", { focus: false });
    this.#drawWhere();
    (this.text ?? this.list).focus?.();
  }

  #target() {
    if (this.where) return this.where;
    const { selected } = this.store;
    return selected ? { chromosome: selected.id } : {};
  }

  async #send() {
    const text = this.text.value.trim();
    if (!text) {
      this.text.focus();
      return;
    }
    this.send.disabled = true;
    const stored = await this.comments.add(text, this.#target());
    this.send.disabled = false;
    if (!stored) return;
    this.text.value = "";
    this.where = null;
    this.#drawWhere();
  }

  #drawWhere() {
    if (!this.about) return;
    const { selected } = this.store;
    const target = this.#target();
    const choices = [
      ...(selected ? [["chromosome", shortName(selected), () => (this.where = { chromosome: selected.id })]] : []),
      ["spot", target.spot ? "this spot" : "a spot …", () => this.#askSpot()],
      ["cell", "the cell", () => (this.where = {})],
    ];
    const kind = target.chromosome ? "chromosome" : target.spot ? "spot" : "cell";
    this.about.replaceChildren("About ");
    for (const [name, words, run] of choices) {
      const choose = () => {
        run();
        this.#drawWhere();
        if (name !== "spot") this.text.focus();
      };
      button(this.about, "tool", words, choose, { "aria-pressed": String(name === kind), "data-about": name });
    }
  }

  async #askSpot() {
    const spot = await this.pins.ask();
    if (spot) this.where = { spot };
    this.#drawWhere();
    this.text.focus();
  }

  #drawList() {
    const all = [...(this.store.state.comments ?? [])].reverse();
    const [open, closed] = [all.filter((one) => !one.resolved_at), all.filter((one) => one.resolved_at)];
    const unfolded = this.list.querySelector("details")?.open;
    this.list.replaceChildren();
    if (!open.length) make("p", this.list, { class: "comments-note" }, all.length ? "No comment is open." : "Nobody has commented on this cell yet. Choose a chromosome and press C.");
    for (const comment of open) this.#entry(this.list, comment);
    if (!closed.length) return;
    const fold = make("details", this.list, { open: unfolded });
    make("summary", fold, {}, plural(closed.length, "resolved comment"));
    for (const comment of closed) this.#entry(fold, comment);
  }

  #entry(parent, comment) {
    const entry = make("article", parent, { class: `comment${comment.resolved_at ? " resolved" : ""}`, "data-comment": comment.id });
    const head = make("header", entry);
    button(head, "comment-where", this.#whereWords(comment), () => this.#goTo(comment), { title: "Show it on the photograph" });
    make("span", head, { class: "comment-who" }, `${comment.author} · ${when(comment.created_at)}`);
    make("p", entry, { class: "comment-text" }, comment.text);
    const foot = make("footer", entry);
    if (comment.resolved_at) make("span", foot, { class: "quiet" }, `Resolved by ${comment.resolved_by}, ${when(comment.resolved_at)}`);
    make("span", foot, { class: "spring" });
    if (comment.may_resolve && comment.resolved_at) button(foot, "tool", "Reopen", () => this.comments.reopen(comment.id));
    else if (comment.may_resolve) button(foot, "tool", "Resolve", () => this.comments.resolve(comment.id));
  }

  #whereWords({ chromosome, x }) {
    if (!chromosome) return x === null ? "The cell" : "A spot";
    const found = this.store.chromosome(chromosome);
    return found ? shortName(found) : "A chromosome that is gone";
  }

  #goTo(comment) {
    this.store.set({ pinned: comment.id });
    if (comment.chromosome && this.store.chromosome(comment.chromosome)) this.store.select(comment.chromosome);
    else if (comment.x !== null) this.pins.show(comment);
  }

  #mark(pinned) {
    for (const entry of this.list.querySelectorAll("[data-comment]")) {
      const here = entry.dataset.comment === pinned;
      entry.classList.toggle("pinned", here);
      if (here) {
        entry.closest("details")?.setAttribute("open", "");
        entry.scrollIntoView({ block: "nearest" });
      }
    }
  }
}

function shortName(chromosome) {
  if (chromosome.state === "debris") return "Debris";
  if (chromosome.label === "unknown") return `? ${chromosome.order + 1}`;
  return `${slotName(chromosome.label)}, copy ${chromosome.order + 1}`;
}


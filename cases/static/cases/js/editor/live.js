/* Others at the same cell: their changes as they make them, and who is here now.

   Asks `changes/` every moment while the page is in view; the answer is 304 and costs next to nothing while nothing
   has changed.  Says every ten seconds that this page is here. */

import { editWords, touched } from "./steps.js";

const ASK_MS = 1500;
const SLOWEST_MS = 20_000;
const PRESENT_MS = 10_000;
const POINT_MS = 2500;
const SAID_MS = 8000;
const TIMEOUT_MS = 10_000;

export class Live {
  /* roots: {karyogram, metaphase} addresses.  announce(): posts that this page is here.  top: element for the people.
     commentsChanged(): called when somebody said something. */
  constructor({ store, history, say, root, announce, top, commentsChanged }) {
    Object.assign(this, { store, history, say, root, announce, top, commentsChanged });
    this.etag = "";
    this.since = -1;
    this.comments = null;
    this.here = [];
    this.wait = ASK_MS;
    this.presentAt = 0;
    this.said = "";
  }

  start() {
    document.addEventListener("visibilitychange", () => this.#soon(0));
    addEventListener("online", () => this.#soon(0));
    addEventListener("focus", () => this.#soon(0));
    this.#soon(0);
  }

  #soon(wait) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#turn(), wait);
  }

  async #turn() {
    if (document.visibilityState !== "visible" || this.asking) return;
    this.asking = true;
    let reached = false;
    try {
      this.#bePresent();
      reached = await this.#ask();
    } catch {
      // No answer: the next change will say so, in words; here only less is asked.
    }
    this.asking = false;
    this.wait = reached ? ASK_MS : Math.min(SLOWEST_MS, this.wait * 2);
    this.#soon(this.wait);
  }

  #bePresent() {
    if (Date.now() - this.presentAt < PRESENT_MS) return;
    this.presentAt = Date.now();
    this.announce().catch(() => {});
  }

  async #ask() {
    const { turn } = this.history;
    const since = this.history.confirmed?.version ?? 0;
    if (since !== this.since) this.etag = "";
    const response = await fetch(`${this.root}changes/?since=${since}`, {
      credentials: "same-origin",
      cache: "no-store",
      headers: { Accept: "application/json", ...(this.etag ? { "If-None-Match": this.etag } : {}) },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status === 304) return true;
    if (!response.ok) return false;
    const changes = await response.json();
    this.#show(changes.here);
    if (changes.comments !== this.comments) {
      const first = this.comments === null;
      this.comments = changes.comments;
      if (!first) this.commentsChanged();
    }
    if (!this.history.confirmed) {
      this.#remember(response, since);
      return true;
    }
    const taken = await this.history.take(changes, turn);
    // What could not be taken in now (a change of ours is on its way) is asked for again.
    if (taken) this.#remember(response, since);
    if (taken && changes.steps.length) this.#point(changes.steps, taken.before);
    return true;
  }

  #remember(response, since) {
    this.etag = response.headers.get("ETag") ?? "";
    this.since = since;
  }

  /* What someone else has just done is marked for a moment, and said beside their initials. */
  #point(steps, before) {
    const last = steps.at(-1);
    const marked = new Set(steps.flatMap((step) => [...touched(step.edit)]));
    this.store.set({ marked });
    setTimeout(() => this.store.state.marked === marked && this.store.set({ marked: null }), POINT_MS);
    const words = editWords(last.edit, steps.length === 1 ? before : null);
    this.said = steps.length === 1 ? words : `${steps.length} changes`;
    this.#draw();
    this.say(`${last.author}: ${this.said}`, "quiet");
    clearTimeout(this.saidTimer);
    this.saidTimer = setTimeout(() => {
      this.said = "";
      this.#draw();
    }, SAID_MS);
  }

  #show(here) {
    const known = new Set(this.here.map((one) => one.id));
    const arrived = here.filter((one) => !known.has(one.id));
    this.here = here;
    if (arrived.length) this.say(`${arrived.map((one) => one.name).join(" and ")} ${arrived.length > 1 ? "are" : "is"} at this cell too.`, "quiet");
    this.#draw();
  }

  #draw() {
    const { top, here, said } = this;
    top.hidden = !here.length && !said;
    const names = here.map((one) => one.name).join(", ");
    top.setAttribute("aria-label", here.length ? `Here now: ${names}` : "Changed by others");
    const people = here.slice(0, 4).map((one) => {
      const chip = document.createElement("span");
      chip.className = "person";
      chip.textContent = one.initials;
      chip.title = `${one.name} is at this cell now. You see each other’s changes as they are made.`;
      return chip;
    });
    if (here.length > 4) {
      const more = document.createElement("span");
      more.className = "person";
      more.textContent = `+${here.length - 4}`;
      more.title = names;
      people.push(more);
    }
    const words = document.createElement("span");
    words.className = "did";
    words.textContent = said;
    top.replaceChildren(...people, ...(said ? [words] : []));
  }
}

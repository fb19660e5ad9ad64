/* Counting mode of the cell page: tick after tick and cell after cell, without loading a page.

   What is ticked but not stored yet is a draft, kept in this browser; what was stored waits in a CountQueue until the
   server has it. */

import { Refused, Unreachable, request } from "./api.js";
import { makeSay } from "./bars.js";
import { CountPanel } from "./count-panel.js";
import { browserShelf } from "./keeping.js";
import { ImageFilter } from "./image-filter.js";
import { listenCounting } from "./count-keys.js";
import { CountQueue, countApi } from "./tally.js";
import { TickField } from "./ticks.js";
import { plural } from "./words.js";

const FRESH_MS = 30_000;
const PARAMETER = "count";
const byId = (id) => document.getElementById(id);

export class Counting {
  /* config: the page's.  editor: the main element.  settings(): how the photograph is shown.  counted(): after news. */
  constructor({ config, editor, settings, counted = () => {} }) {
    Object.assign(this, { config, editor, settings, counted });
    this.cells = config.counting.cells;
    this.byId = new Map(this.cells.map((cell) => [cell.id, cell]));
    this.on = false;
    this.here = null; // the cell on show
    this.state = null; // what the server says of it
    this.loading = new Map(); // cell id → {at, promise}
    this.say = makeSay({
      box: byId("count-say"),
      text: byId("count-say-text"),
      close: byId("count-say-close"),
      quiet: byId("count-say-quiet"),
    });
    this.filter = new ImageFilter();
    this.api = countApi(request, {
      count: (id) => this.byId.get(id).countUrl,
      standing: (id) => this.byId.get(id).standingUrl,
    });
    this.queue = new CountQueue({
      api: this.api,
      shelf: browserShelf(`karyosite:counts:${config.user}:${config.counting.case}`),
      stored: (id, state) => this.#stored(id, state),
      refused: (id, error, item) => this.#refused(id, error, item),
      changed: () => this.panel.showSaving(this.queue),
    });
    this.field = new TickField({ svg: byId("count-field"), changed: () => this.#ticked() });
    this.panel = new CountPanel({ counting: this, reasons: config.counting.reasons });
    listenCounting(this);
    byId("count-again").addEventListener("click", () => this.go(this.here.id, { anew: true }));
    addEventListener("popstate", () => this.#followAddress());
    for (const event of ["online", "focus"]) addEventListener(event, () => this.queue.resume());
    // The photograph needs the room that it gets; the squares of the case's cells stay links elsewhere.
    document.addEventListener("click", (event) => this.#squareClicked(event), true);
    void this.queue.run();
    if (new URLSearchParams(location.search).has(PARAMETER)) void this.open(config.metaphase, { push: false });
  }

  toggle() {
    return this.on ? this.close() : this.open(this.config.metaphase);
  }

  async open(id, { push = true } = {}) {
    this.on = true;
    this.editor.classList.add("counting-mode");
    byId("counting").hidden = false;
    if (push) history.pushState(null, "", this.#address(id));
    await this.go(id, { push: false });
  }

  /** Back to the karyogram of the cell on show: of another cell than the page was loaded for, that is another page. */
  async close() {
    this.#keepDraft();
    const { id, page } = this.here;
    if (id !== this.config.metaphase) {
      await this.queue.settled();
      location.assign(page);
      return;
    }
    this.on = false;
    this.editor.classList.remove("counting-mode");
    byId("counting").hidden = true;
    history.pushState(null, "", page);
    this.#markSquare(id);
  }

  #address = (id) => `${this.byId.get(id).page}?${PARAMETER}`;

  /** Another cell takes the place of this one.  push: the address follows, so that Back comes here again. */
  async go(id, { push = true, anew = false } = {}) {
    this.#keepDraft();
    const cell = this.byId.get(id);
    this.here = cell;
    this.state = null;
    this.field.editable = false;
    if (push) history.pushState(null, "", this.#address(id));
    this.#markSquare(id);
    this.panel.showCell(cell);
    if (anew) this.loading.delete(id);
    let loaded;
    try {
      loaded = await this.#load(id);
    } catch (error) {
      if (this.here === cell) this.#failed(error);
      return;
    }
    if (this.here !== cell) return; // gone on meanwhile
    byId("count-failed").hidden = true;
    this.state = loaded.state;
    const draft = this.#draft(id).read();
    this.sure = draft?.sure ?? loaded.state.sure;
    this.filter.take(loaded.image);
    this.filter.show(this.settings());
    this.field.show({
      picture: this.filter.canvas,
      width: loaded.state.width,
      height: loaded.state.height,
      ticks: draft?.ticks ?? loaded.state.ticks,
      editable: loaded.state.editable,
    });
    this.panel.showState();
    if (!loaded.state.editable) this.say(loaded.state.locked_because, "info");
    this.editor.dataset.counting = id;
    const next = this.#beside(1);
    if (next) this.#load(next.id).catch(() => {}); // fetched ahead; if that fails, its own turn says so
  }

  async step(by) {
    const to = this.#beside(by);
    if (to) await this.go(to.id);
    else this.say(by > 0 ? "This is the last cell of the case." : "This is the first cell of the case.", "info");
  }

  #beside(by) {
    return this.cells[this.cells.indexOf(this.here) + by] ?? null;
  }

  #load(id) {
    const known = this.loading.get(id);
    if (known && Date.now() - known.at < FRESH_MS) return known.promise;
    const promise = (async () => {
      const state = await this.api.load(id);
      const image = new Image();
      image.src = state.view_url;
      await image.decode();
      return { state, image };
    })();
    this.loading.set(id, { at: Date.now(), promise });
    promise.catch(() => this.loading.delete(id));
    return promise;
  }

  #failed(error) {
    const away = error instanceof Unreachable;
    if (!(away || error instanceof Refused || error instanceof DOMException)) throw error;
    byId("count-failed").hidden = false;
    byId("count-failed-text").textContent = away
      ? "The server cannot be reached. What you counted is kept in this browser."
      : error instanceof Refused
        ? error.message
        : "It is kept on the server.";
  }

  /** Whether anything on show differs from what the server has. */
  get changed() {
    if (!this.state) return false;
    const { ticks, sure } = this.state;
    return sure !== this.sure || JSON.stringify(ticks) !== JSON.stringify(this.field.ticks);
  }

  #ticked() {
    this.#keepDraft();
    this.panel.showState();
    this.say(plural(this.field.ticks.length, "tick"), "quiet");
  }

  setSure(sure) {
    if (!this.state?.editable) return;
    this.sure = sure;
    this.#keepDraft();
    this.panel.showState();
  }

  /** Stores the count and goes on to the next cell; on the last one it stays. */
  async store({ analysed = false } = {}) {
    const { state, here } = this;
    if (!state) return;
    if (!state.editable) {
      this.say(state.locked_because, "info");
      return;
    }
    const ticks = this.field.ticks;
    const raises = analysed ? ["new", "counted"].includes(state.standing) : state.standing === "new";
    if (state.proposed || this.changed || raises) {
      this.queue.add(here.id, "count", { ticks, sure: this.sure, base_version: state.base_version, analysed });
      this.#draft(here.id).write(null);
      this.#expect(here, { count: ticks.length, sure: this.sure, standing: raises ? (analysed ? "analysed" : "counted") : state.standing });
      this.state = { ...state, ticks, sure: this.sure, proposed: false };
      this.loading.delete(here.id);
    }
    this.panel.showState();
    if (this.#beside(1)) await this.step(1);
    else this.say("This was the last cell of the case.", "info");
  }

  setStanding(standing, reason = "") {
    const { state, here } = this;
    if (!state?.editable) return;
    this.queue.add(here.id, "standing", reason ? { standing, reason } : { standing });
    if (standing === "new") this.#draft(here.id).write(null);
    this.#expect(here, { standing, reason });
    this.loading.delete(here.id);
    this.panel.showState();
  }

  /* Shown in the list before the server has answered. */
  #expect(cell, changes) {
    Object.assign(cell, changes);
    this.panel.showCells();
  }

  #take(id, state) {
    Object.assign(this.byId.get(id), {
      count: state.count,
      counted: state.proposed ? null : state.ticks.length,
      sure: state.sure,
      differs: state.differs,
      standing: state.standing,
      reason: state.exclusion_reason,
    });
    this.loading.delete(id);
    this.panel.showCells();
    this.counted();
    if (this.here?.id !== id || !this.state) return;
    const touched = this.changed;
    this.state = state;
    if (!touched) {
      this.sure = state.sure;
      this.field.set(state.ticks);
    }
    this.panel.showState();
  }

  #stored(id, state) {
    // A later item of the same cell says more than this answer.
    if (!this.queue.waiting(id)) this.#take(id, state);
  }

  async #refused(id, error, item) {
    const cell = this.byId.get(id);
    if (!cell) return;
    this.loading.delete(id);
    // The ticks are kept as a draft: whoever made them decides what becomes of them.
    if (item.kind === "count") this.#draft(id).write({ ticks: item.body.ticks, sure: item.body.sure });
    this.say(`Cell ${cell.ordinal}: ${error.message}`, "error");
    try {
      const state = await this.api.load(id);
      this.#take(id, state);
      if (this.here === cell) await this.go(id, { push: false });
    } catch {
      // It is told again when the cell is opened.
    }
  }

  #draft(id) {
    return browserShelf(`karyosite:count-draft:${this.config.user}:${id}`);
  }

  #keepDraft() {
    if (!this.here || !this.state) return;
    this.#draft(this.here.id).write(this.changed ? { ticks: this.field.ticks, sure: this.sure } : null);
  }

  #markSquare(id) {
    const squares = document.querySelectorAll(".cell-squares [data-cell]");
    for (const square of squares)
      if (square.dataset.cell === id) {
        square.setAttribute("aria-current", "page");
        square.scrollIntoView({ block: "nearest", inline: "center" });
      } else square.removeAttribute("aria-current");
  }

  #squareClicked(event) {
    const square = this.on && event.target instanceof Element ? event.target.closest(".cell-squares [data-cell]") : null;
    const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (!square || !plain || !this.byId.has(square.dataset.cell)) return;
    event.preventDefault();
    event.stopPropagation();
    void this.go(square.dataset.cell);
  }

  #followAddress() {
    const cell = this.cells.find(({ page }) => page === location.pathname);
    const counting = new URLSearchParams(location.search).has(PARAMETER);
    if (cell && counting) void this.open(cell.id, { push: false });
    else if (this.on || cell?.id !== this.config.metaphase) location.reload();
  }
}

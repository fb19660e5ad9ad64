/* Counts on their way to the server: kept in this browser until they are stored, sent in order, one at a time.

   An item is {key, cell, kind: "count" | "standing", body}.  The server takes the same one twice as one, so that an
   item whose answer was lost is sent again.  Another tab on the same case shares the shelf: it is read anew each time. */

import { Refused, Unreachable } from "./api.js";
import { clientKey } from "./keeping.js";

const LEAVES_THE_QUEUE = (error) => error.status !== 401;

export class CountQueue {
  /* api: {count(cell, body), standing(cell, body)} → the cell's new state.  shelf: {read(), write(value | null)}.
     stored(cell, state), refused(cell, error, item), changed(queue): tell the page.  waits: seconds before a further try. */
  constructor({ api, shelf, stored, refused, changed, waits = [1, 2, 4, 8, 15, 30] }) {
    Object.assign(this, { api, shelf, stored, refused, changed, waits });
    this.items = shelf.read() ?? [];
    this.state = "saved"; // "saved" | "saving" | "unsaved" | "signed-out"
    this.running = false;
    this.failures = 0;
    this.wake = null;
  }

  waiting(cell) {
    return this.items.some((item) => item.cell === cell);
  }

  add(cell, kind, body) {
    const item = { key: clientKey(), cell, kind, body };
    this.items.push(item);
    this.#keep((kept) => [...kept, item]);
    void this.run();
  }

  /** Tries at once instead of waiting on: the network or the person is back. */
  resume() {
    this.wake?.();
    void this.run();
  }

  async run() {
    if (this.running) return;
    this.running = true;
    try {
      while (this.items.length && (await this.#sendFirst()));
    } finally {
      this.running = false;
    }
  }

  /** → true once everything is stored, false as soon as something cannot be. */
  async settled() {
    while (this.running && this.state === "saving") await new Promise((resolve) => setTimeout(resolve, 20));
    return this.items.length === 0;
  }

  /* → whether to go on with the next. */
  async #sendFirst() {
    const item = this.items[0];
    if (this.failures === 0) this.#say("saving");
    try {
      const answer = await this.api[item.kind](item.cell, item.body);
      this.failures = 0;
      this.#done(item);
      this.#rebase(item.cell, answer);
      this.stored(item.cell, answer);
      return true;
    } catch (error) {
      if (error instanceof Unreachable) {
        await this.#wait(error);
        return true;
      }
      if (!(error instanceof Refused)) throw error;
      this.failures = 0;
      if (!LEAVES_THE_QUEUE(error)) {
        this.#say("signed-out");
        return false;
      }
      this.#done(item);
      this.refused(item.cell, error, item);
      return true;
    }
  }

  /* A later count of the same cell was made on top of the one just stored. */
  #rebase(cell, { base_version: version }) {
    const rebased = (item) =>
      item.cell === cell && item.kind === "count" ? { ...item, body: { ...item.body, base_version: version } } : item;
    this.items = this.items.map(rebased);
    this.#keep((kept) => kept.map(rebased));
  }

  #done(item) {
    this.items = this.items.filter((other) => other.key !== item.key);
    this.#keep((kept) => kept.filter((other) => other.key !== item.key));
    this.#say(this.items.length ? "saving" : "saved");
  }

  #keep(change) {
    const kept = change(this.shelf.read() ?? []);
    this.shelf.write(kept.length ? kept : null);
  }

  #say(state) {
    this.state = state;
    this.changed(this);
  }

  async #wait(error) {
    const seconds = Math.max(error.waitSeconds, this.waits[Math.min(this.failures, this.waits.length - 1)]);
    this.failures += 1;
    this.#say("unsaved");
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = null;
  }
}

/** The counts of cells by the API; addresses: {count, standing} of a cell's id. */
export function countApi(request, addresses) {
  return {
    load: async (cell) => (await request("GET", addresses.count(cell))).answer,
    count: async (cell, body) => (await request("PUT", addresses.count(cell), body)).answer,
    standing: async (cell, body) => (await request("POST", addresses.standing(cell), body)).answer,
  };
}

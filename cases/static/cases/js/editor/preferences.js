/* What this person likes to see, kept on the server and the same on every computer.  Nothing clinical: a change that
   cannot be sent is shown all the same and goes along with the next one. */

import { request } from "./api.js";

const WAIT_MS = 600;

export class Preferences {
  /* kept: what the server knows.  url: where changes go.  send: as api.js's request. */
  constructor({ kept, url, send = request }) {
    Object.assign(this, { kept: { ...kept }, url, send, waiting: null, timer: 0 });
    addEventListener("pagehide", () => void this.flush());
  }

  get(name) {
    return this.kept[name];
  }

  /** changes: {name: value}; `view` may hold some of its parts. */
  set(changes) {
    const view = changes.view ? { ...this.kept.view, ...changes.view } : this.kept.view;
    this.kept = { ...this.kept, ...changes, view };
    this.waiting = merged(this.waiting, changes);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), WAIT_MS);
  }

  async flush() {
    clearTimeout(this.timer);
    const { waiting } = this;
    if (!waiting) return;
    this.waiting = null;
    try {
      await this.send("PATCH", this.url, waiting);
    } catch {
      this.waiting = merged(waiting, this.waiting ?? {});
    }
  }
}

function merged(before, after) {
  const view = before?.view || after.view ? { view: { ...before?.view, ...after.view } } : {};
  return { ...before, ...after, ...view };
}

/** For parts that remember one word: {read(), write(value)}, null where there is none. */
export const shelfOf = (preferences, name) => ({
  read: () => preferences.get(name) || null,
  write: (value) => preferences.set({ [name]: value ?? "" }),
});

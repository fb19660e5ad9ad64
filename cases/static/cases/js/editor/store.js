/* What the page knows, and who is told when it changes.  No DOM here.

   document: what is shown, with changes that are not saved yet.  version: the last one that the server has confirmed.
   save: "saved" | "saving" | "unsaved" | "signed-out" | "conflict". */

export class Store {
  constructor(state = {}) {
    this.state = {
      document: null,
      version: 0,
      accepted: false,
      canUndo: false,
      canRedo: false,
      editable: false,
      lockedBecause: "",
      viewUrl: "",
      selected: null,
      hovered: null,
      tool: "choose",
      typed: "",
      save: "saved",
      pending: 0,
      conflict: null,
      ...state,
    };
    this.listeners = new Set();
  }

  /** Calls listener(state, changed: Set of names) after every change; → a function that ends it. */
  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  set(changes) {
    const changed = new Set(Object.keys(changes).filter((name) => !Object.is(changes[name], this.state[name])));
    if (!changed.size) return;
    this.state = { ...this.state, ...changes };
    for (const listener of [...this.listeners]) listener(this.state, changed);
  }

  chromosome(id) {
    return this.state.document?.chromosomes.find((one) => one.id === id) ?? null;
  }

  get selected() {
    return this.chromosome(this.state.selected);
  }

  select(id) {
    this.set({ selected: this.chromosome(id) ? id : null });
  }

  hover(id) {
    this.set({ hovered: id });
  }
}

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
      also: [], // chosen besides, in the order in which they were chosen
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

  /** All that are chosen, the first one first; the selected one is among them. */
  get chosen() {
    const { also, selected } = this.state;
    return [...new Set([...also, selected])].map((id) => this.chromosome(id)).filter(Boolean);
  }

  /** keep: what is chosen besides stays so. */
  select(id, { keep = false } = {}) {
    const also = keep || !this.state.also.length ? this.state.also : [];
    this.set({ selected: this.chromosome(id) ? id : null, also });
  }

  /** Shift-click: chosen besides the others, or no longer. */
  toggle(id) {
    const ids = this.chosen.map((one) => one.id);
    const after = ids.includes(id) ? ids.filter((other) => other !== id) : [...ids, id];
    this.set({ selected: after.at(-1) ?? null, also: after.slice(0, -1) });
  }

  /** The selected one stays chosen when another is selected, or no longer; → whether it does. */
  keepChosen() {
    const { also, selected } = this.state;
    const kept = !also.includes(selected);
    this.set({ also: kept ? [...also, selected] : also.filter((id) => id !== selected) });
    return kept;
  }

  hover(id) {
    this.set({ hovered: id });
  }
}

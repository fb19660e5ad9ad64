/* Marks chromosomes on both panes: those of a step under the pointer, of someone else's last change, of a comparison,
   and those that somebody has commented on.

   The store says which: marked and differing are Sets of ids (or null), comments the list of comments. */

export class Marks {
  constructor({ store, roots }) {
    Object.assign(this, { store, roots });
    store.subscribe((state, changed) => {
      if (["document", "marked", "differing", "comments"].some((name) => changed.has(name))) this.#show(state);
    });
    // The sheet draws again when its room changes, without the document changing.
    for (const root of roots) root.addEventListener("drawn", () => this.#show(store.state));
  }

  #show({ marked, differing, comments }) {
    const commented = new Set((comments ?? []).filter((one) => !one.resolved_at).map((one) => one.chromosome));
    for (const root of this.roots)
      for (const element of root.querySelectorAll("[data-id]")) {
        const { id } = element.dataset;
        element.classList.toggle("marked", marked?.has(id) ?? false);
        element.classList.toggle("differs", differing?.has(id) ?? false);
        element.classList.toggle("commented", commented.has(id));
      }
  }
}

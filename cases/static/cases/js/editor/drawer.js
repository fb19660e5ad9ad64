/* The drawer at the right edge of the cell page: one panel at a time, closed until someone wants it, so that the
   karyogram keeps its room.  Rooms of the page bring their panels with

     drawer.add({id, title, key, mount(element, context), shown(element), hidden(element)})

   mount is called once, when the panel is first opened; shown and hidden (both optional) each time.  key is only what
   stands on the tab: the shortcut itself is a line of keyboard.js that calls page.drawer.toggle(id).
   context: {store, history, commands, config, say, drawer}. */

function make(name, parent, attributes = {}, text) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

export class Drawer {
  /* root: an empty element after the panes.  shelf: {read(), write(value)}, as browserShelf makes them. */
  constructor({ root, context, shelf }) {
    Object.assign(this, { root, shelf });
    this.context = { ...context, drawer: this };
    this.panels = new Map();
    this.current = null;
    this.panel = make("aside", root, { class: "drawer", id: "drawer-panel", hidden: "" });
    const bar = make("div", this.panel, { class: "pane-bar" });
    this.title = make("h2", bar, { id: "drawer-title" });
    this.panel.setAttribute("aria-labelledby", "drawer-title");
    make("span", bar, { class: "spring" });
    const close = make("button", bar, { type: "button", class: "tool", title: "Close (Esc)", "aria-label": "Close" }, "×");
    close.addEventListener("click", () => this.close());
    this.body = make("div", this.panel, { class: "drawer-body" });
    this.rail = make("nav", root, { class: "drawer-rail", "aria-label": "Panels" });
    // Esc inside leaves the drawer; anywhere else it chooses nothing, as always.
    this.panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      event.preventDefault();
      this.close();
    });
  }

  add({ id, title, key = "", mount, shown, hidden }) {
    const tab = make("button", this.rail, { type: "button", class: "drawer-tab", "data-panel": id, "aria-expanded": "false", "aria-controls": "drawer-panel" });
    tab.title = key ? `${title} (${key})` : title;
    make("span", tab, { class: "drawer-tab-name" }, title);
    tab.append(" "); // its name is read as two words
    const badge = make("b", tab, { class: "drawer-badge", hidden: "" });
    const element = make("section", this.body, { class: `drawer-section drawer-${id}`, hidden: "" });
    this.panels.set(id, { title, tab, badge, element, mount, shown, hidden, mounted: false });
    tab.addEventListener("click", () => this.toggle(id));
    if (this.shelf?.read() === id) this.open(id, { focus: false });
    return element;
  }

  /** Opens a panel; focus: whether the keyboard goes there too. */
  open(id, { focus = true } = {}) {
    const panel = this.panels.get(id);
    if (!panel) return;
    if (this.current !== id) {
      this.#hideCurrent();
      this.current = id;
      this.title.textContent = panel.title;
      panel.element.hidden = this.panel.hidden = false;
      panel.tab.setAttribute("aria-expanded", "true");
      this.root.classList.add("open");
      this.shelf?.write(id);
      if (!panel.mounted) {
        panel.mounted = true;
        panel.mount(panel.element, this.context);
      }
      panel.shown?.(panel.element);
    }
    if (focus) panel.tab.focus({ preventScroll: true });
  }

  close() {
    const tab = this.panels.get(this.current)?.tab;
    const inside = this.root.contains(document.activeElement);
    this.#hideCurrent();
    this.panel.hidden = true;
    this.root.classList.remove("open");
    this.shelf?.write(null);
    if (inside) tab?.focus({ preventScroll: true });
  }

  toggle(id) {
    if (this.current === id) this.close();
    else this.open(id);
  }

  isOpen(id) {
    return this.current === id;
  }

  /** A number on the tab; empty or 0 takes it away.  words: for those who do not see it. */
  badge(id, number, words = "") {
    const { badge, tab, title } = this.panels.get(id);
    badge.hidden = !number;
    badge.textContent = number || "";
    if (number) tab.setAttribute("aria-label", `${title}, ${words || number}`);
    else tab.removeAttribute("aria-label");
  }

  #hideCurrent() {
    const panel = this.panels.get(this.current);
    if (!panel) return;
    panel.element.hidden = true;
    panel.tab.setAttribute("aria-expanded", "false");
    this.current = null;
    panel.hidden?.(panel.element);
  }
}

/* What stands beside the photograph in counting mode: the number, how certain it is, what to do with the cell, and the
   case's other cells. */

import { plural } from "./words.js";

const byId = (id) => document.getElementById(id);
const STANDING = { new: "", counted: "counted", analysed: "analysed", karyotyped: "karyotyped", excluded: "excluded" };

function make(name, parent, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

export class CountPanel {
  constructor({ counting, reasons }) {
    this.counting = counting;
    const clicks = {
      "count-store": () => counting.store(),
      "count-analysed": () => counting.store({ analysed: true }),
      "count-exclude": () => this.askReason(),
      "count-keep": () => this.closeReason(),
      "count-include": () => counting.setStanding(counting.state.proposed ? "new" : "counted"),
      "count-reset": () => counting.setStanding("new"),
      "count-is-sure": () => counting.setSure(true),
      "count-not-sure": () => counting.setSure(false),
      "count-undo": () => counting.field.undo(),
      "count-fit": () => counting.field.spread.fit(),
      "count-close": () => counting.close(),
      "count-retry": () => counting.queue.resume(),
    };
    for (const [id, run] of Object.entries(clicks)) byId(id).addEventListener("click", run);
    this.#buildReasons(reasons);
    this.rows = new Map(counting.cells.map((cell) => [cell.id, this.#row(cell)]));
    this.showCells();
    this.showSaving(counting.queue);
  }

  #buildReasons(reasons) {
    const list = byId("count-reason-list");
    reasons.forEach((reason, index) => {
      const label = make("label", list);
      const radio = make("input", label);
      Object.assign(radio, { type: "radio", name: "reason", value: reason, id: `count-reason-${index + 1}` });
      label.append(reason);
    });
    byId("count-reason").addEventListener("input", () => {
      for (const radio of list.querySelectorAll("input")) radio.checked = false;
    });
    byId("count-reasons").addEventListener("submit", (event) => {
      event.preventDefault();
      const reason = byId("count-reason").value.trim() || list.querySelector(":checked")?.value;
      if (!reason) {
        byId("count-reason").focus();
        return;
      }
      this.closeReason();
      this.counting.setStanding("excluded", reason);
    });
  }

  askReason() {
    const form = byId("count-reasons");
    if (!this.counting.state?.editable || this.counting.here.standing === "excluded") return;
    form.hidden = false;
    byId("count-exclude").setAttribute("aria-expanded", "true");
    form.reset();
    byId("count-reason-1").focus();
  }

  /** → whether there was anything to close. */
  closeReason() {
    const form = byId("count-reasons");
    if (form.hidden) return false;
    form.hidden = true;
    byId("count-exclude").setAttribute("aria-expanded", "false");
    byId("count-store").focus();
    byId("count-store").blur();
    return true;
  }

  showCell(cell) {
    this.closeReason();
    byId("count-title").textContent = `Counting cell ${cell.ordinal}`;
    byId("count-name").textContent = cell.name;
    byId("count-number").textContent = "–";
    byId("count-from").textContent = "Loading…";
    byId("count-doubt").hidden = true;
    this.showCells();
  }

  showState() {
    const { state, field, here, sure } = this.counting;
    if (!state) return;
    const many = field.ticks.length;
    byId("count-number").textContent = many;
    byId("count-from").textContent = this.#from(state);
    const other = state.karyogram_count;
    const doubt = byId("count-doubt");
    // Before anyone has counted, a difference is only how far the person has come.
    doubt.hidden = other === null || other === many || (state.proposed && !this.counting.changed);
    doubt.textContent = `The karyogram holds ${other}.`;
    byId("count-is-sure").setAttribute("aria-pressed", String(sure));
    byId("count-not-sure").setAttribute("aria-pressed", String(!sure));
    byId("count-undo").disabled = !field.undos.length;
    const excluded = here.standing === "excluded";
    for (const id of ["count-is-sure", "count-not-sure", "count-store", "count-analysed", "count-exclude"])
      byId(id).disabled = !state.editable;
    byId("count-exclude").hidden = excluded;
    byId("count-include").hidden = !excluded || !state.editable;
    byId("count-reset").hidden = !state.editable || excluded || !["counted", "analysed"].includes(here.standing);
  }

  #from(state) {
    if (this.counting.here.standing === "excluded") return `Excluded: ${this.counting.here.reason}`;
    if (this.counting.changed) return "Not stored yet";
    if (!state.proposed) {
      const by = state.counted_by ? `Counted by ${state.counted_by}` : "Counted";
      return this.counting.queue.waiting(this.counting.here.id) ? "Being stored…" : by;
    }
    return state.karyogram_count === null ? "Nobody has counted this cell yet" : "Proposed by the models, not counted yet";
  }

  #row(cell) {
    const row = make("tr", byId("count-cells"));
    const button = make("button", make("td", row), "count-cell", `Cell ${cell.ordinal}`);
    button.type = "button";
    button.addEventListener("click", () => this.counting.go(cell.id));
    return { row, button, number: make("td", row, "count-of"), standing: make("td", row, "count-standing") };
  }

  showCells() {
    const { counting } = this;
    for (const cell of counting.cells) {
      const { row, button, number, standing } = this.rows.get(cell.id);
      const here = cell === counting.here;
      row.className = here ? "here" : "";
      if (here) {
        button.setAttribute("aria-current", "true");
        row.scrollIntoView({ block: "nearest" });
      } else button.removeAttribute("aria-current");
      const excluded = cell.standing === "excluded";
      number.textContent = cell.count === null || excluded ? "" : `${cell.count}${cell.sure ? "" : " ?"}`;
      number.classList.toggle("doubtful", !excluded && cell.count !== null && (cell.differs || !cell.sure));
      number.title = cell.differs ? "Count and karyogram differ" : cell.sure ? "" : "Not sure";
      standing.textContent = counting.queue?.waiting(cell.id) ? "not stored yet" : STANDING[cell.standing];
      standing.title = cell.reason;
    }
    this.#showSum();
  }

  #showSum() {
    const done = this.counting.cells.filter(({ standing }) => !["new", "excluded"].includes(standing));
    const many = (...standings) => done.filter(({ standing }) => standings.includes(standing)).length;
    const counts = new Map();
    for (const { count } of done) if (count !== null) counts.set(count, (counts.get(count) ?? 0) + 1);
    const shown = [...counts].sort(([one, some], [other, more]) => more - some || one - other);
    byId("count-sum").textContent =
      `${done.length} of ${this.counting.cells.length} counted, ${many("analysed", "karyotyped")} analysed, ${many("karyotyped")} karyotyped`;
    byId("count-distribution").textContent = shown.map(([count, cells]) => `${count}\u00a0×${cells}`).join(", ");
  }

  showSaving({ state, items }) {
    const words = {
      saved: "",
      saving: "storing…",
      unsaved: `${plural(items.length, "change")} not stored yet: kept here, sent when the server is back`,
      "signed-out": `${plural(items.length, "change")} not stored: you have been signed out`,
    };
    byId("count-saving").textContent = words[state];
    byId("count-saving").classList.toggle("waiting", state === "unsaved" || state === "signed-out");
    byId("count-retry").hidden = state !== "unsaved";
    this.showCells();
  }
}

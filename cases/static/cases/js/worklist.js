// Lists by keyboard: up and down (or k and j) walk the rows, Enter opens, / goes to the search field.
// Each row's link is the focusable thing, so without this module Tab and Enter do the same.

const links = () => [...document.querySelectorAll(".rows a.row-link")];

function typing(target) {
  return target instanceof HTMLElement && target.closest("input, select, textarea, [contenteditable]") !== null;
}

function step(by) {
  const all = links();
  if (!all.length) return;
  const here = all.findIndex((link) => link.closest("tr").contains(document.activeElement));
  const next = here < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, here + by));
  all[next].focus();
  all[next].closest("tr").scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.querySelector("[data-search]");
  if (typing(event.target)) {
    if (event.target === search && event.key === "ArrowDown") {
      step(1);
      event.preventDefault();
    }
    return;
  }
  const moves = { ArrowDown: () => step(1), j: () => step(1), ArrowUp: () => step(-1), k: () => step(-1) };
  moves.Home = () => links()[0]?.focus();
  moves.End = () => links().at(-1)?.focus();
  moves["/"] = () => search?.select();
  const move = moves[event.key];
  if (move) {
    move();
    event.preventDefault();
  }
});

// A click anywhere on a row opens it; selecting text or using a modifier does not.
document.addEventListener("click", (event) => {
  const row = event.target.closest?.(".rows tbody tr");
  if (!row || event.target.closest("a, button, input") || event.defaultPrevented) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || String(getSelection())) return;
  row.querySelector("a.row-link")?.click();
});

// Choosing in a filter is enough; the button is for those without this module.
for (const chooser of document.querySelectorAll("[data-submit-on-change]")) {
  chooser.addEventListener("change", () => chooser.form.requestSubmit());
}

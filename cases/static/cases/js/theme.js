// Light or dark, decided before anything is drawn (a plain script in the head: modules would come too late).
// What the reader chose is remembered; choosing what the system has means following the system again.
(() => {
  const KEY = "karyosite.theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const systemTheme = () => (system.matches ? "dark" : "light");

  function remembered() {
    try {
      const kept = localStorage.getItem(KEY);
      return kept === "light" || kept === "dark" ? kept : null;
    } catch {
      return null; // storage is closed to us: the system's choice holds
    }
  }

  function show(theme) {
    root.dataset.bsTheme = theme;
    const button = document.querySelector("[data-theme-toggle]");
    if (button) button.setAttribute("aria-label", theme === "dark" ? "Use light colours" : "Use dark colours");
  }

  function choose(theme) {
    try {
      if (theme === systemTheme()) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, theme);
    } catch {
      /* not remembered, still shown */
    }
    show(theme);
  }

  show(remembered() ?? systemTheme());
  system.addEventListener("change", () => show(remembered() ?? systemTheme()));
  addEventListener("storage", (event) => event.key === KEY && show(remembered() ?? systemTheme()));
  document.addEventListener("DOMContentLoaded", () => {
    show(root.dataset.bsTheme);
    document.querySelector("[data-theme-toggle]")?.addEventListener("click", () => {
      choose(root.dataset.bsTheme === "dark" ? "light" : "dark");
    });
  });
})();

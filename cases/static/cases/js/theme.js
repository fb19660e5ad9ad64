// Light or dark, decided before anything is drawn (a plain script in the head: modules would come too late).
// What a person chose comes with the page (data-theme-kept), whatever computer they sit at; before signing in, what was
// chosen on this computer holds.  Choosing what the system has means following the system again.
(() => {
  const KEY = "karyosite.theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const systemTheme = () => (system.matches ? "dark" : "light");
  const chosen = (theme) => (theme === "light" || theme === "dark" ? theme : null);

  function remembered() {
    if (root.dataset.themeKept) return chosen(root.dataset.themeKept);
    try {
      return chosen(localStorage.getItem(KEY));
    } catch {
      return null; // storage is closed to us: the system's choice holds
    }
  }

  function show(theme) {
    root.dataset.bsTheme = theme;
    const button = document.querySelector("[data-theme-toggle]");
    if (button) button.setAttribute("aria-label", theme === "dark" ? "Use light colours" : "Use dark colours");
  }

  function keep(theme) {
    try {
      if (theme === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, theme);
    } catch {
      /* not remembered on this computer, still shown */
    }
    if (!root.dataset.themeKept) return;
    root.dataset.themeKept = theme;
    const token = /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
    fetch("/api/v1/me/preferences/", {
      method: "PATCH",
      credentials: "same-origin",
      keepalive: true,
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token },
      body: JSON.stringify({ theme }),
    }).catch(() => {}); // shown all the same; the next choice is sent again
  }

  function choose(theme) {
    keep(theme === systemTheme() ? "system" : theme);
    show(theme);
  }

  show(remembered() ?? systemTheme());
  system.addEventListener("change", () => show(remembered() ?? systemTheme()));
  addEventListener("storage", (event) => {
    if (event.key !== KEY) return;
    if (root.dataset.themeKept) root.dataset.themeKept = event.newValue ?? "system"; // chosen in another tab
    show(remembered() ?? systemTheme());
  });
  document.addEventListener("DOMContentLoaded", () => {
    show(root.dataset.bsTheme);
    document.querySelector("[data-theme-toggle]")?.addEventListener("click", () => {
      choose(root.dataset.bsTheme === "dark" ? "light" : "dark");
    });
  });
})();

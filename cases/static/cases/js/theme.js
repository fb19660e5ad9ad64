// Light or dark, decided before anything is drawn (a plain script in the head: modules would come too late).
// What a person chose comes with the page (data-theme-kept), whatever computer they sit at; before signing in, what was
// chosen on this computer holds.  Choosing what the system has means following the system again.
// A choice that the next page cannot know of yet (it was asked for before the server confirmed the choice, or the network
// was away) holds in this tab meanwhile, and is sent again.
(() => {
  const KEY = "karyosite.theme";
  const LATEST = "karyosite.theme.latest"; // "dark", or "dark 1790000000000": when the server confirmed it
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const systemTheme = () => (system.matches ? "dark" : "light");
  const chosen = (theme) => (theme === "light" || theme === "dark" ? theme : null);

  const stored = (storage, key) => {
    try {
      return window[storage].getItem(key);
    } catch {
      return null; // storage is closed to us
    }
  };

  function store(storage, key, value) {
    try {
      if (value === null) window[storage].removeItem(key);
      else window[storage].setItem(key, value);
    } catch {
      /* not remembered here, still shown */
    }
  }

  function remembered() {
    return chosen(root.dataset.themeKept || stored("localStorage", KEY)); // nothing: the system's choice holds
  }

  function show(theme) {
    root.dataset.bsTheme = theme;
    const button = document.querySelector("[data-theme-toggle]");
    if (button) button.setAttribute("aria-label", theme === "dark" ? "Use light colours" : "Use dark colours");
  }

  let sending = Promise.resolve(); // one after the other: the last choice is the last to arrive

  function keep(theme) {
    store("localStorage", KEY, theme === "system" ? null : theme);
    if (!root.dataset.themeKept) return;
    root.dataset.themeKept = theme;
    store("sessionStorage", LATEST, theme);
    send(theme);
  }

  function send(theme) {
    const token = /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
    const request = () =>
      fetch("/api/v1/me/preferences/", {
        method: "PATCH",
        credentials: "same-origin",
        keepalive: true,
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token },
        body: JSON.stringify({ theme }),
      }).then((answer) => {
        if (answer.status >= 500 || stored("sessionStorage", LATEST) !== theme) return;
        store("sessionStorage", LATEST, answer.ok ? `${theme} ${Date.now()}` : null);
      });
    sending = sending.then(request).catch(() => {}); // shown all the same; the next page sends it again
  }

  function takeUpLatest() {
    const [theme, confirmed] = (stored("sessionStorage", LATEST) ?? "").split(" ");
    if (!theme) return;
    // Signed out: who comes next is another person.  Confirmed before this page was asked for: the page knows better.
    if (!root.dataset.themeKept || confirmed < performance.timeOrigin) store("sessionStorage", LATEST, null);
    else {
      root.dataset.themeKept = theme;
      if (!confirmed) send(theme);
    }
  }

  function choose(theme) {
    keep(theme === systemTheme() ? "system" : theme);
    show(theme);
  }

  takeUpLatest();
  show(remembered() ?? systemTheme());
  system.addEventListener("change", () => show(remembered() ?? systemTheme()));
  addEventListener("storage", (event) => {
    if (event.key !== KEY) return;
    if (root.dataset.themeKept) root.dataset.themeKept = event.newValue ?? "system"; // chosen in another tab
    store("sessionStorage", LATEST, null);
    show(remembered() ?? systemTheme());
  });
  document.addEventListener("DOMContentLoaded", () => {
    show(root.dataset.bsTheme);
    document.querySelector("[data-theme-toggle]")?.addEventListener("click", () => {
      choose(root.dataset.bsTheme === "dark" ? "light" : "dark");
    });
  });
})();

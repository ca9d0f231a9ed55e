// Runs before the page is drawn, so that the chosen colours are there from the first frame.
(() => {
  const KEY = "kinomill-theme";
  const ORDER = ["system", "light", "dark"];
  const root = document.documentElement;
  root.dataset.scripts = ""; // Style sheets may hide what scripts show.

  function read() {
    try {
      const stored = localStorage.getItem(KEY);
      return ORDER.includes(stored) ? stored : "system";
    } catch {
      return "system"; // Storage may be forbidden; then the choice lasts for this page.
    }
  }

  let theme = read();

  function apply() {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    for (const button of document.querySelectorAll("[data-theme-switch][data-system]")) {
      const name = button.dataset[theme];
      button.setAttribute("aria-label", name);
      button.title = name;
    }
  }

  apply();
  document.addEventListener("DOMContentLoaded", apply);
  addEventListener("storage", (event) => {
    if (event.key === KEY) {
      theme = read();
      apply();
    }
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-theme-switch]")) return;
    theme = ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length];
    try {
      if (theme === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, theme);
    } catch {
      // The choice lasts for this page.
    }
    apply();
  });
})();

// Lists that fetch themselves, the address that shows their filter, and jumps within a film.
const COUNT_MAX = 1000; // The most that the server gives at once.

document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  const asker = ctx.sourceElement;
  // A list that fetches itself asks for as many as it shows, so that opened pages stay.
  const rows = asker.dataset?.rows && document.querySelector(asker.dataset.rows);
  if (rows) {
    const count = Math.min(COUNT_MAX, rows.querySelectorAll(":scope > li:not(.more)").length);
    ctx.request.body.set("count", String(count));
  }
  // The address shows the filter, so that it can be kept and shared.
  if (asker.dataset?.address) {
    const usual = JSON.parse(asker.dataset.usual ?? "{}");
    const filled = [...ctx.request.body].filter(
      ([name, value]) => value !== "" && usual[name] !== value,
    );
    const search = new URLSearchParams(filled).toString();
    history.replaceState(null, "", asker.dataset.address + (search ? `?${search}` : ""));
  }
});

/** Everything on the page that waits for an event fetches itself. */
globalThis.kinomill.refresh = () => {
  const names = new Set();
  for (const element of document.querySelectorAll('[hx-trigger*="from:body"]')) {
    for (const trigger of element.getAttribute("hx-trigger").split(",")) {
      if (trigger.includes("from:body")) names.add(trigger.trim().split(/[\s[]/)[0]);
    }
  }
  for (const name of names) htmx.trigger(document.body, name);
};

document.addEventListener("click", (event) => {
  const seek = event.target.closest("[data-seek]");
  const media = seek && document.querySelector(".player video, .player audio");
  if (!media) return;
  media.currentTime = Number(seek.dataset.seek);
  media.play().catch(() => {}); // A browser may refuse to play; the position is set all the same.
});

// A page that comes back from the browser's memory shows an old state and disabled buttons.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// Tabs that do not fit are pushed to and fro; the one that is open is to be seen.
for (const tab of document.querySelectorAll(":is(.tabs, .segments) > [aria-current]")) {
  const row = tab.parentElement;
  row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.clientWidth) / 2;
}

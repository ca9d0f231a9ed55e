// The page of a file: what happens to the file on other pages happens here too.
const page = document.getElementById("asset-page");
const { asset } = page.dataset;

// A link holds where it stands only when a person asked for it; the whole address is known here alone.
function fillLinks() {
  for (const button of document.querySelectorAll("[data-copy-address]")) {
    button.dataset.copy = new URL(button.dataset.copyAddress, location.href).href;
  }
  const title = document.querySelector("#asset-head h1");
  if (title) document.title = `${title.textContent} · Kinomill`;
}
document.addEventListener("htmx:after:swap", fillLinks);
fillLinks();

// The name: Escape leaves it as it was.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.closest?.("[data-rename]")) {
    document.getElementById("rename-cancel").click();
  }
});
document.addEventListener("htmx:after:swap", () => {
  const field = document.querySelector("[data-rename] input[name=name]:not([data-begun])");
  if (!field) return;
  field.dataset.begun = "";
  field.focus();
  // The ending stays when somebody types.
  const dot = field.value.lastIndexOf(".");
  field.setSelectionRange(0, dot > 0 ? dot : field.value.length);
});

let gone = false;
let ours = false; // This page deletes the file itself, and leads to the library by and by.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (/^delete$/i.test(ctx.request.method) && page.contains(ctx.sourceElement)) ours = true;
});

/** Nothing of the file plays or can be asked for any more; what was typed into forms stays readable. */
function leave() {
  if (gone) return;
  gone = true;
  for (const player of globalThis.kinomill?.players?.values() ?? []) player.close();
  if (ours) return;
  for (const part of page.querySelectorAll(".asset-layout, #asset-head")) part.inert = true;
  document.body.dispatchEvent(new CustomEvent("asset-gone"));
}

document.addEventListener("player:gone", leave, true);
document.body.addEventListener("library", ({ detail }) => {
  const told = JSON.parse(detail?.data ?? "{}");
  if (told.id !== asset) return;
  if (told.change === "deleted") leave();
  else if (gone) location.reload();
  else document.body.dispatchEvent(new CustomEvent("asset-changed"));
});

document.addEventListener("htmx:after:swap", () => {
  const way = gone && document.querySelector(".gone:not([data-met]) :is(button, a)");
  if (!way) return;
  way.closest(".gone").dataset.met = "";
  way.focus();
});

// What was missed while the stream was away.
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (/^delete$/i.test(ctx.request?.method) && ctx.response?.status >= 400) ours = false;
  if (ctx.sourceElement?.id === "asset-jobs" && ctx.response?.status === 404) leave();
});

// The room of the jobs: what changed is fetched without a storm, many are chosen by hand or by key, reports are copied.
const SOON_MS = 400; // Changes that come together are fetched together.
const APART_MS = 600; // Pages that hear of the same change ask at different moments.
const ROWS_MAX = 30; // Rows that the server gives at once.

const list = () => document.getElementById("jobs");
const rows = () => [...document.querySelectorAll("#job-rows > .job-row")];
const rowOf = (id) => document.getElementById(`job-${id}`);
const boxOf = (row) => row.querySelector(".job-choice input");

// What changed ---------------------------------------------------------------------------------
const changed = new Set();
let moved = false;
let timer = null;

function fetchChanged() {
  timer = null;
  const here = [...changed].filter(rowOf);
  const whole = moved || here.length > ROWS_MAX;
  changed.clear();
  moved = false;
  if (!list()) return;
  if (whole) {
    htmx.trigger(list(), "refresh");
    return;
  }
  if (here.length === 0) return;
  const address = `${list().getAttribute("hx-get").split("?")[0]}/rows`;
  const search = new URLSearchParams(here.map((id) => ["id", id]));
  htmx.ajax("GET", `${address}?${search}`, { target: list(), swap: "none" });
}

document.body.addEventListener("job", (event) => {
  if (!list()) return;
  let told = {};
  try {
    told = JSON.parse(event.detail?.data ?? "{}");
  } catch {
    // Not ours: as if nothing were told.
  }
  // A step or a reason changes one row; what came, moved or went may change the whole list.
  if (told.id && told.moved === false) changed.add(told.id);
  else moved = true;
  if (timer === null) timer = setTimeout(fetchChanged, SOON_MS + Math.random() * APART_MS);
});

// Choosing -------------------------------------------------------------------------------------
const chosen = new Set();
let anchor = null;

function showChoice() {
  const bar = document.getElementById("bulk-bar");
  if (!bar) return;
  const shown = rows();
  for (const id of chosen) if (!rowOf(id)) chosen.delete(id);
  for (const row of shown) {
    const box = boxOf(row);
    box.checked = chosen.has(row.dataset.job);
    row.classList.toggle("chosen", box.checked);
  }
  const all = document.getElementById("choose-all");
  all.checked = shown.length > 0 && chosen.size === shown.length;
  all.indeterminate = chosen.size > 0 && !all.checked;
  bar.querySelector(".bulk-chosen").hidden = chosen.size === 0;
  bar.querySelector(".bulk-all").hidden = chosen.size > 0;
  const count = document.getElementById("bulk-count");
  count.hidden = chosen.size === 0;
  const words = bar.dataset.chosenOne.replace("1", chosen.size.toLocaleString());
  if (count.textContent !== words) count.textContent = words;
}

function choose(row, on, range) {
  const shown = rows();
  const from = range && anchor ? shown.indexOf(rowOf(anchor)) : -1;
  const to = shown.indexOf(row);
  const span = from < 0 ? [row] : shown.slice(Math.min(from, to), Math.max(from, to) + 1);
  for (const each of span) {
    if (on) chosen.add(each.dataset.job);
    else chosen.delete(each.dataset.job);
  }
  anchor = row.dataset.job;
  showChoice();
}

document.addEventListener("click", (event) => {
  const box = event.target.closest?.(".job-row .job-choice input");
  if (box) choose(box.closest(".job-row"), box.checked, event.shiftKey);
  if (event.target.id === "choose-all") {
    for (const row of rows()) {
      if (event.target.checked) chosen.add(row.dataset.job);
      else chosen.delete(row.dataset.job);
    }
    showChoice();
  }
  if (event.target.closest?.("[data-command=choose-none]")) chooseNone();
  if (event.target.closest?.("[data-command=close-dialog]")) event.target.closest("dialog").close();
  if (event.target.closest?.("[data-copy-report]")) copyReport();
});

function chooseNone() {
  chosen.clear();
  anchor = null;
  showChoice();
}

// Keys -----------------------------------------------------------------------------------------
function step(by) {
  const shown = rows();
  if (shown.length === 0) return;
  const at = shown.findIndex((row) => row.contains(document.activeElement));
  const next = at < 0 ? (by > 0 ? 0 : shown.length - 1) : at + by;
  const row = shown[Math.min(shown.length - 1, Math.max(0, next))];
  row.querySelector(".row-title a").focus();
  row.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !list()) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.target.closest?.("select, textarea, [contenteditable], input:not([type=checkbox])"))
    return;
  const row = document.activeElement?.closest?.(".job-row") ?? null;
  switch (event.key) {
    case "j":
    case "k":
      step(event.key === "j" ? 1 : -1);
      break;
    case "x":
    case "X":
      if (!row) return;
      choose(row, event.shiftKey || !boxOf(row).checked, event.shiftKey);
      break;
    case "Escape":
      if (chosen.size === 0) return;
      chooseNone();
      break;
    case "Enter":
      // A link opens itself.
      if (!row || event.target.closest("a, button")) return;
      row.querySelector(".row-title a").click();
      break;
    default:
      return;
  }
  event.preventDefault();
});

// Copying --------------------------------------------------------------------------------------
// copy.js does it, with the text that stands beside the button.
document.addEventListener(
  "click",
  (event) => {
    const button = event.target.closest?.("[data-copy-of]");
    if (button) button.dataset.copy = document.getElementById(button.dataset.copyOf).textContent;
  },
  { capture: true },
);

function copyReport() {
  const report = document.getElementById("help-report");
  if (!report) return;
  const take = () => report.querySelector("[data-copy-of]")?.click();
  const there = report.querySelector("[data-copy-of]");
  report.open = true;
  report.scrollIntoView({ block: "nearest" });
  if (there) take();
  else report.addEventListener("htmx:after:swap", take, { once: true });
}

// What is open stays open, and what was answered goes with the next answer -----------------------
let open = [];
document.addEventListener("htmx:before:swap", () => {
  open = [...document.querySelectorAll("main details[id][open]")].map(({ id }) => id);
});

document.addEventListener("htmx:after:swap", () => {
  for (const id of open) {
    const folded = document.getElementById(id);
    if (folded && !folded.open) folded.open = true;
  }
  showChoice();
  const question = document.querySelector("dialog[data-open]:not([open])");
  if (question && !question.dataset.asked) {
    question.dataset.asked = "";
    question.addEventListener("close", () => question.remove());
    question.showModal();
  }
});

document.addEventListener("htmx:finally:request", (event) => {
  const { ctx } = event.detail;
  if (!ctx?.response || ctx.response.status >= 400) return;
  const asker = ctx.sourceElement;
  const question = asker.closest?.("dialog[data-open]");
  if (question) {
    question.close();
    chooseNone();
  }
  if (asker.closest?.("#job-panel .job-status"))
    document.getElementById("job-answer")?.replaceChildren();
});

showChoice();

// What needs a hand on every page: dialogs, notices, times, faults of forms. No markup is made from text.
const TICK_MS = 30_000; // Relative times change by the minute.
const NOTICE_MS = 12_000; // Long enough to read two sentences; a notice with focus or pointer stays.
const COUNT_MAX = 500; // The most that the server gives at once.

// Relative times -------------------------------------------------------------------------------
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const steps = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

function agoText(seconds) {
  if (Math.abs(seconds) < 45) return seconds > 5 ? "in a moment" : "just now";
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size * 0.75) return relative.format(Math.round(seconds / size), unit);
  }
  return "just now";
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const clockWithDay = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "short",
});

function clockText(at, now) {
  const today = at.toDateString() === new Date(now).toDateString();
  return (today ? clock : clockWithDay).format(at);
}

function relativeText(at, now) {
  const seconds = (at.getTime() - now) / 1000;
  const far = Math.abs(seconds) > 14 * 86_400;
  return far ? at.toLocaleDateString(undefined, { dateStyle: "medium" }) : agoText(seconds);
}

function showTimes() {
  const now = Date.now();
  for (const element of document.querySelectorAll("time[data-relative], time[data-clock]")) {
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const text = ("clock" in element.dataset ? clockText : relativeText)(at, now);
    if (element.textContent !== text) element.textContent = text;
    element.title = exact.format(at);
  }
}
setInterval(showTimes, TICK_MS);

// Notices --------------------------------------------------------------------------------------
function tidyNotices() {
  for (const notice of document.querySelectorAll("#notices > .notice:not([data-timed])")) {
    notice.dataset.timed = "";
    const leave = () => {
      if (notice.matches(":hover, :focus-within")) setTimeout(leave, 2000);
      else notice.remove();
    };
    setTimeout(leave, NOTICE_MS);
  }
}

function notify(sentence) {
  const region = document.getElementById("notices");
  if (!region || [...region.children].some((child) => child.textContent === sentence)) return;
  const notice = document.createElement("div");
  notice.className = "notice bad";
  notice.setAttribute("role", "alert");
  const text = document.createElement("p");
  text.textContent = sentence;
  notice.append(text);
  region.append(notice);
  tidyNotices();
}

document.addEventListener("htmx:error", (event) => {
  // Polls may fail while the server restarts; only what a person asked for is worth a notice.
  const type = event.detail.ctx?.sourceEvent?.type;
  if (type === "click" || type === "submit" || type === "change") {
    notify("Kinomill does not answer. Check that it runs and that this device can reach it.");
  }
});

// An answer that is not Kinomill's (a proxy's error page) must not become part of the page.
document.addEventListener("htmx:before:swap", (event) => {
  const { response } = event.detail.ctx;
  if (!response || response.status < 400) return;
  if (response.headers.get("content-security-policy")?.includes("'nonce-")) return;
  event.preventDefault();
  if (event.detail.ctx.swap === "none") return;
  notify(`Something between this page and Kinomill answered with status ${response.status}.`);
});

// A page that comes back from the browser's memory shows an old state and disabled buttons.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// Confirmation ---------------------------------------------------------------------------------
document.addEventListener("htmx:confirm", (event) => {
  const asker = event.detail.ctx.sourceElement;
  const dialog = document.getElementById("confirm");
  if (!asker.dataset.confirmText || !dialog) return;
  event.preventDefault();
  dialog.querySelector("#confirm-title").textContent = asker.dataset.confirmTitle;
  dialog.querySelector("#confirm-text").textContent = asker.dataset.confirmText;
  dialog.querySelector("#confirm-yes").textContent = asker.dataset.confirmYes;
  dialog.returnValue = "";
  dialog.addEventListener(
    "close",
    () => {
      if (dialog.returnValue === "yes") event.detail.issueRequest();
      else event.detail.dropRequest();
    },
    { once: true },
  );
  dialog.showModal();
});

// Clicks and keys ------------------------------------------------------------------------------
document.addEventListener("click", (event) => {
  event.target.closest("[data-command=dismiss]")?.closest(".notice")?.remove();
  const opens = event.target.closest("[data-opens]");
  if (opens) document.getElementById(opens.dataset.opens)?.showModal();
  if (event.target.matches("dialog")) event.target.close(); // A press beside it: its inside has elements of its own.
  const seek = event.target.closest("[data-seek]");
  const media = seek && document.querySelector(".player video, .player audio");
  if (media) {
    media.currentTime = Number(seek.dataset.seek);
    media.play().catch(() => {}); // A browser may refuse to play; the position is set all the same.
  }
  for (const menu of document.querySelectorAll("details:is(.menu, .link-add)[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details:is(.menu, .link-add)[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
  const typing = event.target.closest?.("input, select, textarea, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const field = document.querySelector('[data-shortcut="/"]');
    if (field) {
      event.preventDefault();
      field.focus();
      field.select();
    }
  }
});

// Forms ----------------------------------------------------------------------------------------
function clearFaults(form) {
  for (const fault of form.querySelectorAll(".fault[data-from-server]")) fault.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-errormessage");
  }
}

/** The field of a path, or else what it is a part of: `ranges.0` for a value deep in a text. */
function fieldOf(form, path) {
  for (let at = path; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) {
    const field = form.querySelector(`[data-field="${CSS.escape(at)}"]`);
    if (field) return { field, inside: path.slice(at.length + 1) };
  }
  return null;
}

function controlOf(field) {
  if (field.matches("[data-list]")) return field.querySelector(":scope > .list-actions button");
  return field.querySelector("input:not([type=hidden], [type=color]), select, textarea");
}

/** Puts each fault of the list next to its field and the focus on the first. */
function showFaults(list) {
  const form = list.closest("[data-fault-form]");
  if (!form) return;
  clearFaults(form);
  let first = null;
  for (const item of list.querySelectorAll("li[data-path]")) {
    const found = fieldOf(form, item.dataset.path);
    const input = found && controlOf(found.field);
    if (!input) continue;
    const { field, inside } = found;
    for (let part = field.closest("details"); part; part = part.parentElement.closest("details")) {
      part.open = true;
    }
    const fault = document.createElement("p");
    fault.className = "fault";
    fault.dataset.fromServer = "";
    fault.id = `fault-${item.dataset.path.replaceAll(".", "-")}`;
    const said = item.querySelector("span").textContent;
    fault.textContent = inside === "" ? said : `${inside}: ${said}`;
    field.append(fault);
    if (!input.matches("button")) {
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-errormessage", fault.id);
    }
    first ??= input;
  }
  (first ?? list).focus();
}

document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  const asker = ctx.sourceElement;
  // A list that fetches itself asks for as many as it shows, so that opened pages stay.
  const rows = asker.dataset?.rows && document.querySelector(asker.dataset.rows);
  if (rows) {
    const count = Math.min(COUNT_MAX, rows.querySelectorAll(":scope > li:not(.more)").length);
    ctx.request.body.set("count", String(count));
  }
  if (asker.matches?.("[data-fault-form]")) {
    clearFaults(asker);
    asker.querySelector("[data-faults]")?.remove();
  }
  // The address shows the filter, so that it can be kept and shared.
  if (asker.dataset?.address) {
    const filled = [...ctx.request.body].filter(([, value]) => value !== "");
    const search = new URLSearchParams(filled).toString();
    history.replaceState(null, "", asker.dataset.address + (search ? `?${search}` : ""));
  }
});

// After every change of the page ---------------------------------------------------------------
function settle() {
  showTimes();
  tidyNotices();
  const faults = document.querySelector("[data-faults]:not([data-shown])");
  if (faults) {
    faults.dataset.shown = "";
    showFaults(faults);
  }
}
document.addEventListener("htmx:after:swap", settle);
settle();

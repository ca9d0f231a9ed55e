// The log while it is written: follows the stream, builds its lines from the page's template, filters without a new
// page, pauses, and keeps the place of whoever reads further up. All text goes in as text.
const LINES_MAX = 1_500; // What the page keeps; the oldest go.
const TYPING_MS = 350; // After the last key the filter is asked.
const NEAR_END_PX = 24; // So near to the end counts as at the end.

const form = document.getElementById("log-filter");
const list = document.getElementById("log-lines");
const template = document.getElementById("log-line");
const none = document.getElementById("log-none");
const state = document.getElementById("log-state");
const pause = document.getElementById("log-pause");
const copy = document.getElementById("log-copy");
const fresh = document.getElementById("log-new");
const older = document.getElementById("log-older");

const moment = new Intl.DateTimeFormat(undefined, {
  ...{ hour: "2-digit", minute: "2-digit", second: "2-digit" },
  ...{ fractionalSecondDigits: 3, hourCycle: "h23" },
});

let source = null;
let unseen = 0;

// Lines ------------------------------------------------------------------------------------------
function showMoment(time) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) return;
  time.textContent = moment.format(at);
  time.title = at.toLocaleString();
}

/** As the server writes it: job=jb_1 state=failed. */
function factText(value) {
  if (typeof value === "string") return /^\S+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(typeof value?.message === "string" ? value.message : value);
}

const factsText = (facts) =>
  Object.entries(facts)
    .map(([name, value]) => `${name}=${factText(value)}`)
    .join(" ");

function lineOf({ id, at, level, part, message, facts }) {
  const line = template.content.firstElementChild.cloneNode(true);
  line.className = `log-line is-${level}`;
  line.dataset.id = id;
  const time = line.querySelector("time");
  time.dateTime = at;
  showMoment(time);
  line.querySelector(".log-level").textContent = level;
  line.querySelector(".log-part").textContent = part;
  line.querySelector(".log-message").textContent = message;
  line.querySelector(".log-facts").textContent = factsText(facts);
  const any = Object.keys(facts).length > 0;
  line.querySelector(".log-all").textContent = any ? JSON.stringify(facts, null, 2) : "";
  return line;
}

const atEnd = () => list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX;

function toEnd() {
  list.scrollTop = list.scrollHeight;
  unseen = 0;
  fresh.hidden = true;
}

/** New lines at the end; who reads further up stays there and is told how many came. */
function add(elements) {
  const stay = !atEnd();
  list.append(...elements);
  while (list.children.length > LINES_MAX) list.firstElementChild.remove();
  none.hidden = list.children.length > 0;
  if (!stay) {
    toEnd();
    return;
  }
  unseen += elements.length;
  fresh.textContent = fresh.dataset.words.replace("{count}", String(unseen));
  fresh.hidden = false;
}

// The stream -------------------------------------------------------------------------------------
const wanted = () =>
  new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));

function tell(now) {
  state.dataset.now = now;
  state.textContent = state.dataset[now];
}

function follow() {
  source?.close();
  const asked = wanted();
  const last = list.querySelector(":scope > [data-id]:last-of-type")?.dataset.id;
  // A line that came between the list and the stream must not be lost, also where the list is empty.
  asked.set("after", last ?? list.dataset.last);
  source = new EventSource(`${form.dataset.eventsAddress}?${asked}`);
  source.addEventListener("open", () => tell("live"));
  source.addEventListener("error", () => tell("lost"));
  let batch = [];
  source.addEventListener("record", ({ data }) => {
    if (batch.length === 0) {
      // Those of one moment are put in together.
      setTimeout(() => {
        add(batch);
        batch = [];
      }, 0);
    }
    batch.push(lineOf(JSON.parse(data)));
  });
  source.addEventListener("skipped", ({ data }) => {
    const gap = document.createElement("li");
    gap.className = "log-gap";
    gap.textContent = list.dataset.skipped.replace("{count}", JSON.parse(data).count);
    add([gap]);
  });
}

function setPaused(paused) {
  pause.setAttribute("aria-pressed", String(paused));
  pause.querySelector("span").textContent = paused ? pause.dataset.continue : pause.dataset.pause;
  if (paused) {
    source?.close();
    source = null;
    tell("paused");
  } else follow();
}

const isPaused = () => pause.getAttribute("aria-pressed") === "true";

// The filter -------------------------------------------------------------------------------------
let asking = 0;

async function refilter() {
  asking += 1;
  const mine = asking;
  const asked = wanted();
  history.replaceState(null, "", asked.size > 0 ? `?${asked}` : location.pathname);
  const response = await fetch(`${form.dataset.listAddress}?${asked}`).catch(() => null);
  if (mine !== asking) return;
  if (!response?.ok) {
    // A session that ended: the page leads to the login and back.
    if (response?.status === 401) location.reload();
    else tell("lost");
    return;
  }
  const { records, more, last } = await response.json();
  list.replaceChildren(...records.map(lineOf));
  list.dataset.last = last;
  none.hidden = records.length > 0;
  older.hidden = !more;
  if (more) {
    asked.set("before", records[0].id);
    older.search = `?${asked}`;
  }
  toEnd();
  if (!isPaused()) follow();
}

let typing = 0;
form.addEventListener("input", (event) => {
  clearTimeout(typing);
  typing = setTimeout(refilter, event.target.matches("select") ? 0 : TYPING_MS);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  refilter();
});

// Hands ------------------------------------------------------------------------------------------
pause.addEventListener("click", () => setPaused(!isPaused()));
fresh.addEventListener("click", () => {
  toEnd();
  list.focus();
});
list.addEventListener("scroll", () => {
  if (atEnd()) {
    unseen = 0;
    fresh.hidden = true;
  }
});
/** As text for a message or a ticket: one line each. */
copy.addEventListener("click", () => {
  const text = (line, selector) => line.querySelector(selector).textContent;
  copy.dataset.copy = [...list.querySelectorAll(":scope > [data-id]")]
    .map((line) =>
      [
        line.querySelector("time").dateTime,
        ...[".log-level", ".log-part", ".log-message", ".log-facts"].map((at) => text(line, at)),
      ]
        .filter((word) => word !== "")
        .join(" "),
    )
    .join("\n");
});

for (const time of list.querySelectorAll("time")) showMoment(time);
for (const tool of [state, pause, copy]) tool.hidden = false;
document.getElementById("log-apply").hidden = true;
toEnd();
// Older lines are read, not followed.
setPaused(pause.dataset.older === "true");

// The life of an open page: the server restarts or cannot be reached, the session ends, another version comes.
const { base, openDialog, refresh } = globalThis.kinomill;
const root = document.documentElement;
const CHECK_MS = 60_000; // While somebody looks; what happens in between is told by the stream or a failed request.
const PATIENCE_MS = 8000;
const RETRY_MS = [1000, 1500, 2500, 4000, 8000]; // Then every eight seconds.

// Pages before the login have nothing of these, and nothing to lose.
const inside = root.dataset.viewer !== undefined;
const banner = document.getElementById("life");

let state = "here"; // here, away, ended
let failures = 0;
let timer = 0;
let asking = null;
let afterLogin = null; // What was asked for when the session had ended.

function say(kind) {
  for (const part of banner.querySelectorAll("[data-life]")) {
    part.hidden = part.dataset.life !== kind;
  }
  banner.hidden = kind === null;
}

function later() {
  clearTimeout(timer);
  const delay = state === "away" ? (RETRY_MS[failures - 1] ?? RETRY_MS.at(-1)) : CHECK_MS;
  timer = setTimeout(() => {
    if (!document.hidden) check();
  }, delay);
}

function away() {
  state = "away";
  failures += 1;
  // One failure may be a hiccup; nobody needs to see it.
  if (failures > 1) say("away");
}

function ended() {
  const news = state !== "ended";
  state = "ended";
  failures = 0;
  say("ended");
  if (news) openDialog("session");
}

function here(answer) {
  // Somebody else logged in, here or in another tab: nothing of this page is theirs.
  if (answer.viewer !== root.dataset.viewer) return location.reload();
  const missed = state !== "here";
  failures = 0;
  state = "here";
  say(answer.build === root.dataset.build ? null : "changed");
  document.querySelector("#session[open]")?.close();
  if (!missed) return;
  refresh();
  const repeat = afterLogin;
  afterLogin = null;
  repeat?.();
}

async function ask() {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const headers = { accept: "application/json" };
    const answer = await fetch(`${base}ui/here`, { signal, headers, cache: "no-store" });
    if (answer.status === 401) ended();
    else if (answer.ok) here(await answer.json());
    else away();
  } catch {
    away();
  }
  later();
  return state;
}

/** Asks whether the server and the session are there: here, away or ended. One question at a time. */
function check() {
  if (!inside) return Promise.resolve("here");
  asking ??= ask().finally(() => {
    asking = null;
  });
  return asking;
}

/** Does it now or, when the session has ended, after the login. */
function onceHere(act) {
  if (state !== "ended") return act();
  afterLogin = act;
  openDialog("session");
}
globalThis.kinomill.life = { check, onceHere, isHere: () => state === "here" };

// What asks the server finds out first ---------------------------------------------------------
document.addEventListener("htmx:error", check);
document.addEventListener("htmx:sse:error", check);
document.addEventListener("htmx:sse:before:connection", (event) => {
  if (event.detail.connection.attempt > 0 && !document.hidden) check();
});

document.addEventListener("htmx:before:response", (event) => {
  const { sourceElement: element, sourceEvent, response } = event.detail.ctx;
  if (response.status >= 502 && response.status <= 504) check();
  if (response.status !== 401 || !inside) return;
  // Not to the login page: what was typed would be lost.
  event.preventDefault();
  if (sourceEvent?.type === "submit") {
    afterLogin = () => element.isConnected && element.requestSubmit();
  } else if (sourceEvent?.type === "click") {
    afterLogin = () => element.isConnected && element.click();
  }
  check();
});

// Coming back ----------------------------------------------------------------------------------
addEventListener("online", check);
addEventListener("offline", check);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) check();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-command=reload]")) location.reload();
});

if (inside) later();

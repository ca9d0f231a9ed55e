// Times in words that a person reads at a glance; the exact one stands in the title. Read in the head, before anything
// is drawn: words are shorter or longer than what the server wrote, and nothing may move.
const words = JSON.parse(document.querySelector('meta[name="kinomill-words"]').content);
const TICK_MS = 30_000; // Relative times change by the minute.

const language = document.documentElement.lang;

const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const steps = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

function agoText(seconds) {
  if (Math.abs(seconds) < 45) return seconds > 5 ? words.inAMoment : words.justNow;
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size * 0.75) return relative.format(Math.round(seconds / size), unit);
  }
  return words.justNow;
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

const arriving = new MutationObserver(showTimes);
arriving.observe(document.documentElement, { childList: true, subtree: true });
document.addEventListener("DOMContentLoaded", () => {
  showTimes();
  arriving.disconnect();
});
document.addEventListener("htmx:after:swap", showTimes);

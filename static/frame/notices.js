// Notices at the edge of the page. No markup is made from text.
const { words } = globalThis.kinomill;
const NOTICE_MS = 12_000; // Long enough to read two sentences; a notice with focus or pointer stays.
const NOTICES_MAX = 5;

function tidyNotices() {
  const region = document.getElementById("notices");
  while (region.children.length > NOTICES_MAX) region.firstElementChild.remove();
  for (const notice of region.querySelectorAll(":scope > .notice:not([data-timed])")) {
    notice.dataset.timed = "";
    const leave = () => {
      if (notice.matches(":hover, :focus-within")) setTimeout(leave, 2000);
      else notice.remove();
    };
    setTimeout(leave, NOTICE_MS);
  }
}

/** The tone is `bad`, `good` or `plain`. */
function notify(sentence, tone = "bad") {
  const region = document.getElementById("notices");
  if ([...region.children].some((child) => child.textContent === sentence)) return;
  const notice = document.createElement("div");
  notice.className = `notice ${tone}`;
  notice.setAttribute("role", tone === "bad" ? "alert" : "status");
  const text = document.createElement("p");
  text.textContent = sentence;
  notice.append(text);
  region.append(notice);
  tidyNotices();
}
globalThis.kinomill.notify = notify;

document.addEventListener("htmx:error", (event) => {
  // Polls may fail while the server restarts; only what a person asked for is worth a notice.
  const type = event.detail.ctx?.sourceEvent?.type;
  if (type === "click" || type === "submit" || type === "change") notify(words.notSent);
});

// An answer that is not Kinomill's (a proxy's error page) must not become part of the page.
document.addEventListener("htmx:before:swap", (event) => {
  const { response } = event.detail.ctx;
  if (!response || response.status < 400) return;
  if (response.headers.get("content-security-policy")?.includes("'nonce-")) return;
  event.preventDefault();
  if (event.detail.ctx.swap === "none") return;
  notify(words.foreignAnswer.replace("{status}", response.status));
});

document.addEventListener("click", (event) => {
  event.target.closest("[data-command=dismiss]")?.closest(".notice")?.remove();
});

document.addEventListener("htmx:after:swap", tidyNotices);
tidyNotices();

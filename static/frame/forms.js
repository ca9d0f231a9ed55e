// Plain forms: sent once, not into a dead session; and what was typed comes back after a reload.
const { words, notify, life } = globalThis.kinomill;
const SENDING_MS = 3000; // An answer that is a download leaves the page as it is.
const KEPT_CHARACTERS_MAX = 100_000;

// Sent once, and only where the session lives --------------------------------------------------
const isPlain = (form) =>
  form.method === "post" &&
  !form.matches("[hx-post], [hx-get], [data-plain]") &&
  !form.closest("dialog");

let letThrough = false;

document.addEventListener("submit", async (event) => {
  const { target: form, submitter } = event;
  if (event.defaultPrevented || !isPlain(form)) return;
  if (letThrough) return form.matches("[data-keep]") && forget(form);
  event.preventDefault();
  if (form.dataset.sending !== undefined) return; // A second press of a hasty hand.
  form.dataset.sending = "";
  const again = () => delete form.dataset.sending;
  const state = await life.check();
  // A form cannot be sent while it is being sent: this event has to end first.
  await new Promise((resolve) => setTimeout(resolve));
  if (state === "away") {
    again();
    return notify(words.notSent);
  }
  life.onceHere(() => {
    letThrough = true;
    form.requestSubmit(submitter?.isConnected ? submitter : undefined);
    letThrough = false;
    setTimeout(again, SENDING_MS);
  });
});

// What was typed, over a reload ----------------------------------------------------------------
const keyOf = (form) => `kinomill-typed ${location.pathname} ${form.dataset.keep}`;

/** Nothing secret, nothing that the page sets by itself. */
const keptControls = (form) =>
  [...form.elements].filter(
    (control) =>
      control.name &&
      !/^(hidden|password|file|submit|button)$/.test(control.type) &&
      !control.matches("[hx-get]"),
  );

function remember(form) {
  const typed = keptControls(form).map((control) => [
    control.name,
    control.value,
    control.type === "checkbox" || control.type === "radio" ? control.checked : null,
  ]);
  const text = JSON.stringify(typed);
  try {
    if (text.length <= KEPT_CHARACTERS_MAX) sessionStorage.setItem(keyOf(form), text);
  } catch {
    // Storage may be full or forbidden; then nothing comes back.
  }
}

function forget(form) {
  try {
    sessionStorage.removeItem(keyOf(form));
  } catch {
    // As above.
  }
}

function bringBack(form) {
  let typed = null;
  try {
    typed = JSON.parse(sessionStorage.getItem(keyOf(form)) ?? "null");
  } catch {
    return;
  }
  if (!Array.isArray(typed)) return;
  const controls = keptControls(form);
  let changed = false;
  for (const [name, value, checked] of typed) {
    const at = controls.findIndex(
      (control) => control.name === name && (checked === null || control.value === value),
    );
    const [control] = at === -1 ? [] : controls.splice(at, 1);
    if (!control) continue;
    if (checked === null ? control.value === value : control.checked === checked) continue;
    if (checked === null) control.value = value;
    else control.checked = checked;
    changed = true;
    control.dispatchEvent(new Event("input", { bubbles: true }));
    control.dispatchEvent(new Event("change", { bubbles: true }));
  }
  if (!changed) return;
  const fold = form.closest("details");
  if (fold) fold.open = true;
  notify(words.broughtBack, "plain");
}

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.matches("[data-keep]")) remember(form);
});
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  const form = ctx.sourceElement;
  if (
    form.matches?.("form[data-keep]") &&
    ctx.sourceEvent?.type === "submit" &&
    ctx.response.status < 400
  ) {
    forget(form);
  }
});

const [arrival] = performance.getEntriesByType("navigation");
if (arrival?.type === "reload" || arrival?.type === "back_forward") {
  for (const form of document.querySelectorAll("form[data-keep]")) bringBack(form);
}

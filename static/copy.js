// Buttons that copy: `data-copy` holds the text. What came of it stands on the button for a moment, in the words of
// `data-copied` and `data-failed`. Over plain http, as on most LANs, browsers give pages no clipboard: then the text is
// selected in a field that nobody sees, and the old command copies it.
const SAID_MS = 2_000;

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "sr-only";
  // In a dialog that is open nothing outside of it takes the focus.
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  const before = document.activeElement;
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  before?.focus?.({ preventScroll: true });
  return copied;
}

function say(button, words) {
  const place = button.querySelector("span") ?? button;
  button.dataset.words ??= place.textContent;
  place.textContent = words;
  clearTimeout(Number(button.dataset.timer));
  button.dataset.timer = setTimeout(() => {
    place.textContent = button.dataset.words;
  }, SAID_MS);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const { copied, failed } = button.dataset;
  say(button, (await copyText(button.dataset.copy)) ? copied : failed);
});

// Keys of every page. A room has its own besides and declares them, so that the list of keys shows both.
const SEQUENCE_MS = 1200; // "g" waits this long for what comes after it.
const { openDialog } = globalThis.kinomill;
const apple = /Mac|iPhone|iPad/.test(navigator.platform);

function nameKeys(root) {
  if (apple) for (const key of root.querySelectorAll("[data-mod]")) key.textContent = "⌘";
}
nameKeys(document);
document.addEventListener("kinomill:dialog", (event) => nameKeys(event.detail));

const fields =
  "input:not([type=checkbox], [type=radio], [type=range]), select, textarea, [contenteditable]";

/** The field of a dialog that was closed just now may still have the focus for a moment. */
const isTyping = (target) => target.closest?.(fields) && !target.closest("dialog:not([open])");

function search() {
  const field = document.querySelector('main [data-shortcut="/"]');
  if (!field) return openDialog("palette");
  field.focus();
  field.select();
}

const never = Number.NEGATIVE_INFINITY;
let begun = never; // When "g" was pressed.

function go(key) {
  const link = [...document.querySelectorAll("[data-go]")].find(
    ({ dataset }) => dataset.go === key,
  );
  if (!link) return false;
  location.assign(link.href);
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  const mod = apple ? event.metaKey : event.ctrlKey;
  if (mod && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    return openDialog("palette");
  }
  const bare = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (!bare || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const waiting = performance.now() - begun < SEQUENCE_MS;
  begun = never;
  if (waiting && go(event.key)) return event.preventDefault();
  if (event.key === "g") begun = performance.now();
  else if (event.key === "?") openDialog("keys");
  else if (event.key === "/") search();
  else return;
  event.preventDefault();
});

// A dialog over the page. The browser's own `showModal` makes all that lies behind it inert, which styles every element
// anew: on a page of many cards a slow machine shows the dialog a fifth of a second later. Here a shade keeps the pointer
// out, the keys stay inside, and screen readers are told so by `aria-modal`.
const shade = document.createElement("div");
shade.className = "dialog-shade";

const reachable =
  "a[href], button:not(:disabled), input:not(:disabled, [type=hidden]), select:not(:disabled), textarea:not(:disabled), summary, [tabindex='0']";
const above = () => document.querySelector("dialog[aria-modal][open]");

/** From the last to the first and back again, and into the dialog from anywhere else. */
function stayInside(dialog, event) {
  const stops = [...dialog.querySelectorAll(reachable)].filter((each) => each.checkVisibility());
  const at = stops.indexOf(document.activeElement);
  const isEnd = event.shiftKey ? at <= 0 : at === -1 || at === stops.length - 1;
  if (!isEnd) return;
  event.preventDefault();
  stops.at(event.shiftKey ? -1 : 0)?.focus();
}

document.addEventListener(
  "keydown",
  (event) => {
    const dialog = above();
    if (!dialog || document.querySelector("dialog:modal")) return;
    if (event.key === "Tab") return stayInside(dialog, event);
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    dialog.close();
  },
  true,
);

shade.addEventListener("click", () => {
  const dialog = above();
  if (dialog && !("stays" in dialog.dataset)) dialog.close();
});

/** What stands deeper in the page than its body, or comes over a dialog of the browser's kind, is of that kind too. */
globalThis.kinomill.showModal = (dialog) => {
  const isDeep = dialog.parentElement !== document.body;
  if (isDeep || document.querySelector("dialog:modal")) return dialog.showModal();
  dialog.setAttribute("aria-modal", "true");
  dialog.before(shade);
  dialog.addEventListener("close", () => above() || shade.remove(), { once: true });
  dialog.show();
};

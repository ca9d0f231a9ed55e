// Dialogs, menus and questions: they open, are walked through by keys, close, and give the focus back.
const openMenus = () => document.querySelectorAll("details:is(.menu, .link-add)[open]");

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
  globalThis.kinomill.showModal(dialog);
});

/** A dialog of the page; one that stands in a template becomes a part of the page now. */
function dialogOf(id) {
  const there = document.getElementById(id);
  const template = document.querySelector(`template[data-dialog="${CSS.escape(id)}"]`);
  if (there || !template) return there;
  document.body.append(template.content.cloneNode(true));
  const dialog = document.getElementById(id);
  htmx.process(dialog);
  document.dispatchEvent(new CustomEvent("kinomill:dialog", { detail: dialog }));
  return dialog;
}

/** Opens a dialog of the page, over nothing else that is open. */
function openDialog(id) {
  const dialog = dialogOf(id);
  if (!dialog || dialog.open) return;
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
  for (const other of document.querySelectorAll("dialog[open]")) other.close();
  globalThis.kinomill.showModal(dialog);
}
globalThis.kinomill.openDialog = openDialog;

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) openDialog(opener.dataset.opens);
  // A press beside a dialog: what is inside are elements of its own.
  if (event.target.matches("dialog:not([data-stays])")) event.target.close();
  // A dialog over a menu leaves it as it is.
  if (event.target.closest("dialog")) return;
  for (const menu of openMenus()) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

const itemsOf = (menu) => [...menu.querySelectorAll(".menu-panel :is(a, button):not(:disabled)")];

function walk(menu, event) {
  const items = itemsOf(menu);
  const at = items.indexOf(document.activeElement);
  const steps = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
  const next = steps[event.key];
  if (next === undefined || items.length === 0) return;
  event.preventDefault();
  items.at(next % items.length).focus();
}

document.addEventListener("keydown", (event) => {
  // A field in a menu has keys of its own.
  const field = event.target.matches?.("select, input, textarea");
  const menu = field ? null : event.target.closest?.("details.menu");
  if (menu?.open) walk(menu, event);
  else if (menu && event.key === "ArrowDown") {
    event.preventDefault();
    menu.open = true;
    itemsOf(menu)[0]?.focus();
  }
  if (event.key !== "Escape") return;
  for (const open of openMenus()) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

// Who leaves a menu by the tab key has done with it.
document.addEventListener("focusout", (event) => {
  const menu = event.target.closest?.("details.menu[open]");
  if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});

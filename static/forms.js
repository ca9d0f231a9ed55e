// Forms whose fields come and go: rows of lists, files of a job, and parts that count only for some choices.

/** Names and ids say which row a field is in. Templates inside are part of the row. */
function renameRow(root, from, to) {
  const path = new RegExp(`(^|")${from.replace(/[.+]/g, "\\$&")}(?=[."]|$)`, "g");
  const [oldId, newId] = [from, to].map((name) => `p-${name.replaceAll(".", "-")}`);
  const id = new RegExp(`(^| )${oldId.replace("+", "\\+")}(?=[- ]|$)`, "g");
  const elements =
    root.nodeType === Node.ELEMENT_NODE
      ? [root, ...root.querySelectorAll("*")]
      : root.querySelectorAll("*");
  for (const element of elements) {
    for (const { name, value } of [...element.attributes]) {
      if (name === "value" || name === "placeholder") continue;
      const renamed = value.replace(path, `$1${to}`).replace(id, `$1${newId}`);
      if (renamed !== value) element.setAttribute(name, renamed);
    }
    if (element instanceof HTMLTemplateElement) renameRow(element.content, from, to);
  }
}

const rowsOf = (list) => list.querySelector(":scope > ol");

function addRow(list) {
  const rows = rowsOf(list);
  if (rows.children.length >= Number(list.dataset.max)) return null;
  const row = list.querySelector(":scope > template").content.cloneNode(true).firstElementChild;
  const path = list.dataset.list;
  if (path !== undefined) renameRow(row, `${path}.+`, `${path}.${rows.children.length}`);
  rows.append(row);
  return row;
}

/** The rows of a list of parameters are numbered by their order; a file has no number in its name. */
function numberRows(list) {
  const path = list.dataset.list;
  if (path === undefined) return;
  for (const [index, row] of [...rowsOf(list).children].entries()) {
    if (row.dataset.row !== `${path}.${index}`) renameRow(row, row.dataset.row, `${path}.${index}`);
  }
}

/** What cannot be done now cannot be pressed. */
function limitButtons(list) {
  const rows = [...rowsOf(list).children];
  const full = rows.length >= Number(list.dataset.max);
  for (const button of list.querySelectorAll(
    ":scope > .list-actions > [data-add-row], [data-add-input]",
  )) {
    button.disabled = full;
  }
  for (const [index, row] of rows.entries()) {
    const buttons = row.querySelector(":scope > .row-buttons");
    buttons.querySelector('[data-move="-1"]').disabled = index === 0;
    buttons.querySelector('[data-move="1"]').disabled = index === rows.length - 1;
    buttons.querySelector("[data-remove]").disabled = rows.length <= Number(list.dataset.min);
  }
}

/** What stands under a path, as conditions compare it: "" for nothing, and for what does not count itself. */
function standsAt(form, path) {
  const named = `[name="${CSS.escape(path)}"]:not([type=hidden])`;
  const controls = [...form.querySelectorAll(named)];
  const control = controls.find(({ type, checked }) => type !== "radio" || checked) ?? null;
  if (control === null || control.matches(":disabled")) return "";
  if (control.type !== "checkbox") return control.value.trim();
  if (control.checked) return "true";
  return "switch" in control.dataset ? "" : "false";
}

/** Conditions of fields that follow from fields with conditions: more rounds than any form has levels. */
const ROUNDS_MAX = 8;

/**
 * Parts that count only for some choices: hidden ones are disabled, so that they are not sent. What was typed
 * stays in them.
 */
function applyConditions(form) {
  const parts = [...form.querySelectorAll("[data-when]")];
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    let moved = false;
    for (const part of parts) {
      const holds = JSON.parse(part.dataset.when).every(
        ({ path, values, not = false }) => values.includes(standsAt(form, path)) !== not,
      );
      delete part.dataset.off;
      if (part.disabled === !holds) continue;
      part.hidden = part.disabled = !holds;
      moved = true;
    }
    if (!moved) break;
  }
  nameWhatCounts(form);
}

/** A folded part says what is in it, and is not there while nothing in it counts. */
function nameWhatCounts(form) {
  for (const part of form.querySelectorAll(".advanced")) {
    let some = false;
    for (const label of part.querySelectorAll("[data-label-of]")) {
      const path = CSS.escape(label.dataset.labelOf);
      const field = part.querySelector(`[data-field="${path}"]`);
      label.hidden =
        field?.closest("[data-when][hidden]") != null &&
        part.contains(field.closest("[data-when][hidden]"));
      some ||= !label.hidden;
    }
    part.hidden = !some;
  }
}

/** Whether conditions of the form look at the field; most keystrokes concern none. */
function isLookedAt(form, name) {
  const path = JSON.stringify(name);
  return [...form.querySelectorAll("[data-when]")].some(({ dataset }) =>
    dataset.when.includes(path),
  );
}

/** An optional part of a form is switched by a checkbox before it. */
function applySwitches(root) {
  for (const box of root.querySelectorAll("[data-switch]")) {
    const inside = box.closest(".group")?.querySelector("[data-switched]");
    if (!inside) continue;
    delete inside.dataset.off;
    inside.hidden = inside.disabled = !box.checked;
  }
}

function settle(root) {
  // A fragment is read as if there were no scripts: its fields for that case would be sent besides.
  for (const fallback of root.querySelectorAll(".list > noscript")) fallback.remove();
  applySwitches(root);
  for (const form of root.querySelectorAll("form")) applyConditions(form);
  for (const list of root.querySelectorAll("[data-list], [data-inputs]")) limitButtons(list);
}

function changed(list, focus) {
  numberRows(list);
  const form = list.closest("form");
  settle(form.parentElement);
  focus?.focus();
  // Whoever goes by the fields (the estimate) hears of rows too.
  form.dispatchEvent(new Event("input"));
}

const firstField = (row) =>
  row.querySelector("input:not([type=hidden], [type=color]), select, textarea");

function pressed(button) {
  const list = button.closest("[data-list], [data-inputs]");
  const row = button.closest(".list-row");
  if ("addRow" in button.dataset) {
    const added = addRow(list);
    if (added) changed(list, firstField(added));
  } else if ("addInput" in button.dataset) {
    const added = addRow(list);
    if (!added) return;
    added.querySelector("input").value = button.dataset.addInput;
    const face = [...button.children].filter((part) => !part.matches(".icon"));
    added.querySelector("[data-file]").append(...face.map((part) => part.cloneNode(true)));
    changed(list, button);
  } else if ("move" in button.dataset) {
    if (button.dataset.move === "1") row.nextElementSibling?.after(row);
    else row.previousElementSibling?.before(row);
    changed(list, button.disabled ? null : button);
  } else if ("remove" in button.dataset) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    changed(list, next ? firstField(next) : list.querySelector("[data-add-row]"));
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.(
    "[data-add-row], [data-add-input], [data-move], [data-remove]",
  );
  if (button?.closest("[data-list], [data-inputs]")) pressed(button);
});

document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (!form) return;
  if (event.target.matches("[data-switch]")) applySwitches(form);
});

document.addEventListener("input", (event) => {
  const { form, name } = event.target;
  if (form && name && isLookedAt(form, name)) applyConditions(form);
  const pair = event.target.closest?.(".colour");
  const picker = pair?.querySelector("[data-colour]");
  if (!picker) return;
  const text = pair.querySelector("[type=text]");
  if (event.target === picker) text.value = picker.value;
  else if (/^#[0-9a-f]{6}$/i.test(text.value)) picker.value = text.value;
});

// Enter in the search for a file looks for it; it does not start the job.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches?.('[name="input-search"]'))
    event.preventDefault();
});

/**
 * What is no number in a field for numbers reads as empty, and would be left out without a word. Everything else is
 * for the server to judge, whose sentences are better.
 */
function showUnreadable(input) {
  const field = input.closest(".field");
  const before = field.querySelector(".fault[data-from-browser]");
  if (!input.validity.badInput) {
    before?.remove();
    return false;
  }
  const fault = before ?? document.createElement("p");
  fault.className = "fault";
  fault.dataset.fromBrowser = "";
  fault.textContent = input.validationMessage;
  field.append(fault);
  for (let part = field.closest("details"); part; part = part.parentElement.closest("details")) {
    part.open = true;
  }
  return true;
}

document.addEventListener("change", ({ target }) => {
  if (target.matches?.(".operation-form [type=number]")) showUnreadable(target);
});

document.addEventListener("htmx:config:request", (event) => {
  const form = event.detail.ctx.sourceElement;
  if (!form.matches?.(".operation-form")) return;
  const numbers = [...form.querySelectorAll("[type=number]:enabled")];
  const [first] = numbers.filter(showUnreadable);
  if (first === undefined) return;
  event.preventDefault();
  first.focus();
});

document.addEventListener("htmx:after:swap", () => settle(document));
settle(document);

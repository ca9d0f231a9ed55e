// The faults that the server found in a form, each beside its field.
function clearFaults(form) {
  for (const fault of form.querySelectorAll(".fault[data-from-server]")) fault.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-errormessage");
  }
}

/** The field of a path, or else what it is a part of: `ranges.0` for a value deep in a text. */
function fieldOf(form, path) {
  for (let at = path; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) {
    const field = form.querySelector(`[data-field="${CSS.escape(at)}"]`);
    if (field) return { field, inside: path.slice(at.length + 1) };
  }
  return null;
}

function controlOf(field) {
  if (field.matches("[data-list]")) return field.querySelector(":scope > .list-actions button");
  return field.querySelector("input:not([type=hidden], [type=color]), select, textarea");
}

/** Puts each fault of the list next to its field and the focus on the first. */
function showFaults(list) {
  const form = list.closest("[data-fault-form]");
  if (!form) return;
  clearFaults(form);
  let first = null;
  for (const item of list.querySelectorAll("li[data-path]")) {
    const found = fieldOf(form, item.dataset.path);
    const input = found && controlOf(found.field);
    if (!input) continue;
    const { field, inside } = found;
    for (let part = field.closest("details"); part; part = part.parentElement.closest("details")) {
      part.open = true;
    }
    const fault = document.createElement("p");
    fault.className = "fault";
    fault.dataset.fromServer = "";
    fault.id = `fault-${item.dataset.path.replaceAll(".", "-")}`;
    const said = item.querySelector("span").textContent;
    fault.textContent = inside === "" ? said : `${inside}: ${said}`;
    field.append(fault);
    if (!input.matches("button")) {
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-errormessage", fault.id);
    }
    first ??= input;
  }
  (first ?? list).focus();
}

document.addEventListener("htmx:config:request", (event) => {
  const asker = event.detail.ctx.sourceElement;
  if (!asker.matches?.("[data-fault-form]")) return;
  clearFaults(asker);
  asker.querySelector("[data-faults]")?.remove();
});

function settle() {
  const faults = document.querySelector("[data-faults]:not([data-shown])");
  if (!faults) return;
  faults.dataset.shown = "";
  showFaults(faults);
}
document.addEventListener("htmx:after:swap", settle);
settle();

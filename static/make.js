// The choice of what to make: cards that are searched, one form at a time, and what was typed in the others stays.

const picker = document.querySelector("[data-picker]");
const place = document.getElementById("operation-form");
const choices = document.getElementById("make-choices");

/** Forms that were left, by what was chosen: going back finds them as they were. */
const left = new Map();
let current = chosenValue();

function chosenValue() {
  return choices?.querySelector("[name=choice]:checked")?.value ?? null;
}

function showForm() {
  picker.open = false;
  place.querySelector(".form-head h3")?.focus();
}

/** The address names what is chosen, so that it can be kept and shared. */
function nameInAddress(value) {
  const address = new URL(location.href);
  for (const name of ["choice", "operation", "preset"]) address.searchParams.delete(name);
  const [kind, ...rest] = value.split(":");
  address.searchParams.set(kind, rest.join(":"));
  history.replaceState(history.state, "", address);
}

function leave() {
  const form = place.firstElementChild;
  if (!form || current === null) return;
  left.set(current, form);
  // Out of the page before htmx clears the place: what it takes away itself has lost its behaviour.
  form.remove();
}

// Before htmx hears of it: a form that was there already comes back and is not asked for.
choices?.addEventListener(
  "change",
  (event) => {
    if (event.target.name !== "choice") return;
    const value = event.target.value;
    leave();
    const known = left.get(value);
    current = value;
    nameInAddress(value);
    if (!known) return;
    event.stopImmediatePropagation();
    place.replaceChildren(known);
    showForm();
  },
  true,
);

document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx?.sourceElement === choices) showForm();
});

// A card that is chosen already is chosen again by a press: its form is what the person wants to see.
choices?.addEventListener("click", (event) => {
  if (event.target.name === "choice" && event.target.value === current && place.firstElementChild)
    showForm();
});

/** Only cards whose words have what was typed. */
function filterChoices(text) {
  const wanted = text.trim().toLocaleLowerCase();
  let found = 0;
  for (const part of choices.querySelectorAll(".choice-part")) {
    let here = 0;
    for (const card of part.querySelectorAll(".choice-card")) {
      card.hidden = !card.textContent.toLocaleLowerCase().includes(wanted);
      if (!card.hidden) here += 1;
    }
    part.hidden = here === 0;
    found += here;
  }
  choices.querySelector("[data-none-found]").hidden = found > 0;
}

choices?.addEventListener("input", (event) => {
  if (event.target.matches("[data-choice-search]")) filterChoices(event.target.value);
});
choices?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("[data-choice-search]")) event.preventDefault();
});

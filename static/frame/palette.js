// The palette: pages and actions stand in it, files and jobs come from the server while somebody types.
const optionsOf = (palette) =>
  [...palette.querySelectorAll("[role=option]")].filter((each) => !each.closest("[hidden]"));
const chosenOf = (palette) => palette.querySelector("[aria-selected=true]");

/** What is chosen is said through the field, which keeps the focus. */
function choose(palette, option) {
  chosenOf(palette)?.setAttribute("aria-selected", "false");
  const field = palette.querySelector("input");
  if (!option) return field.removeAttribute("aria-activedescendant");
  option.setAttribute("aria-selected", "true");
  field.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

/** Shows what has every word that was typed, and gives the first of it. What the server found has them. */
function narrow(palette) {
  const typed = palette.querySelector("input").value.trim().toLowerCase().split(/\s+/);
  for (const group of palette.querySelectorAll("[data-fixed]")) {
    const options = [...group.querySelectorAll("[role=option]")];
    for (const option of options) {
      const text = option.textContent.toLowerCase();
      option.hidden = !typed.every((word) => text.includes(word));
    }
    group.hidden = options.every((option) => option.hidden);
  }
  const [first] = optionsOf(palette);
  palette.querySelector("[data-none]").hidden = first !== undefined;
  return first;
}

/** What the server found comes late: whoever is about to press Enter has what was chosen before. */
function takeIn(palette) {
  const chosen = palette.querySelector("input").getAttribute("aria-activedescendant");
  const first = narrow(palette);
  choose(palette, optionsOf(palette).find(({ id }) => id === chosen) ?? first);
}

function walk(palette, event) {
  const all = optionsOf(palette);
  const at = all.indexOf(chosenOf(palette));
  const next = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
  if (event.key === "Enter") chosenOf(palette)?.click();
  else if (next === undefined || all.length === 0) return;
  else choose(palette, all.at(next % all.length));
  event.preventDefault();
}

/** On the page that has the button for it an option presses that; elsewhere it leads to that page. */
function press(palette, event) {
  const option = event.target.closest("[role=option]");
  if (!option) return;
  const { presses, opensNext } = option.dataset;
  const button = presses && document.querySelector(`main ${presses}`);
  if (button) event.preventDefault();
  palette.close();
  button?.click();
  if (opensNext) globalThis.kinomill.openDialog(opensNext);
}

document.addEventListener("kinomill:dialog", ({ detail: palette }) => {
  if (palette.id !== "palette") return;
  palette.addEventListener("toggle", () => {
    if (!palette.open) return;
    palette.querySelector("input").select();
    choose(palette, narrow(palette));
  });
  palette.addEventListener("input", () => choose(palette, narrow(palette)));
  palette.addEventListener("htmx:after:swap", () => takeIn(palette));
  palette.addEventListener("keydown", (event) => walk(palette, event));
  palette.addEventListener("click", (event) => press(palette, event));
  palette.addEventListener("pointermove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && option !== chosenOf(palette)) choose(palette, option);
  });
});

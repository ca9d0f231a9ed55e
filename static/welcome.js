// The first visit: the file that was dropped or chosen opens its own page as soon as it is there.
const BASE = document.documentElement.dataset.base;
const drop = document.querySelector("[data-welcome-drop]");
let gone = false;

document.addEventListener("uploaded", ({ detail }) => {
  if (gone) return;
  gone = true;
  location.assign(detail ? `${BASE}assets/${encodeURIComponent(detail)}` : BASE);
});

for (const name of ["dragenter", "dragover"]) {
  drop?.addEventListener(name, () => drop.classList.add("over"));
}
for (const name of ["dragleave", "drop"]) {
  drop?.addEventListener(name, () => drop.classList.remove("over"));
}

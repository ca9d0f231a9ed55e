// Leaving a page with uploads under way. Within the site the next page goes on with what is kept; elsewhere nobody does.
let insideUntilMs = 0;
const INSIDE_MS = 3000; // Longer than a page takes to be left.
const leaveInside = () => {
  insideUntilMs = performance.now() + INSIDE_MS;
};
globalThis.navigation?.addEventListener("navigate", ({ destination }) => {
  if (new URL(destination.url).origin === location.origin) leaveInside();
});
document.addEventListener("click", (event) => {
  if (event.target.closest("a")?.origin === location.origin) leaveInside();
});
addEventListener("beforeunload", (event) => {
  const open = [...uploadQueue].filter(({ state }) => state === "sending" || state === "waiting");
  const inside = performance.now() < insideUntilMs;
  if (open.some(({ kept }) => !kept) || (open.length > 0 && !inside)) event.preventDefault();
});
addEventListener("pagehide", () => {
  for (const upload of uploadQueue) if (upload.state === "sending") void upload.tus?.abort();
});

// Ten seconds tried out: where the player stands, the dialog, and both films played together.

const dialog = document.getElementById("trial-dialog");

/** The time of the page's own player goes with the form, unless nobody has looked yet. */
document.addEventListener(
  "click",
  (event) => {
    const asker = event.target.closest?.("[data-try]");
    if (!asker) return;
    const player = document.querySelector(".player :is(video, audio)");
    const at = player && player.currentTime > 0 ? player.currentTime.toFixed(3) : "";
    asker.form.querySelector("[data-try-at]").value = at;
    player?.pause();
  },
  true,
);

document.addEventListener("htmx:after:swap", () => {
  const panel = dialog?.querySelector("[data-trial]");
  if (panel && !dialog.open && !("closed" in panel.dataset)) dialog.showModal();
  for (const player of dialog?.querySelectorAll("[data-trial-player]") ?? []) {
    player.addEventListener("error", () => {
      player.hidden = true;
      player.closest("figure").querySelector(".trial-unplayable").hidden = false;
    });
  }
});

// Whoever closes it throws away what was tried.
dialog?.addEventListener("close", () => {
  const panel = dialog.querySelector("[data-trial]");
  for (const player of dialog.querySelectorAll("[data-trial-player]")) player.pause();
  if (!panel) return;
  panel.dataset.closed = "";
  dialog.querySelector("#trial-end")?.click();
  document.getElementById("trial").replaceChildren();
});

// The button says it: away with it, and the dialog closes.
dialog?.addEventListener("click", (event) => {
  if (event.isTrusted && event.target.closest("#trial-end")) dialog.close();
});

const players = () => [...dialog.querySelectorAll("[data-trial-player]")];

dialog?.addEventListener("click", (event) => {
  if (!event.target.closest('[data-command="trial-play"]')) return;
  const all = players();
  const playing = all.some((player) => !player.paused);
  for (const player of all) {
    if (playing) player.pause();
    else player.play().catch(() => {}); // A browser may refuse; its own controls are there.
  }
});

// Whoever moves one moves the other; the sound is that of the result.
dialog?.addEventListener(
  "seeking",
  (event) => {
    for (const player of players()) {
      if (player === event.target) continue;
      if (Math.abs(player.currentTime - event.target.currentTime) > 0.1)
        player.currentTime = event.target.currentTime;
    }
  },
  true,
);
dialog?.addEventListener(
  "play",
  () => {
    const [source, ...made] = players();
    if (source && made.length > 0) source.muted = made.some((player) => !player.paused);
  },
  true,
);

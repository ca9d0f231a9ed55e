/** Ten seconds tried out: the button, the dialog, how it stands, and the result beside the same seconds of the source. */
import type { Trial, TrialFile } from "../src/jobs/trials.ts";
import { button } from "./components/button.ts";
import { dialog } from "./components/dialog.ts";
import { callout } from "./components/notice.ts";
import { progressBar } from "./components/progress.ts";
import { type Html, html } from "./html.ts";
import { durationText, sizeText, spanText } from "./quantities.ts";
import { texts } from "./texts/texts.ts";

const words = texts.make.trial;

/** Beside the button that starts the whole; trial.js says where the player stands. */
export function trialButton(): Html {
  return html`<input type="hidden" name="try-at" value="" data-try-at>
<button type="button" class="button" hx-post="/ui/tries" hx-include="closest form" hx-target="#trial" hx-swap="innerHTML" hx-status:422="target:#operation-errors swap:innerHTML" hx-disable="this" data-try>${words.button}</button>`;
}

/** Stands once on the page. */
export function trialDialog(): Html {
  return dialog({
    id: "trial-dialog",
    title: words.title,
    body: html`<div id="trial"></div>`,
    wide: true,
  });
}

/** `POST /ui/tries` and `GET /ui/tries/ID`; fetches itself while it runs. */
export function trialPanel(trial: Trial): Html {
  const { id, state } = trial;
  const content = html`<p class="muted">${words.about(trial.operation.title, durationText(trial.span.from), durationText(trial.span.to))}</p>
${inside(trial)}
${button({ label: words.end, id: "trial-end", request: { method: "delete", address: `/ui/tries/${id}` } })}`;
  if (state !== "running")
    return html`<div id="trial-panel" data-trial="${state}">${content}</div>`;
  return html`<div id="trial-panel" data-trial="${state}" hx-get="/ui/tries/${id}" hx-trigger="load delay:700ms" hx-swap="outerHTML" hx-status:4xx="swap:none" hx-status:5xx="swap:none">${content}</div>`;
}

function inside(trial: Trial): Html {
  if (trial.state === "failed") {
    const { message = "", hint = "" } = trial.error ?? {};
    return callout({ tone: "bad", spoken: true, title: words.failed, text: message, hint });
  }
  if (trial.state === "ended") return callout({ tone: "plain", text: words.ended });
  if (trial.state === "running") {
    const percent = trial.waitReason === null ? trial.progressPercent : null;
    const doing = trial.waitReason ?? (trial.part === null ? words.cutting : words.making);
    return html`<div class="trial-progress" role="status">${progressBar(words.title, percent)}<p hx-ignore>${doing}</p></div>`;
  }
  return result(trial);
}

function result(trial: Trial): Html {
  const { part, made, tookSeconds, deviceReason } = trial;
  const [main] = made;
  if (part === null || main === undefined) return callout({ tone: "plain", text: words.ended });
  const took = tookSeconds === null ? null : words.took(spanText(tookSeconds));
  const played = isPlayed(main) && isPlayed(part);
  return html`<div class="trial-pair">
${figure(trial, part, "part", words.source)}
${figure(trial, main, "0", words.made)}
</div>
${played ? html`<div class="trial-bar">${button({ label: words.playBoth, icon: "play", command: "trial-play" })}</div>` : null}
<p class="muted"><span hx-ignore>${[took, deviceReason].filter((each) => each !== null).join(" ")}</span> ${words.thrownAway}</p>`;
}

function isPlayed({ mimeType, media }: TrialFile): boolean {
  return media !== null && !mimeType.startsWith("image/");
}

function figure({ id }: Trial, file: TrialFile, place: string, title: string): Html {
  const address = `/ui/tries/${id}/files/${place}`;
  return html`<figure class="trial-file"><figcaption><strong>${title}</strong> <span class="muted">${sizeText(file.sizeBytes)}</span>${place === "part" ? null : html` <a href="${address}" download="${file.name}">${words.download}</a>`}</figcaption>
${player(address, title, file)}
<p class="muted trial-unplayable" hidden>${words.unplayable}</p></figure>`;
}

function player(address: string, title: string, { mimeType, media }: TrialFile): Html {
  if (mimeType.startsWith("image/")) return html`<img src="${address}" alt="${title}">`;
  if (media?.video == null) {
    return html`<audio controls preload="auto" src="${address}" aria-label="${title}" data-trial-player></audio>`;
  }
  const { displayWidth, displayHeight } = media.video;
  return html`<video controls playsinline loop preload="auto" src="${address}" width="${displayWidth}" height="${displayHeight}" aria-label="${title}" data-trial-player></video>`;
}

/** The tray of uploads, on every page: files go on while people walk through the rooms. Scripts fill it. */
import { asset } from "../static/embedded.ts";
import { button } from "./components/button.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { texts } from "./texts/texts.ts";

const words = texts.uploads;

/** What this server takes in, for the pages of one person. */
export interface Taking {
  /** Why no files are taken in, and what to do; null: they are. */
  refused: string | null;
  /** Files of so many bytes and more go straight into the bucket; null: none do. */
  directBytes: number | null;
}

/** What the dialog for files shows first; others can be chosen and dropped all the same. */
const accepted =
  "video/*,audio/*,image/*,.mkv,.mts,.m2ts,.ts,.mxf,.mov,.avi,.flv,.wmv,.webm,.gif,.srt,.vtt,.ass";

/** @param userId whose files the browser remembers: another person on it does not go on with them */
export function uploadTray(userId: string, { refused, directBytes }: Taking): Html | null {
  if (refused !== null) return null;
  return html`<section id="uploads" class="uploads" aria-label="${words.title}" data-user="${userId}" data-direct-bytes="${directBytes}" data-tus-address="${asset("tus.js")}" data-words="${JSON.stringify(words.script)}" hidden>
<div class="uploads-head"><span role="status" data-uploads-state></span><button type="button" class="icon-button" data-uploads-fold aria-expanded="true" aria-controls="upload-rows" aria-label="${words.fold}">${icon("chevron")}</button></div>
<div id="upload-rows"></div>
</section>
<input type="file" id="file-again" hidden aria-label="${words.fileAgain}">
<input type="file" id="file-picker" multiple hidden aria-label="${words.files}" accept="${accepted}">
<div id="drop-zone" class="drop-zone" hidden aria-hidden="true"><div>${icon("upload")}<p>${words.drop}</p></div></div>
${rowTemplate()}`;
}

/** A row of the tray; the script clones it and fills it with text only. */
function rowTemplate(): Html {
  const small = (command: string, label: string, drawing: Parameters<typeof icon>[0]) =>
    html`<button type="button" class="icon-button" data-upload="${command}" hidden aria-label="${label}" title="${label}">${icon(drawing)}</button>`;
  return html`<template id="upload-row">
<div class="upload" data-state="waiting">
<div class="upload-head"><span class="upload-name" data-name></span><span class="upload-note" data-note>${words.waiting}</span></div>
<progress max="100" value="0" data-bar aria-label="${words.title}"></progress>
<div class="upload-actions">
${button({ label: words.keepBoth, kind: "quiet", command: "keep-both" })}
${small("choose", words.chooseAgain, "file")}${small("pause", words.pause, "pause")}${small("resume", words.resume, "play")}${small("retry", words.retry, "retry")}
<button type="button" class="icon-button" data-upload="cancel" aria-label="${words.cancel}">${icon("close")}</button>
</div>
</div>
</template>`;
}

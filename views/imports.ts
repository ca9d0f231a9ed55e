/** Files on their way in from links: the form that takes links, and a row for each with how far it is. */
import type { ImportView } from "../src/ingest/import.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { sizeText, spanText } from "./quantities.ts";
import { texts } from "./texts/texts.ts";

const words = texts.uploads;

/** Opens in the head of the library. The answer to it is `importsPanel`, with the form empty and closed. */
export function linkForm(): Html {
  return html`<details class="link-add" id="link-add"><summary class="button">${icon("link")}<span class="wide-text">${words.fromLink}</span></summary>
<form class="link-form" method="post" action="/ui/imports" hx-post="/ui/imports" hx-target="#imports" hx-swap="outerMorph" hx-status:422="target:#link-errors swap:innerHTML" hx-disable="find [type=submit]" data-fault-form data-keep="links">
<div id="link-errors"></div>
<div class="field" data-field="urls"><label for="links">${words.links}</label><textarea id="links" name="links" rows="3" maxlength="820000" required spellcheck="false" autocomplete="off" placeholder="${words.linksPlaceholder}"></textarea></div>
<p class="muted">${words.linksHint}</p>
<div class="form-actions"><button type="submit" class="button primary"><span>${words.add}</span></button></div>
</form></details>`;
}

/** The answer to the form: the rows, and the form as it was at first. */
export function importsAnswer(imports: readonly ImportView[]): Html {
  return html`${importsList(imports)}<hx-partial hx-target="#link-add" hx-swap="outerHTML">${linkForm()}</hx-partial>`;
}

/** `GET /ui/imports`: fetched anew whenever one begins, ends or fails. */
export function importsList(imports: readonly ImportView[]): Html {
  return html`<section id="imports" class="imports" aria-label="${words.fromLinks}" hidden="${imports.length === 0}" hx-get="/ui/imports" hx-trigger="library from:body" hx-swap="outerMorph" hx-status:4xx="swap:none" hx-status:5xx="swap:none">
${imports.map(importRow)}
</section>`;
}

function importRow(view: ImportView): Html {
  const { id, name, state } = view.item;
  return html`<div class="upload" id="import-${id}" data-state="${state === "reused" ? "done" : state}">
<div class="upload-head"><span class="upload-name" hx-ignore title="${name}">${name}</span></div>
<div class="import-progress" id="import-progress-${id}">${importProgress(view)}</div>
<div class="upload-actions">${rowButtons(view)}</div>
</div>`;
}

function rowButtons({ item: { id, state } }: ImportView): Html {
  if (state === "reused") {
    return html`<button type="button" class="button quiet" hx-post="/ui/imports/${id}/keep" hx-target="#imports" hx-swap="outerMorph">${words.keepBoth}</button>${removeButton(id, words.remove)}`;
  }
  if (state === "failed") {
    return html`<button type="button" class="icon-button" hx-post="/ui/imports/${id}/retry" hx-target="#imports" hx-swap="outerMorph" aria-label="${words.retry}">${icon("retry")}</button>${removeButton(id, words.remove)}`;
  }
  return removeButton(id, words.cancelImport);
}

function removeButton(id: string, label: string): Html {
  return html`<button type="button" class="icon-button" hx-delete="/ui/imports/${id}" hx-target="#imports" hx-swap="outerMorph" aria-label="${label}">${icon("close")}</button>`;
}

/** The part that changes many times a second. */
function importProgress({ item, progress }: ImportView): Html {
  if (item.state === "reused") {
    return html`<span class="upload-note">${words.script.haveAlready}<a href="/assets/${item.assetId}">${words.script.lookAtIt}</a>.</span>`;
  }
  if (item.error !== null) {
    return html`<span class="upload-note" role="alert" hx-ignore>${item.error.message} ${item.error.hint}</span>`;
  }
  const received = progress?.receivedBytes ?? item.durableBytes;
  const total = progress?.totalBytes ?? item.totalBytes;
  const percent = total === null || total === 0 ? null : Math.min(100, (received / total) * 100);
  return html`<progress max="100" value="${percent === null ? null : percent.toFixed(1)}" aria-label="${words.import}"></progress>
<span class="upload-note">${noteOf(progress, received, total)}</span>`;
}

function noteOf(progress: ImportView["progress"], received: number, total: number | null): string {
  if (progress === null) return words.waits;
  if (progress.phase === "checking") return words.script.looking;
  const come = total === null ? sizeText(received) : `${sizeText(received)} of ${sizeText(total)}`;
  if (progress.phase === "pausing") return `${come} · ${words.brokeOff}`;
  const { bytesPerSecond } = progress;
  if (received === 0 && bytesPerSecond === null) return words.asks;
  if (!bytesPerSecond) return come;
  const speed = `${come} · ${sizeText(bytesPerSecond)}/s`;
  return total === null
    ? speed
    : `${speed} · ${spanText((total - received) / bytesPerSecond)} left`;
}

/** The unnamed message of an event: the row of this import, if the page shows it. */
export function importProgressMessage(view: ImportView): string {
  return html`<hx-partial hx-target="#import-progress-${view.item.id}" hx-swap="innerMorph">${importProgress(view)}</hx-partial>`.message();
}

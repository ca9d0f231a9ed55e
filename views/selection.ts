/** What is done to chosen files: the bar below the list, its dialog, and the way back after a deletion. */
import type { LabelUse } from "../src/assets/labels.ts";
import type { Unchanged } from "../src/assets/many.ts";
import { button } from "./components/button.ts";
import { dialog } from "./components/dialog.ts";
import { textField } from "./components/field.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { texts } from "./texts/texts.ts";

const words = texts.library;

/** Files of which something is made at once, as the server takes them. */
export const MADE_AT_ONCE_MAX = 1_000;

/** Ids that an address holds, whatever stands between; more go as a form. */
const IN_ADDRESS_MAX = 150;

/** Shown by the style sheet while a card is chosen; the boxes on the cards are fields of this form. */
export function selectionBar({ bin }: { bin: boolean }): Html {
  return html`<form id="selection" class="selection" method="post" action="/ui/assets/zip" aria-label="${words.chosenFiles}" data-words="${JSON.stringify(words.script)}" data-make-most="${MADE_AT_ONCE_MAX}" data-make-in-address="${IN_ADDRESS_MAX}" data-make-address="/make">
<p class="selection-count" role="status" data-selection-count></p>
<a class="button primary" href="/make" data-make>${icon("wand")}<span>${words.make}</span></a>
<button type="button" class="button" data-label aria-haspopup="dialog">${icon("label")}<span>${words.labelThem}</span></button>
<button type="submit" class="button">${icon("download")}<span>${words.download}</span></button>
${deleteButton(bin)}
<button type="reset" class="icon-button" aria-label="${words.chooseNone}" title="${words.chooseNone}">${icon("close")}</button>
<p class="selection-note" data-make-note hidden>${words.makeMost(MADE_AT_ONCE_MAX)}</p>
</form>`;
}

/** With a bin there is an undo, and no question is needed. */
function deleteButton(bin: boolean): Html {
  const face = html`${icon("trash")}<span>${words.delete}</span>`;
  if (bin) {
    return html`<button type="button" class="button danger-text" data-delete hx-post="/ui/library/delete" hx-include="#selection, .card-pick input:checked" hx-target="#undo" hx-swap="outerHTML" hx-disable="this">${face}</button>`;
  }
  return html`<button type="button" class="button danger-text" data-delete hx-post="/ui/library/delete" hx-include="#selection, .card-pick input:checked" hx-target="#undo" hx-swap="outerHTML" hx-disable="this" hx-confirm="?" data-confirm-title="${words.deleteForGoodTitle}" data-confirm-text="${words.deleteForGoodText}" data-confirm-yes="${words.delete}">${face}</button>`;
}

/** The script fills in the ids of the chosen files and the labels that they have. */
export function labelDialog(labels: readonly LabelUse[]): Html {
  const body = html`<form id="label-form" class="label-form" method="post" action="/ui/library/labels" hx-post="/ui/library/labels" hx-include=".card-pick input:checked" hx-swap="none" hx-status:422="target:#label-errors swap:innerHTML" hx-disable="find [type=submit]" data-fault-form>
<div id="label-errors"></div>
${textField({ name: "add", label: words.labelAdd, hint: words.labelAddHint, maxLength: 1_000, id: "label-add" })}
<ul class="label-offers" hx-ignore>${labels.slice(0, OFFERED).map(({ name }) => html`<li><button type="button" class="filter-chip" data-offer="${name}"><bdi>${name}</bdi>${icon("plus")}</button></li>`)}</ul>
<fieldset class="label-remove" data-label-remove hidden><legend>${words.labelRemove}</legend><ul hx-ignore></ul></fieldset>
<div class="dialog-actions">${button({ label: words.save, kind: "primary", submit: true })}</div>
</form>`;
  return dialog({ id: "label-dialog", title: words.labelTitle, body });
}

/** Labels that the dialog offers by a press; the others are typed. */
const OFFERED = 24;

/** What was deleted just now. */
export interface Gone {
  ids: readonly string[];
  /** Of the only one; null for several. */
  name: string | null;
  /** Whether it can be brought back. */
  bin: boolean;
  /** Those that were to go too and stayed, and why. */
  stayed: readonly Unchanged[];
}

/** Where the way back stands; empty when nothing was deleted. */
export function undoPlace(gone: Gone | null): Html {
  return html`<div id="undo" class="undo-place" role="status">${gone === null ? null : undoNote(gone)}</div>`;
}

function undoNote(gone: Gone): Html {
  return html`${gone.ids.length === 0 ? null : deletedNote(gone)}${gone.stayed.length === 0 ? null : stayedNote(gone)}`;
}

function deletedNote({ ids, name, bin }: Gone): Html {
  if (!bin)
    return html`<div class="callout undo">${icon("trash")}<p>${words.gone(ids.length)}</p></div>`;
  const place = html`<a href="/bin">${words.binPlace}</a>`;
  const told =
    name === null
      ? html`${words.inBin(ids.length)} ${place}.`
      : html`<span hx-ignore>“${name}”</span> ${words.isIn} ${place}.`;
  return html`<div class="callout undo">${icon("trash")}<p>${told}</p><form method="post" action="/ui/library/restore" hx-post="/ui/library/restore" hx-target="#undo" hx-swap="outerHTML" hx-sync="this:drop">${ids.map((id) => html`<input type="hidden" name="id" value="${id}">`)}<button type="submit" class="button">${icon("retry")}<span>${words.undo}</span></button></form></div>`;
}

/** Each reason once. */
function stayedNote({ stayed }: Gone): Html {
  const reasons = [...new Set(stayed.map(({ message }) => message))];
  return html`<div class="callout warn">${icon("warning")}<p>${words.stay(stayed.length)} <span hx-ignore>${reasons.join(" ")}</span></p></div>`;
}

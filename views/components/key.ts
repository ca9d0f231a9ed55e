/** Keys as they stand on a keyboard: "g l" are two, one after the other; "mod+K" is Ctrl or Command. */
import { type Html, html } from "../html.ts";

/** A key of a page, for the list of keys. The page's script does what it says. */
export interface KeyHint {
  keys: string;
  does: string;
}

/** A script writes ⌘ on machines that have it. */
export function keys(sequence: string): Html {
  return html`<span class="keys">${sequence.split(" ").map((step) => html`<span>${step.split("+").map(cap)}</span>`)}</span>`;
}

function cap(name: string): Html {
  return name === "mod" ? html`<kbd data-mod>Ctrl</kbd>` : html`<kbd>${name}</kbd>`;
}

export function keyList(hints: readonly KeyHint[]): Html {
  return html`<dl class="key-list">${hints.map(({ keys: pressed, does }) => html`<div><dt>${does}</dt><dd>${keys(pressed)}</dd></div>`)}</dl>`;
}

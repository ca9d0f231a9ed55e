/** Keys as they stand on a keyboard: "g l" are two, one after the other; "mod+K" is Ctrl or Command. */
import { type Html, html } from "../html.ts";

/** theme.js writes ⌘ on machines that have it. */
export function keys(sequence: string): Html {
  return html`<span class="keys">${sequence
    .split(" ")
    .map(
      (step) =>
        html`<span>${step.split("+").map((part) => (part === "mod" ? html`<kbd data-mod>Ctrl</kbd>` : html`<kbd>${part}</kbd>`))}</span>`,
    )}</span>`;
}

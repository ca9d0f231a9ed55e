/** Dialogs: `data-opens="ID"` on a button opens one, Escape and a press beside it close it, the focus goes back. */
import { type Html, html } from "../html.ts";
import { texts } from "../texts/texts.ts";
import { button } from "./button.ts";

export interface Dialog {
  id: string;
  title: string;
  body: Html;
  /** At its end, from the least to the most; with none it can be closed at its top. */
  actions?: Html;
  /** Room for lists and forms. */
  wide?: boolean;
}

export function dialog({ id, title, body, actions, wide }: Dialog): Html {
  return html`<dialog id="${id}" class="dialog${wide ? " wide" : ""}" aria-labelledby="${id}-title">
<div class="dialog-head"><h2 id="${id}-title">${title}</h2></div>
<div class="dialog-body">${body}</div>
${actions === undefined ? closer() : html`<div class="dialog-actions">${actions}</div>`}
</dialog>`;
}

/** After the fields, of which the first has the focus when the dialog opens. */
function closer(): Html {
  return html`<form method="dialog" class="dialog-closer">${button({ label: texts.frame.close, icon: "close", small: true, submit: true })}</form>`;
}

/** What opens a dialog of the page. */
export function opener(id: string, face: Html, style = "button"): Html {
  return html`<button type="button" class="${style}" data-opens="${id}" aria-haspopup="dialog">${face}</button>`;
}

/** A list with nothing in it says why, and what comes next. */
import { type Html, html } from "../html.ts";
import { type IconName, icon } from "../icons.ts";

export function emptyState(given: {
  icon: IconName;
  title: string;
  /** What somebody searched for is marked with `hx-ignore`. */
  text?: string | Html;
  action?: Html;
}): Html {
  const { icon: drawing, title, text, action } = given;
  return html`<div class="empty"><span class="empty-mark">${icon(drawing)}</span><h2>${title}</h2>${text === undefined ? null : html`<p>${text}</p>`}${action === undefined ? null : html`<div class="empty-action">${action}</div>`}</div>`;
}

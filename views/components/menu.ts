/** Menus that fold out of a button. Arrow keys walk through one, Escape closes it. */
import { type Html, html } from "../html.ts";
import { type IconName, icon } from "../icons.ts";

/** A way to a page, or a form with one button. */
export interface MenuItem {
  label: string;
  icon?: IconName;
  href?: string;
  /** Where a plain form is posted. */
  post?: string;
  /** What a script of the page does with it: `data-command`. */
  command?: string;
  /** The id of a dialog. */
  opens?: string;
  danger?: boolean;
  /** Its key, as it is shown: "?". */
  key?: string;
}

export interface Menu {
  /** Names what unfolds it. */
  label: string;
  face: Html;
  items: readonly MenuItem[];
  id?: string;
  /** Above the items. */
  head?: Html;
  /** Below them, small. */
  foot?: string;
  /** The look of what unfolds it; none: its face as it is. */
  style?: string;
}

export function menu({ label, face, items, id, head, foot, style }: Menu): Html {
  return html`<details class="menu" id="${id}"><summary class="${style}" aria-label="${label}">${face}</summary>
<div class="menu-panel">${head}${items.map(item)}${foot === undefined ? null : html`<p class="menu-note">${foot}</p>`}</div>
</details>`;
}

function item({ label, icon: drawing, href, post, command, opens, danger, key }: MenuItem): Html {
  const face = html`${drawing === undefined ? null : icon(drawing)}<span>${label}</span>${key === undefined ? null : html`<kbd>${key}</kbd>`}`;
  const style = danger ? "menu-item danger-text" : "menu-item";
  if (href !== undefined) return html`<a class="${style}" href="${href}">${face}</a>`;
  if (post !== undefined) {
    return html`<form method="post" action="${post}"><button type="submit" class="${style}">${face}</button></form>`;
  }
  return html`<button type="button" class="${style}" data-command="${command}" data-opens="${opens}">${face}</button>`;
}

/** Tables: on a phone each row becomes a block in which every value has its column's title before it. */
import { type Hole, type Html, html } from "../html.ts";

export interface Column {
  title: string;
  /** Digits under digits. */
  numeric?: boolean;
  /** The title is for readers of the screen alone: a column of buttons. */
  quiet?: boolean;
}

export interface TableRow {
  id?: string;
  cells: readonly Hole[];
}

/** The first cell of a row names it. */
export function table(given: {
  /** Says what the table lists; not shown. */
  caption: string;
  columns: readonly Column[];
  rows: readonly TableRow[];
}): Html {
  const { caption, columns, rows } = given;
  return html`<div class="table-frame"><table class="table"><caption class="sr-only">${caption}</caption>
<thead><tr>${columns.map(
    ({ title, numeric, quiet }) =>
      html`<th scope="col" class="${numeric ? "numeric" : null}">${quiet ? html`<span class="sr-only">${title}</span>` : title}</th>`,
  )}</tr></thead>
<tbody>${rows.map(
    ({ id, cells }) =>
      html`<tr id="${id}">${cells.map((cell, place) => tableCell(columns[place], cell, place === 0))}</tr>`,
  )}</tbody></table></div>`;
}

function tableCell(column: Column | undefined, cell: Hole, names: boolean): Html {
  const style = column?.numeric ? "numeric" : null;
  if (names) return html`<th scope="row" class="${style}">${cell}</th>`;
  const title = column === undefined || column.quiet ? null : column.title;
  return html`<td class="${style}" data-title="${title}">${cell}</td>`;
}

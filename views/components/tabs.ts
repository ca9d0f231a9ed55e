/** Tabs are links: each has its address. Segments are a choice in a form that looks the same. */
import { type Html, html } from "../html.ts";
import type { Choice } from "./field.ts";

export interface Tab {
  title: string;
  href: string;
  current: boolean;
  /** How many are behind it, or words for it; null or absent: not told. */
  count?: number | string | null;
}

/** `look`: `segments` for a filter of what is below, `tabs` for the parts of a room. */
export function tabs(
  label: string,
  list: readonly Tab[],
  look: "segments" | "tabs" = "tabs",
): Html {
  return html`<nav class="${look}" aria-label="${label}">${list.map(
    ({ title, href, current, count }) =>
      html`<a href="${href}" aria-current="${current ? "page" : null}">${title}${count === undefined || count === null ? null : html`<span class="count">${count}</span>`}</a>`,
  )}</nav>`;
}

export function segments(given: {
  /** Read before the choices. */
  legend: string;
  name: string;
  value: string;
  choices: readonly Choice[];
}): Html {
  const { legend, name, value, choices } = given;
  return html`<fieldset class="segments"><legend class="sr-only">${legend}</legend>${choices.map(
    (choice) =>
      html`<label><input type="radio" name="${name}" value="${choice.value}" checked="${choice.value === value}"><span>${choice.label}</span></label>`,
  )}</fieldset>`;
}

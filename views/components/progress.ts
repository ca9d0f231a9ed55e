/** Bars: how far something is, and how much of something is taken. */
import { type Html, html } from "../html.ts";

/** `percent` is null while nobody knows: the bar then moves to and fro. */
export function progressBar(label: string, percent: number | null): Html {
  const shown = percent === null ? null : Math.min(100, Math.max(0, percent)).toFixed(1);
  return html`<progress max="100" value="${shown}" aria-label="${label}">${shown === null ? null : `${shown} %`}</progress>`;
}

/** `words` say the same as the bar, for those who do not see it. */
export function levelBar(given: {
  label: string;
  value: number;
  max: number;
  words: string;
  /** Colours the bar: close to the end, or past what is good. */
  tone?: "warn" | "bad";
}): Html {
  const { label, value, max, words, tone } = given;
  return html`<meter class="${tone}" min="0" max="${max}" value="${value}" aria-label="${label}">${words}</meter>`;
}

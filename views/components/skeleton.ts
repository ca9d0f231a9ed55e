/** Where something will stand: of the same size, so that nothing moves when it comes. */
import { type Html, html } from "../html.ts";

/** More than this is longer than a window. */
const LINES_MAX = 24;

/** So many lines of text, the last one shorter. */
export function skeletonLines(count: number): Html {
  const lines = Array.from(
    { length: Math.min(count, LINES_MAX) },
    () => html`<span class="skeleton"></span>`,
  );
  return html`<div class="skeleton-lines" aria-hidden="true">${lines}</div>`;
}

/** A picture of 16 to 9. */
export function skeletonPicture(): Html {
  return html`<div class="skeleton skeleton-picture" aria-hidden="true"></div>`;
}

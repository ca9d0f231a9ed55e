/** Moments: UTC in the page, and app.js turns them into the reader's own words and zone. */
import { type Html, html } from "./html.ts";

const format = new Intl.DateTimeFormat("en-GB", {
  dateStyle: "medium",
  timeStyle: "short",
  timeZone: "UTC",
});

/** "20 Nov 2026, 16:25 UTC", which app.js makes "5 minutes ago". */
export function timeText(isoTime: string): Html {
  return html`<time datetime="${isoTime}" data-relative>${inUtc(isoTime)}</time>`;
}

/** "20 Nov 2026, 16:25 UTC", which app.js makes "17:25", or with the day when it is not today. */
export function clockText(isoTime: string): Html {
  return html`<time datetime="${isoTime}" data-clock>${inUtc(isoTime)}</time>`;
}

function inUtc(isoTime: string): string {
  const at = new Date(isoTime);
  return Number.isNaN(at.getTime()) ? isoTime : `${format.format(at)} UTC`;
}

/** What people are told: at the edge of the page for a moment, or in its place for as long as it holds. */
import { type Hole, type Html, html } from "../html.ts";
import { type IconName, icon } from "../icons.ts";
import { texts } from "../texts/texts.ts";
import { button } from "./button.ts";

export type NoticeTone = "bad" | "good" | "warn" | "plain";

const drawings: Record<NoticeTone, IconName> = {
  bad: "warning",
  warn: "warning",
  good: "check",
  plain: "info",
};

export interface Notice {
  tone: NoticeTone;
  /** A few words above the text. */
  title?: string;
  /** Text of the server's errors may hold what people gave: it is never read as markup or by htmx. */
  text?: string;
  /** What to do next, quieter. */
  hint?: string | null;
  /** Below the words: a list, a button. */
  more?: Html | null;
  icon?: IconName;
  id?: string;
}

/** At the edge of the page; it goes by itself. Append it to `#notices`. */
export function notice(given: Notice): Html {
  return html`<div class="notice ${given.tone}" role="${roleOf(given.tone)}" id="${given.id}">${inside(given)}
${button({ label: texts.frame.dismiss, icon: "close", small: true, command: "dismiss" })}</div>`;
}

/** In its place. `spoken`: it came just now and is read out. */
export function callout(given: Notice & { spoken?: boolean }): Html {
  const role = given.spoken ? roleOf(given.tone) : null;
  return html`<div class="callout ${given.tone}" role="${role}" id="${given.id}">${inside(given)}</div>`;
}

function roleOf(tone: NoticeTone): "alert" | "status" {
  return tone === "bad" ? "alert" : "status";
}

function inside({ tone, title, text, hint, more, icon: drawing }: Notice): Html {
  const line = (content: Hole, style: string | null) =>
    html`<p class="${style}" hx-ignore>${content}</p>`;
  return html`${icon(drawing ?? drawings[tone])}
<div>${title === undefined ? null : line(title, "notice-title")}${text === undefined ? null : line(text, null)}${hint ? line(hint, "muted") : null}${more}</div>`;
}

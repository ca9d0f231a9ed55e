/** The parts of the room of the box. */
import { type Html, html } from "./html.ts";
import type { Viewer } from "./layout.ts";
import { texts } from "./texts/texts.ts";

const words = texts.system;

/** Nothing where there is one part alone: the log is for admins. */
export function systemTabs(
  { role }: Pick<Viewer, "role">,
  current: "overview" | "log",
): Html | null {
  if (role !== "admin") return null;
  const link = (part: "overview" | "log", href: string) =>
    html`<a href="${href}" aria-current="${part === current ? "page" : null}">${words[part]}</a>`;
  return html`<nav class="tabs" aria-label="${words.parts}">${link("overview", "/system")}${link("log", "/system/log")}</nav>`;
}

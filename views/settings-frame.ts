/** The frame of every page of the settings: its title, its parts, what was just done. */
import { callout } from "./components/notice.ts";
import { tabs } from "./components/tabs.ts";
import { type Html, html } from "./html.ts";
import { page, type Viewer } from "./layout.ts";
import { texts } from "./texts/texts.ts";

const words = texts.settings;

/** The parts; members have their own account alone. */
export const settingsParts = [
  ...(["general", "storage", "people", "account", "presets", "retention", "backups"] as const),
  "acts",
] as const;
export type SettingsPart = (typeof settingsParts)[number];

const forMembers: readonly SettingsPart[] = ["account", "presets"];

/** Where a part stands. */
export function addressOf(part: SettingsPart): string {
  return part === "general" ? "/settings" : `/settings/${part}`;
}

export interface SettingsPage {
  part: SettingsPart;
  body: Html;
  /** What was just done, in words; null for nothing. */
  said?: string | null;
  /** Why it was not done, for the whole of the page. */
  refused?: string | null;
  scripts?: readonly string[];
}

export function settingsPage(viewer: Viewer, options: SettingsPage): Html {
  const { part, said, refused, scripts } = options;
  const parts = viewer.role === "admin" ? settingsParts : forMembers;
  const list = parts.map((each) => ({
    title: words[each],
    href: addressOf(each),
    current: each === part,
  }));
  const body = html`<div class="page-head"><h1>${words.title}</h1></div>
${tabs(words.parts, list)}
<div class="settings">
${said ? callout({ tone: "good", spoken: true, text: said }) : null}
${refused ? callout({ tone: "bad", spoken: true, text: refused }) : null}
${options.body}</div>`;
  const title = part === "general" ? words.title : `${words[part]} · ${words.title}`;
  const needed = ["copy.js", ...(scripts ?? [])];
  return page({
    ...{ title, viewer, active: "settings", body },
    ...{ scripts: needed, styles: ["settings.css"] },
  });
}

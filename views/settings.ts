/** The settings that can be changed while the server runs, as a form made from their schema. */
import { bytesInWords } from "../src/byte-words.ts";
import type { SettingState } from "../src/settings/settings.ts";
import type { FieldFault } from "../src/trouble.ts";
import { badge } from "./components/badge.ts";
import { button } from "./components/button.ts";
import { card } from "./components/card.ts";
import { selectField, textField } from "./components/field.ts";
import { callout } from "./components/notice.ts";
import { table } from "./components/table.ts";
import { type Html, html } from "./html.ts";
import type { Viewer } from "./layout.ts";
import { countedText } from "./quantities.ts";
import { settingsPage } from "./settings-frame.ts";
import { texts } from "./texts/texts.ts";
import { timeText } from "./times.ts";

const words = texts.settings;

export interface SettingsView {
  settings: readonly SettingState[];
  revision: number;
  restartNeeded: boolean;
  /** Path of the file of settings; null for none. */
  file: string | null;
  /** What was just done. */
  said?: string | null;
  /** What was typed and not taken, by key; shown again. */
  typed?: Readonly<Record<string, string>>;
  /** Of the group that was sent. */
  faults?: readonly FieldFault[];
  /** A sentence about all of it. */
  refused?: string | null;
}

export function generalPage(viewer: Viewer, view: SettingsView): Html {
  const editable = view.settings.filter((setting) => setting.editable !== null);
  const groups = Map.groupBy(editable, ({ key }) => groupOf(key));
  const restart = view.restartNeeded
    ? callout({ tone: "warn", title: words.restart, text: words.restartHint })
    : null;
  const body = html`<p class="lead">${words.lead}</p>
${restart}
${[...groups].map(([group, members]) => groupCard(group, members, view))}
${hostCard(view.settings.filter((setting) => setting.editable === null))}`;
  const { said = null, refused = null } = view;
  return settingsPage(viewer, { part: "general", body, said, refused });
}

/** `jobs.runs` → `jobs`, `storage.cache.maxBytes` → `storage`, `hosts` → "". */
export function groupOf(key: string): string {
  return key.includes(".") ? (key.split(".")[0] ?? "") : "";
}

function groupCard(group: string, members: readonly SettingState[], view: SettingsView): Html {
  const id = `settings-${group === "" ? "access" : group}`;
  const body = html`<form method="post" action="/settings" class="setting-form" data-keep="${group}" data-undoable>
<input type="hidden" name="group" value="${group}"><input type="hidden" name="revision" value="${view.revision}">
${members.map((setting) => settingRow(setting, view))}
<div class="form-end">${button({ label: words.save, submit: true })}</div>
</form>`;
  return card({ id, title: words.groups[group] ?? group, across: true, body });
}

function settingRow(setting: SettingState, view: SettingsView): Html {
  const { key, sentence } = setting;
  return html`<div class="setting" id="setting-${key.replaceAll(".", "-")}">
<div class="setting-field">${control(setting, view)}</div>
<div class="setting-about"><p>${sentence}</p>${facts(setting, view)}</div></div>`;
}

function control(setting: SettingState, view: SettingsView): Html {
  const { key, kind, editable, options, min, max, unit } = setting;
  const value = view.typed?.[key] ?? formText(setting, setting.afterRestart ?? setting.value);
  const shared = {
    ...{ name: key, label: editable?.title ?? key, disabled: lockOf(setting, view) !== null },
    fault: view.faults?.find(({ path }) => path === key)?.message ?? null,
  };
  if (kind === "choice" || kind === "switch") {
    const choices =
      kind === "switch"
        ? [
            { value: "true", label: words.on },
            { value: "false", label: words.off },
          ]
        : options.map((option) => ({ value: option, label: option }));
    return selectField({ ...shared, value, choices });
  }
  if (kind === "number") {
    const limits = { ...(min === null ? {} : { min }), ...(max === null ? {} : { max }) };
    const counted = unit === null ? {} : { unit };
    return textField({ ...shared, ...limits, ...counted, type: "number", value, required: true });
  }
  const hint = kind === "bytes" ? words.sizes : kind === "list" ? words.commas : null;
  return textField({ ...shared, value, hint, maxLength: 4000, required: kind === "bytes" });
}

/** Where the value comes from, what it was, and the way back. */
function facts(setting: SettingState, view: SettingsView): Html {
  const { key, origin, editable, changedAt, changedBy, pageValue, ignored } = setting;
  const lock = lockOf(setting, view);
  const title = editable?.title ?? key;
  const usual = settingText(setting, setting.default);
  return html`<p class="setting-facts">${lock === null ? null : badge({ tone: "warn", label: originWords(origin) })}<span>${words.standard(usual)}</span>${rangeOf(setting)}<code class="setting-key">${key}</code>${editable?.effect === "restart" ? html`<span>${words.atRestart}</span>` : null}</p>
${lock === null ? null : html`<p class="setting-lock" hx-ignore>${lock}</p>`}
${setting.afterRestart === undefined ? null : html`<p class="setting-waits">${words.waits(settingText(setting, setting.afterRestart))}</p>`}
${ignored === null || pageValue === undefined ? null : html`<p class="muted">${words.ignoredValue(settingText(setting, pageValue))}</p>`}
${changedAt === null || changedBy === null ? null : html`<p class="setting-changed"><span>${words.changed} <span hx-ignore>${changedBy}</span>, ${timeText(changedAt)}</span>${pageValue === undefined ? null : resetButton(setting, title, usual, view.revision)}</p>`}`;
}

function resetButton(setting: SettingState, title: string, usual: string, revision: number): Html {
  const question = {
    ...{ title: words.resetTitle, text: words.resetText(title, usual), yes: words.resetYes },
  };
  const address = `/settings/reset/${setting.key}?revision=${revision}`;
  const request = { method: "post", address, question } as const;
  return button({ label: words.reset, name: words.resetOf(title), kind: "quiet", request });
}

function originWords(origin: SettingState["origin"]): string {
  return origin === "default" || origin === "page" ? words.byDefault : words.from[origin];
}

function lockOf({ origin, key, environmentName }: SettingState, view: SettingsView): string | null {
  if (origin === "file") return words.locked.file(view.file ?? "", key);
  if (origin === "environment") return words.locked.environment(environmentName);
  return origin === "flag" ? words.locked.flag : null;
}

function rangeOf(setting: SettingState): Html | null {
  const { min, max } = setting;
  if (min === null || max === null) return null;
  return html`<span>${words.range(settingText(setting, min), settingText(setting, max))}</span>`;
}

function hostCard(settings: readonly SettingState[]): Html {
  const rows = settings.map((setting) => ({
    cells: [
      html`<code>${setting.key}</code><p class="hint">${setting.sentence}</p>`,
      html`<span class="setting-value" hx-ignore>${settingText(setting, setting.value)}</span>`,
      words.origins[setting.origin],
    ],
  }));
  const columns = [{ title: words.key }, { title: words.value }, { title: words.origin }];
  const list = table({ caption: words.hostOnly, columns, rows });
  const body = html`<p class="muted">${words.hostOnlyText}</p><details class="host-only"><summary>${words.hostOnly} (${settings.length})</summary>${list}</details>`;
  return card({ id: "settings-host", title: words.hostOnly, across: true, body });
}

/** A value as it stands in its field. */
export function formText({ kind }: Pick<SettingState, "kind">, value: unknown): string {
  if (kind === "bytes" && typeof value === "number") return bytesInWords(value);
  if (Array.isArray(value)) return value.join(", ");
  return value === undefined || value === null ? "" : String(value);
}

/** A value for a person to read. */
export function settingText(setting: Pick<SettingState, "kind" | "unit">, value: unknown): string {
  if (typeof value === "boolean") return value ? words.on : words.off;
  if (setting.kind === "number" && typeof value === "number")
    return countedText(value, setting.unit);
  const text = formText(setting, value);
  return text === "" ? words.empty : text;
}

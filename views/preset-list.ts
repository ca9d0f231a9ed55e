/** One's presets: renamed, shared, deleted, taken along. */
import { badge } from "./components/badge.ts";
import { button } from "./components/button.ts";
import { card } from "./components/card.ts";
import { emptyState } from "./components/empty.ts";
import { textField } from "./components/field.ts";
import { table } from "./components/table.ts";
import { type Html, html } from "./html.ts";
import type { Viewer } from "./layout.ts";
import { settingsPage } from "./settings-frame.ts";
import { texts } from "./texts/texts.ts";
import { timeText } from "./times.ts";

const words = texts.settings.preset;

export interface ListedPreset {
  id: string;
  name: string;
  /** Its title. */
  operation: string;
  version: number;
  updatedAt: string | null;
  shared: boolean;
  sharedBy: string | null;
}

export interface PresetListView {
  own: readonly ListedPreset[];
  /** Of others. */
  shared: readonly ListedPreset[];
  builtIn: readonly ListedPreset[];
  said?: string | null;
  refused?: string | null;
  /** What was pasted and not taken. */
  typed?: string;
}

export function presetsPage(viewer: Viewer, view: PresetListView): Html {
  const { own, shared, builtIn, said = null, refused = null } = view;
  const admin = viewer.role === "admin";
  const list =
    own.length === 0
      ? emptyState({ icon: "wand", title: words.none, text: words.noneText })
      : ownTable(own, admin);
  const others = shared.length === 0 ? null : otherTable(words.everybody, shared);
  const aside =
    own.length === 0
      ? null
      : button({ label: words.export, href: "/settings/presets/export", download: "presets.json" });
  const mine = html`<p class="muted">${words.lead}</p>${list}${importForm(view)}`;
  const body = html`${card({ id: "presets", title: texts.settings.presets, across: true, aside, body: mine })}
${others === null ? null : card({ id: "shared-presets", title: words.everybody, across: true, body: others })}
${card({ id: "built-in", title: words.builtIn, across: true, body: otherTable(words.builtIn, builtIn) })}`;
  return settingsPage(viewer, { part: "presets", body, said, refused });
}

function ownTable(own: readonly ListedPreset[], admin: boolean): Html {
  const columns = [
    ...[{ title: words.name }, { title: words.operation }, { title: words.changed }],
    { title: words.rename, quiet: true },
  ];
  const rows = own.map((preset) => ({
    cells: [
      html`<span hx-ignore>${preset.name}</span>${preset.shared ? html` ${badge({ tone: "accent", label: words.everybody })}` : null}`,
      preset.operation,
      preset.updatedAt === null ? "" : timeText(preset.updatedAt),
      html`<span class="row-actions">${renameForm(preset)}${admin ? shareButton(preset) : null}${deleteButton(preset)}</span>`,
    ],
  }));
  return table({ caption: texts.settings.presets, columns, rows });
}

function renameForm({ id, name, version }: ListedPreset): Html {
  return html`<details class="add-form"><summary class="button quiet">${words.rename}</summary>
<form method="post" action="/settings/presets/${id}/rename" class="rename"><input type="hidden" name="version" value="${version}">
${textField({ name: "name", id: `rename-${id}`, label: words.name, value: name, maxLength: 64, required: true })}
${button({ label: words.rename, submit: true })}</form></details>`;
}

function shareButton({ id, name, shared }: ListedPreset): Html {
  if (shared) {
    const request = { method: "post", address: `/settings/presets/${id}/unshare` } as const;
    return button({ label: words.unshare, name: words.unshareOf(name), kind: "quiet", request });
  }
  const question = { title: words.shareTitle, text: words.shareText(name), yes: words.share };
  const request = { method: "post", address: `/settings/presets/${id}/share`, question } as const;
  return button({ label: words.share, name: words.shareOf(name), kind: "quiet", request });
}

function deleteButton({ id, name, version }: ListedPreset): Html {
  const question = { title: words.deleteTitle, text: words.deleteText(name), yes: words.delete };
  const address = `/settings/presets/${id}/delete?version=${version}`;
  return button({
    ...{ label: words.delete, name: words.deleteOf(name), kind: "quiet danger-text" },
    request: { method: "post", address, question },
  });
}

function otherTable(caption: string, presets: readonly ListedPreset[]): Html {
  const columns = [{ title: words.name }, { title: words.operation }, { title: words.owner }];
  const rows = presets.map(({ name, operation, sharedBy }) => ({
    cells: [
      html`<span hx-ignore>${name}</span>`,
      operation,
      sharedBy === null ? "" : html`<span hx-ignore>${sharedBy}</span>`,
    ],
  }));
  const shown = presets.some(({ sharedBy }) => sharedBy !== null) ? columns : columns.slice(0, 2);
  return table({
    caption,
    columns: shown,
    rows: rows.map(({ cells }) => ({ cells: cells.slice(0, shown.length) })),
  });
}

function importForm({ typed }: PresetListView): Html {
  return html`<details class="add-form" open="${typed !== undefined}"><summary class="button">${words.import}</summary>
<form method="post" action="/settings/presets/import" class="stack" data-keep="presets">
${textField({ name: "presets", label: words.file, value: typed ?? "", hint: words.importText, rows: 8, code: true, required: true, maxLength: 900_000 })}
<div class="form-end">${button({ label: words.import, submit: true })}</div></form></details>`;
}

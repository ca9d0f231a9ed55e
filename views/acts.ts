/** The trail: what admins did, and what people did to their accounts. */
import type { Act, ActKind } from "../src/settings/acts.ts";
import { badge } from "./components/badge.ts";
import { button } from "./components/button.ts";
import { card } from "./components/card.ts";
import { emptyState } from "./components/empty.ts";
import { selectField } from "./components/field.ts";
import { table } from "./components/table.ts";
import { type Html, html } from "./html.ts";
import type { Viewer } from "./layout.ts";
import { settingsPage } from "./settings-frame.ts";
import { texts } from "./texts/texts.ts";
import { timeText } from "./times.ts";

const words = texts.settings.trail;

export interface TrailView {
  acts: readonly Act[];
  /** Only acts of this kind; null: all. */
  kind: ActKind | null;
  more: boolean;
}

export function actsPage(viewer: Viewer, view: TrailView): Html {
  const { acts, kind, more } = view;
  const kinds = Object.entries(words.kinds).map(([value, label]) => ({ value, label }));
  const filter = html`<form method="get" action="/settings/acts" class="trail-filter">
${selectField({ name: "kind", label: words.filter, value: kind ?? "", choices: [{ value: "", label: words.all }, ...kinds] })}
${button({ label: words.filter, submit: true })}</form>`;
  const list =
    acts.length === 0
      ? emptyState({ icon: "clock", title: words.none, text: words.noneText })
      : trail(acts);
  const last = acts.at(-1);
  const further =
    more && last !== undefined
      ? html`<p class="form-end">${button({ label: words.older, href: `/settings/acts?before=${last.id}${kind === null ? "" : `&kind=${kind}`}` })}</p>`
      : null;
  const body = card({
    ...{ id: "trail", title: texts.settings.acts, across: true },
    body: html`<p class="muted">${words.lead}</p>${filter}${list}${further}`,
  });
  return settingsPage(viewer, { part: "acts", body });
}

function trail(acts: readonly Act[]): Html {
  const columns = [
    ...[{ title: words.when }, { title: words.who }, { title: words.what }],
    { title: words.detail },
  ];
  const rows = acts.map((act) => ({
    cells: [
      timeText(act.at),
      html`<span hx-ignore>${act.who}${act.token === null ? null : html` <span class="muted">${words.with(act.token)}</span>`}</span>`,
      badge({ tone: "plain", label: words.kinds[act.kind] ?? act.kind }),
      html`<span class="trail-detail" hx-ignore>${act.subject}${detailText(act.detail)}</span>`,
    ],
  }));
  return table({ caption: texts.settings.acts, columns, rows });
}

/** `{before: 3, after: 4}` → " 3 → 4", anything else by its names. */
function detailText(detail: Act["detail"]): string {
  if ("before" in detail && "after" in detail) {
    return ` ${short(detail["before"])} → ${short(detail["after"])}`;
  }
  const pairs = Object.entries(detail).map(([name, value]) => `${name}: ${short(value)}`);
  return pairs.length === 0 ? "" : ` (${pairs.join(", ")})`;
}

/** Lists of host names may be long. */
const SHORT = 120;

function short(value: unknown): string {
  const text = value === null ? texts.settings.byDefault.toLowerCase() : textOf(value);
  return text.length > SHORT ? `${text.slice(0, SHORT)}…` : text;
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? texts.settings.empty : value.join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** What goes by itself: the rules, who has others, and what the next sweep would take. For admins. */
import type { Allowance, RetentionSettings } from "../src/assets/allowances.ts";
import type { SweepReport, Swept } from "../src/assets/sweep.ts";
import { button } from "./components/button.ts";
import { card } from "./components/card.ts";
import { table } from "./components/table.ts";
import { type Html, html } from "./html.ts";
import type { Viewer } from "./layout.ts";
import { quotaText } from "./people-page.ts";
import { sizeText } from "./quantities.ts";
import { settingsPage } from "./settings-frame.ts";
import { texts } from "./texts/texts.ts";
import { timeText } from "./times.ts";

const words = texts.settings.keeping;

/** Files of each kind that the page shows; the rest is a number. */
const SHOWN_MAX = 50;

export interface RetentionView {
  rules: RetentionSettings;
  /** People to whom something else is allowed. */
  exceptions: readonly { id: string; name: string; allowance: Allowance }[];
  plan: SweepReport;
  /** Names of owners by id. */
  owners: ReadonlyMap<string, string>;
  said: string | null;
}

export function retentionPage(viewer: Viewer, view: RetentionView): Html {
  const body = html`<div class="settings-pair">${rulesCard(view.rules)}${exceptionsCard(view)}</div>${planCard(view)}`;
  return settingsPage(viewer, { part: "retention", body, said: view.said });
}

function rulesCard({ uploadDays, outputDays, binDays, quotaBytes }: RetentionSettings): Html {
  const quota = quotaBytes === 0 ? words.noQuota : sizeText(quotaBytes);
  const row = (title: string, value: string) => html`<div><dt>${title}</dt><dd>${value}</dd></div>`;
  const body = html`<p class="muted">${words.rulesText}</p><dl class="pairs">
${row(words.uploads, words.afterDays(uploadDays))}${row(words.outputs, words.afterDays(outputDays))}${row(words.bin, words.inBin(binDays))}${row(words.quota, quota)}</dl>
<div class="form-end">${button({ label: words.openBin, href: "/bin", kind: "quiet" })}${button({ label: words.change, href: "/settings#settings-retention" })}</div>`;
  return card({ id: "rules", title: words.rules, body });
}

function exceptionsCard({ exceptions }: RetentionView): Html {
  const says = ({ quotaBytes, uploadDays, outputDays }: Allowance) =>
    [
      quotaBytes === null ? null : `${texts.people.quota}: ${quotaText(quotaBytes)}`,
      uploadDays === null ? null : `${texts.people.uploadDays}: ${uploadDays}`,
      outputDays === null ? null : `${texts.people.outputDays}: ${outputDays}`,
    ]
      .filter((each) => each !== null)
      .join(", ");
  const rows = exceptions.map(({ id, name, allowance }) => ({
    cells: [
      html`<a class="person-link" href="/settings/people/${id}" hx-ignore>${name}</a>`,
      says(allowance),
    ],
  }));
  const columns = [{ title: words.person }, { title: words.says }];
  const list =
    rows.length === 0
      ? html`<p>${words.noExceptions}</p>`
      : table({ caption: words.exceptions, columns, rows });
  const body = html`<p class="muted">${words.exceptionsText}</p>${list}`;
  return card({ id: "exceptions", title: words.exceptions, body });
}

function planCard({ plan, owners }: RetentionView): Html {
  const { expired, deleted, inUse } = plan;
  const due = expired.length + deleted.length;
  const question = {
    title: words.sweepTitle,
    text: words.sweepText(expired.length, deleted.length),
    yes: words.sweep,
  };
  const request = { method: "post", address: "/settings/retention/sweep", question } as const;
  const columns = [
    ...[{ title: words.file }, { title: words.owner }, { title: words.size, numeric: true }],
    ...[{ title: words.since }, { title: words.goes }],
  ];
  const row = (goes: string) => (swept: Swept) => ({
    cells: [
      html`<span hx-ignore>${swept.name}</span>`,
      html`<span hx-ignore>${owners.get(swept.ownerId) ?? words.unknownOwner}</span>`,
      ...[sizeText(swept.sizeBytes), timeText(swept.since), goes],
    ],
  });
  const rows = [
    ...expired.slice(0, SHOWN_MAX).map(row(words.expired)),
    ...deleted.slice(0, SHOWN_MAX).map(row(words.forever)),
  ];
  const list =
    due === 0 ? html`<p>${words.nothing}</p>` : table({ caption: words.next, columns, rows });
  const rest = due - rows.length;
  const body = html`<p class="muted">${words.nextText}</p>${list}
${rest > 0 ? html`<p class="muted">${words.more(rest)}</p>` : null}${inUse > 0 ? html`<p class="muted">${words.inUse(inUse)}</p>` : null}`;
  const aside = due === 0 ? null : button({ label: words.sweep, request });
  return card({ id: "next-sweep", title: words.next, across: true, aside, body });
}

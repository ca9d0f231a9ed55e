/** The backups of the database: state, one more, and how one is put back. For admins. */
import type { Backup } from "../src/backup/shelf.ts";
import type { BackupState } from "../src/backup/state.ts";
import { copyButton } from "./account.ts";
import { button } from "./components/button.ts";
import { card } from "./components/card.ts";
import { callout } from "./components/notice.ts";
import { table } from "./components/table.ts";
import { type Html, html } from "./html.ts";
import type { Viewer } from "./layout.ts";
import { sizeText } from "./quantities.ts";
import { settingsPage } from "./settings-frame.ts";
import { texts } from "./texts/texts.ts";
import { clockText, timeText } from "./times.ts";

const words = texts.settings.backup;

export function backupsPage(viewer: Viewer, state: BackupState, said: string | null): Html {
  const { backups, warnings, nextAt } = state;
  const columns = [
    ...[{ title: words.name }, { title: words.when }, { title: words.size, numeric: true }],
  ];
  const rows = backups.map(({ name, createdAt, sizeBytes }) => ({
    cells: [html`<code>${name}</code>`, timeText(createdAt), sizeText(sizeBytes)],
  }));
  const list =
    rows.length === 0
      ? html`<p>${words.none}</p>`
      : table({ caption: texts.settings.backups, columns, rows });
  const next = nextAt === null ? words.off : html`${words.next} ${clockText(nextAt)}.`;
  const shelf = html`<p class="muted">${words.lead}</p>
${warnings.map((text) => callout({ tone: "bad", text }))}${list}
<div class="form-end"><p class="hint">${next}</p>${button({ label: words.change, href: "/settings#settings-backup", kind: "quiet" })}</div>`;
  const take = button({
    ...{ label: words.take, icon: "disk" },
    request: { method: "post", address: "/settings/backups" },
  });
  const body = html`${card({ id: "shelf", title: texts.settings.backups, across: true, aside: take, body: shelf })}${restoreCard(backups[0])}`;
  return settingsPage(viewer, { part: "backups", body, said });
}

function restoreCard(newest: Backup | undefined): Html | null {
  if (newest === undefined) return null;
  const lines = [
    ...["systemctl stop kinomill", `kinomill restore ${newest.name}`, "systemctl start kinomill"],
  ].join("\n");
  const body = html`<p>${words.restoreText}</p><p class="muted">${words.restoreSteps}</p>
<div class="command"><pre tabindex="0">${lines}</pre>${copyButton(lines)}</div><p class="muted">${words.started}</p>`;
  return card({ id: "restore", title: words.restore, across: true, body });
}

/** The backups of the database on the page of the box: the newest ones, what is wrong, and the button for one more. */
import type { Backup } from "../src/backup/shelf.ts";
import type { BackupState } from "../src/backup/state.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { sizeText } from "./quantities.ts";
import { clockText, timeText } from "./times.ts";

interface Onlooker {
  role: "admin" | "member";
}

/** `kinomill backup list` shows them all. */
const SHOWN_MAX = 5;

/** `GET /ui/system/backups`. Fetches itself when one was made. */
export function backupPanel({ role }: Onlooker, state: BackupState): Html {
  const admin = role === "admin";
  return html`<section class="panel" id="backups" aria-labelledby="backups-title" hx-get="/ui/system/backups" hx-trigger="backups from:body" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none"><h2 id="backups-title">${icon("disk")}Backups</h2>
<p role="status">${newest(state.backups[0])}</p>
${state.warnings.map((sentence) => html`<div class="callout bad">${icon("warning")}<p>${sentence}</p></div>`)}
${admin && state.backups.length > 0 ? html`<dl class="pairs">${state.backups.slice(0, SHOWN_MAX).map(row)}</dl>` : null}
<p class="muted">${next(state)}</p>
${admin ? button() : null}</section>`;
}

function newest(backup: Backup | undefined): Html {
  if (backup === undefined) return html`The database has not been backed up yet.`;
  return html`The database was backed up ${timeText(backup.createdAt)}.`;
}

function row({ name, sizeBytes }: Backup): Html {
  return html`<div><dt><code>${name}</code></dt><dd>${sizeText(sizeBytes)}</dd></div>`;
}

function next({ nextAt }: BackupState): Html {
  if (nextAt === null) return html`None is planned (<code class="setting">backup.schedule</code>).`;
  return html`The next is due at ${clockText(nextAt)}. <code class="setting">backup.schedule</code>`;
}

/** Without JavaScript it is a plain form that leads back to the page of the box. */
function button(): Html {
  return html`<form method="post" action="/ui/system/backups" hx-post="/ui/system/backups" hx-swap="none" hx-sync="this:drop"><button type="submit" class="button" data-once>${icon("disk")}Back up now</button></form>`;
}

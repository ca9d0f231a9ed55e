/** Who has an account and how much they keep, on the page of the box; for admins alone. */
import type { Usage } from "../src/assets/allowances.ts";
import { bytesInWords } from "../src/byte-words.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { sizeText } from "./quantities.ts";

export interface PersonView {
  id: string;
  name: string;
  usage: Usage;
  /** As an admin has said it for this person; null: as the settings say. */
  ownQuotaBytes: number | null;
}

/** `GET /ui/system/people`. Fetches itself when a quota was changed. */
export function peoplePanel(people: readonly PersonView[]): Html {
  return html`<section class="panel across" id="people" aria-labelledby="people-title" hx-get="/ui/system/people" hx-trigger="people from:body" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none"><h2 id="people-title">${icon("library")}People</h2>
<ul class="rows">${people.map(row)}</ul>
<p class="muted">A quota is a size like 500M, 100G or 2TiB; none is no limit, default is what <code class="setting">retention.quotaBytes</code> says.</p></section>`;
}

function row({ id, name, usage, ownQuotaBytes }: PersonView): Html {
  const { usedBytes, assetCount, quotaBytes } = usage;
  const may = quotaBytes === null ? "no limit" : `of ${sizeText(quotaBytes)}`;
  return html`<li class="row"><div class="row-main"><p class="row-title" hx-ignore>${name}</p>
<p class="row-facts"><span>${assetCount} ${assetCount === 1 ? "file" : "files"}</span><span>${sizeText(usedBytes)} ${may}</span></p></div>
<div class="row-end"><form method="post" action="/ui/users/${id}/quota" hx-post="/ui/users/${id}/quota" hx-swap="none" hx-sync="this:drop"><label class="sr-only" for="quota-${id}">Quota of this person</label><input id="quota-${id}" name="quota" type="text" size="9" maxlength="20" autocomplete="off" required value="${quotaWords(ownQuotaBytes)}"><button type="submit" class="button">Set quota</button></form></div></li>`;
}

function quotaWords(bytes: number | null): string {
  if (bytes === null) return "default";
  if (bytes === 0) return "none";
  return bytesInWords(bytes);
}

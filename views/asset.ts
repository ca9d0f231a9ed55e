/** One asset: player, facts, where it comes from, what can be made from it, what was made, and its jobs. */
import type { Asset } from "../src/assets/asset.ts";
import { assetHead, assetLabels } from "./asset-head.ts";
import { type Tab, tabs } from "./components/tabs.ts";
import { assetFacts, fullProbe } from "./facts.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import type { JobEntry } from "./job-words.ts";
import { jobRow } from "./jobs.ts";
import { page, type Viewer } from "./layout.ts";
import { type LineageView, lineage } from "./lineage.ts";
import { liveConnection } from "./live.ts";
import { type MakeView, makeScripts, makeSection } from "./make.ts";
import { player, playerKeys, playerScripts } from "./player.ts";
import { texts } from "./texts/texts.ts";
import { clockText } from "./times.ts";

const words = texts.asset;

export interface AssetView {
  asset: Asset;
  /** Days that deleted files stay in the bin; absent or 0: they are gone at once. */
  binDays?: number;
  /** Labels that the person's files have. */
  labels?: readonly string[];
  /** The title of the job that made it ("Transcode: match.mov"); null for uploads and deleted jobs. */
  origin: { jobId: string; title: string } | null;
  /** What can be made from it; null for text and other files that no operation takes. */
  make: MakeView | null;
  lineage: LineageView;
  /** What it was made of, where it is the list of a ladder. */
  ladderOf?: Asset | null;
  /** Jobs that read or made it, the newest first. */
  jobs: readonly JobEntry[];
}

/** `GET /assets/ID` */
export function assetPage(viewer: Viewer, view: AssetView): Html {
  const { asset, binDays = 0 } = view;
  const body = html`<div id="asset-page" data-asset="${asset.id}">
<div id="asset-gone" hx-get="/ui/assets/${asset.id}/gone" hx-trigger="asset-gone from:body" hx-swap="outerHTML"></div>
${assetHead({ asset, binDays, makes: view.make !== null })}
${rooms(asset)}
<div class="asset-layout">
<div class="asset-main">
${player(asset, { place: "main", leads: true, source: view.ladderOf ?? null })}
<section class="block" aria-labelledby="asset-lineage-title"><h2 id="asset-lineage-title">${words.history}</h2>
${lineage(asset, view.lineage)}</section>
<section class="block" aria-labelledby="asset-jobs-title"><h2 id="asset-jobs-title">${words.jobs}</h2>
${assetJobs(asset.id, view.jobs)}</section>
${view.make === null ? null : makeSection(view.make)}
</div>
<aside class="asset-side" aria-label="${words.facts}">${originNote(view)}${expiryNote(asset)}${assetLabels(asset, view.labels ?? [])}${assetFacts(asset)}${fullProbe(asset)}</aside>
</div>
</div>
${liveConnection("/ui/events")}`;
  const makes = view.make === null ? [] : makeScripts;
  const scripts = [...makes, ...playerScripts(asset), "copy.js", "asset.js"];
  return page({
    ...{ title: asset.name, viewer, active: "library", body },
    ...{ scripts: [...new Set(scripts)], styles: ["player.css"] },
    keys: playerKeys(asset),
  });
}

/**
 * What can be done with this file in rooms of their own, this page first. A room is a line here as soon as it is there;
 * a single one is no choice, and shows no tabs.
 */
function rooms({ id }: Asset): Html | null {
  const list: Tab[] = [{ title: words.facts, href: `/assets/${id}`, current: true }];
  return list.length > 1 ? tabs(words.rooms, list) : null;
}

/** That it goes by itself, and the button that keeps it. */
function expiryNote({ id, expiresAt }: Asset): Html | null {
  if (expiresAt === null) return null;
  return html`<div class="origin">${icon("clock")}<span>${words.expires} ${clockText(expiresAt)}</span><form method="post" action="/ui/assets/${id}/keep" hx-post="/ui/assets/${id}/keep" hx-swap="none" hx-sync="this:drop"><button type="submit" class="button">${words.keep}</button></form></div>`;
}

function originNote(view: AssetView): Html {
  const { origin } = view.asset;
  if (origin.kind === "upload")
    return html`<p class="origin">${icon("upload")}<span>${words.uploaded}</span></p>`;
  if (origin.kind === "import")
    return html`<p class="origin">${icon("link")}<span>${words.from} <span hx-ignore>${origin.url}</span></span></p>`;
  const made =
    view.origin === null
      ? html`<span>${words.madeBy} ${words.deletedJob}</span>`
      : html`<span>${words.madeBy} <a href="/jobs/${view.origin.jobId}" hx-ignore>${view.origin.title}</a></span>`;
  return html`<p class="origin">${icon("wand")}${made}</p>`;
}

/** `GET /ui/assets/ID/jobs`. Fetches itself on every `job` event and slowly besides. */
export function assetJobs(assetId: string, jobs: readonly JobEntry[]): Html {
  const list =
    jobs.length === 0
      ? html`<p class="muted none">${words.noJobs}</p>`
      : html`<ul class="rows">${jobs.map(jobRow)}</ul>`;
  return html`<div id="asset-jobs" hx-get="/ui/assets/${assetId}/jobs" hx-trigger="job from:body throttle:1s, every 15s" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none">${list}</div>`;
}

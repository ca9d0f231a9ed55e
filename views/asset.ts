/** One asset: player, facts, origin, what can be made from it, and its jobs. */
import type { Asset } from "../src/assets/asset.ts";
import { assetFacts } from "./facts.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import type { JobEntry } from "./job-words.ts";
import { jobRow } from "./jobs.ts";
import { page, type Viewer } from "./layout.ts";
import { liveConnection } from "./live.ts";
import { type MakeView, makeScripts, makeSection } from "./make.ts";
import { resolutionTitle } from "./media-words.ts";
import { player } from "./player.ts";
import { durationText, sizeText } from "./quantities.ts";
import { clockText } from "./times.ts";

export interface AssetView {
  asset: Asset;
  /** Days that deleted files stay in the bin; absent or 0: they are gone at once. */
  binDays?: number;
  /** The title of the job that made it ("Transcode: match.mov"); null for uploads and deleted jobs. */
  origin: { jobId: string; title: string } | null;
  /** What can be made from it; null for text and other files that no operation takes. */
  make: MakeView | null;
  /** Jobs that read or made it, the newest first. */
  jobs: readonly JobEntry[];
}

/** `GET /assets/ID` */
export function assetPage(viewer: Viewer, view: AssetView): Html {
  const { asset } = view;
  const body = html`<div class="page-head asset-head">
<a class="icon-button" href="/" aria-label="Back to the library">${icon("back")}</a>
<div class="head-text"><h1 hx-ignore>${asset.name}</h1><p class="muted">${summary(asset)}</p></div>
<div class="head-actions">
<a class="button" href="/api/v1/assets/${asset.id}/content?download=1" download="${asset.name}">${icon("download")}Download</a>
<button type="button" class="button quiet danger-text" hx-delete="/ui/assets/${asset.id}" hx-swap="none" hx-disable="this" hx-confirm="Delete this file?" data-confirm-title="Delete this file?" data-confirm-text="${deletionText(view)}" data-confirm-yes="Delete">${icon("trash")}<span>Delete</span></button>
</div>
</div>
<div class="asset-layout">
<div class="asset-main">
${player(asset, "main")}
${view.make === null ? null : makeSection(view.make)}
<section class="block" aria-labelledby="asset-jobs-title"><h2 id="asset-jobs-title">Jobs with this file</h2>
${assetJobs(asset.id, view.jobs)}</section>
</div>
<aside class="asset-side" aria-label="Facts">${originNote(view)}${expiryNote(asset)}${assetFacts(asset)}</aside>
</div>
${liveConnection("/ui/events")}`;
  return page({ title: asset.name, viewer, active: "library", body, scripts: makeScripts });
}

function deletionText({ asset, binDays = 0 }: AssetView): string {
  const fate =
    binDays === 0 ? "will be gone for good" : `goes into the bin and stays there ${binDays} days`;
  return `“${asset.name}” ${fate}. Files that were made from it stay.`;
}

function summary(asset: Asset): string {
  const video = asset.media?.video ?? null;
  const seconds = asset.media?.durationSeconds ?? null;
  return [
    video === null ? null : resolutionTitle(video),
    seconds === null ? null : durationText(seconds),
    sizeText(asset.sizeBytes),
  ]
    .filter((fact) => fact !== null)
    .join(" · ");
}

/** That it goes by itself, and the button that keeps it. */
function expiryNote({ id, expiresAt }: Asset): Html | null {
  if (expiresAt === null) return null;
  return html`<div class="origin">${icon("clock")}<span>Goes into the bin at ${clockText(expiresAt)}</span><form method="post" action="/ui/assets/${id}/keep" hx-post="/ui/assets/${id}/keep" hx-swap="none" hx-sync="this:drop"><button type="submit" class="button">Keep it</button></form></div>`;
}

function originNote(view: AssetView): Html {
  const { origin } = view.asset;
  if (origin.kind === "upload")
    return html`<p class="origin">${icon("upload")}<span>Uploaded</span></p>`;
  if (origin.kind === "import")
    return html`<p class="origin">${icon("link")}<span>From <span hx-ignore>${origin.url}</span></span></p>`;
  const title = view.origin === null ? "a job that was deleted" : view.origin.title;
  const made =
    view.origin === null
      ? html`<span>Made by ${title}</span>`
      : html`<span>Made by <a href="/jobs/${view.origin.jobId}" hx-ignore>${title}</a></span>`;
  return html`<p class="origin">${icon("wand")}${made}</p>`;
}

/** `GET /ui/assets/ID/jobs`. Fetches itself on every `job` event and slowly besides. */
export function assetJobs(assetId: string, jobs: readonly JobEntry[]): Html {
  const list =
    jobs.length === 0
      ? html`<p class="muted none">None yet.</p>`
      : html`<ul class="rows">${jobs.map(jobRow)}</ul>`;
  return html`<div id="asset-jobs" hx-get="/ui/assets/${assetId}/jobs" hx-trigger="job from:body throttle:1s, every 15s" hx-swap="outerMorph" hx-sync="this:queue last" hx-status:4xx="swap:none" hx-status:5xx="swap:none">${list}</div>`;
}

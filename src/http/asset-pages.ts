/** The page of a file and what changes on it: its name, its labels, where it comes from, its jobs. */
import type { Elysia } from "elysia";
import { assetJobs, assetPage } from "../../views/asset.ts";
import { assetGone, assetHead, assetLabels, type HeadView } from "../../views/asset-head.ts";
import { lineage } from "../../views/lineage.ts";
import { isLadder } from "../../views/player.ts";
import type { Asset } from "../assets/asset.ts";
import { cleanName } from "../assets/name.ts";
import { Refusal } from "../trouble.ts";
import { readForm } from "./body.ts";
import { askerOf, route } from "./endpoint.ts";
import { findAsset, findJob, findKept } from "./entries.ts";
import { htmlResponse } from "./headers.ts";
import { assetJobEntries } from "./job-lists.ts";
import { lineageOf } from "./lineage.ts";
import { makeView } from "./make-view.ts";
import { viewerOf } from "./pages.ts";
import type { Parts } from "./parts.ts";
import { isHtmx } from "./visit.ts";

export function mountAssetPages(app: Elysia, parts: Parts): void {
  const { library } = parts;
  route(app, "GET", "/assets/:id", (request, { id = "" }) => {
    const user = viewerOf(parts, request);
    const asset = library.get(user.id, id);
    const { searchParams } = new URL(request.url);
    return htmlResponse(assetPage(user, assetView(parts, user.id, asset, searchParams)));
  });
  route(app, "GET", "/ui/assets/:id/head", (request, { id = "" }) => {
    const asset = library.get(askerOf(request).id, id);
    const editing = new URL(request.url).searchParams.has("rename");
    return htmlResponse(
      assetHead(headOf(parts, asset, editing ? { name: asset.name, conflict: false } : undefined)),
    );
  });
  route(app, "POST", "/ui/assets/:id/name", (request, { id = "" }) => rename(parts, request, id));
  mountLabels(app, parts);
  route(app, "GET", "/ui/assets/:id/lineage", (request, { id = "" }) => {
    const ownerId = askerOf(request).id;
    const asset = library.get(ownerId, id);
    return htmlResponse(lineage(asset, lineageOf(parts, ownerId, asset.id)));
  });
  route(app, "GET", "/ui/assets/:id/jobs", (request, { id = "" }) => {
    const ownerId = askerOf(request).id;
    const asset = library.get(ownerId, id);
    return htmlResponse(assetJobs(asset.id, assetJobEntries(parts, ownerId, asset.id)));
  });
  // What is gone, is gone: this says no more than whether it can come back.
  route(app, "GET", "/ui/assets/:id/gone", (request, { id = "" }) =>
    htmlResponse(assetGone(id, findKept(parts, askerOf(request).id, id)?.state === "binned")),
  );
  route(app, "POST", "/ui/assets/:id/restore", (request, { id = "" }) => {
    const asset = library.restore(askerOf(request).id, id);
    return new Response(null, { status: 303, headers: { location: `/assets/${asset.id}` } });
  });
}

/** The name that the form was opened with must still be the file's: two pages do not overwrite each other unseen. */
async function rename(parts: Parts, request: Request, id: string): Promise<Response> {
  const ownerId = askerOf(request).id;
  const form = await readForm(request);
  const asset = parts.library.get(ownerId, id);
  const name = form.get("name") ?? "";
  const wanted = cleanName(name);
  if (form.get("before") !== asset.name && wanted !== asset.name) {
    return htmlResponse(assetHead(headOf(parts, asset, { name, conflict: true })), 409);
  }
  const renamed = parts.library.change(ownerId, id, { name });
  if (isHtmx(request)) return htmlResponse(assetHead(headOf(parts, renamed)));
  return new Response(null, { status: 303, headers: { location: `/assets/${id}` } });
}

function mountLabels(app: Elysia, parts: Parts): void {
  const { library } = parts;
  const shown = (asset: Asset) => htmlResponse(assetLabels(asset, labelsOf(parts, asset.ownerId)));
  route(app, "GET", "/ui/assets/:id/labels", (request, { id = "" }) =>
    shown(library.get(askerOf(request).id, id)),
  );
  // Adds one or takes one away, whatever the others are by now: there is nothing to overwrite.
  route(app, "POST", "/ui/assets/:id/labels", async (request, { id = "" }) => {
    const ownerId = askerOf(request).id;
    const form = await readForm(request);
    const { labels = [] } = library.get(ownerId, id);
    const [add, remove] = [form.get("add"), form.get("remove")];
    if (add === null && remove === null) {
      throw new Refusal(422, "invalid", "The form names no label.");
    }
    const kept = labels.filter((label) => label !== remove);
    const asset = library.change(ownerId, id, { labels: add === null ? kept : [...kept, add] });
    if (isHtmx(request)) return shown(asset);
    return new Response(null, { status: 303, headers: { location: `/assets/${id}` } });
  });
}

function labelsOf(parts: Parts, ownerId: string): string[] {
  return parts.library.catalogue.labels(ownerId).map(({ name }) => name);
}

function headOf(parts: Parts, asset: Asset, editing?: HeadView["editing"]): HeadView {
  const { binDays } = parts.library.allowances.settings;
  return {
    asset,
    binDays,
    makes: asset.media !== null,
    ...(editing === undefined ? {} : { editing }),
  };
}

function assetView(parts: Parts, ownerId: string, asset: Asset, searchParams: URLSearchParams) {
  const { origin } = asset;
  const job = origin.kind === "job" ? findJob(parts, ownerId, origin.jobId) : null;
  const [source = ""] = job?.inputs ?? [];
  return {
    asset,
    binDays: parts.library.allowances.settings.binDays,
    labels: labelsOf(parts, ownerId),
    origin: job === null ? null : { jobId: job.id, title: job.title },
    make: asset.media === null ? null : makeOf(parts, ownerId, asset, searchParams),
    ladderOf: isLadder(asset) ? findAsset(parts, ownerId, source) : null,
    lineage: lineageOf(parts, ownerId, asset.id),
    jobs: assetJobEntries(parts, ownerId, asset.id),
  };
}

/** What can be made from this file; its address may name what is chosen. */
function makeOf(parts: Parts, ownerId: string, { id }: Asset, searchParams: URLSearchParams) {
  const asked = new URLSearchParams([...searchParams].filter(([name]) => name !== "asset"));
  asked.append("asset", id);
  return makeView(parts, ownerId, asked, { page: "asset", assetId: id });
}

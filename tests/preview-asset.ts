/** For the preview: what the page of a file fetches besides. Small copies are the clip itself; no sheets, no peaks. */

import type { Html } from "../views/html.ts";
import { type LineageView, lineage } from "../views/lineage.ts";
import { assets } from "./preview-samples.ts";

/** One generation up for what a job made, and two down for what was brought. */
export function sampleLineage(made: boolean): LineageView {
  const [first, second, third] = assets;
  if (first === undefined || second === undefined || third === undefined) {
    throw new Error("there are three samples");
  }
  const asked = ["Video codec: H.264", "Quality: 65"];
  const making = { jobId: "jb_1", title: "Transcode", asked };
  if (made) return { from: [{ files: [first], more: 0, making, into: [] }], into: [], more: false };
  const below = { files: [third], more: 0, making, into: [] };
  return { from: [], into: [{ files: [second], more: 2, making, into: [below] }], more: false };
}

/** `/ui/assets/ID/lineage` */
export function lineageFragment(id: string): Html | null {
  const asset = assets.find((candidate) => candidate.id === id);
  return asset === undefined ? null : lineage(asset, sampleLineage(asset.origin.kind === "job"));
}

/** `/api/v1/assets/ID/companions` and below. */
export function companions(path: string, method: string, clip: string): Response | null {
  const [, asset, kind] = /^\/api\/v1\/assets\/(\w+)\/companions(?:\/(\w+))?$/.exec(path) ?? [];
  if (asset === undefined) return null;
  const standing = (of: string) => ({
    ...{ asset, kind: of, state: of === "proxy" ? "ready" : "none", facts: null, problem: null },
    ...{ sizeBytes: 1, progressPercent: null, etaSeconds: null, ahead: 0 },
  });
  if (kind === undefined) {
    return Response.json({ items: ["sprite", "peaks", "proxy"].map(standing) });
  }
  if (method === "POST") return Response.json(standing(kind));
  return new Response(Bun.file(clip), { headers: { "content-type": "video/mp4" } });
}

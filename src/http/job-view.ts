/** One job for its own page, and what of it somebody who helps may read. */
import type { JobView } from "../../views/job.ts";
import { jobReport } from "../../views/job-report.ts";
import { findAsset, jobEntry } from "./entries.ts";
import type { Parts } from "./parts.ts";

/** @throws Refusal 404 `not_found` */
export function jobView(parts: Parts, ownerId: string, id: string): JobView {
  const job = parts.jobs.get(ownerId, id);
  const outputs = job.outputs.map((output) => findAsset(parts, ownerId, output));
  const { places, askers } = parts.jobs.outlook([id]);
  return {
    ...jobEntry(parts, ownerId, job),
    outputs: outputs.filter((asset) => asset !== null),
    history: parts.jobs.history(ownerId, id),
    place: places.get(id) ?? null,
    asker: askers.get(id) ?? null,
    nowMs: parts.clock.nowMs(),
  };
}

/** @throws Refusal 404 `not_found` */
export async function reportText(parts: Parts, ownerId: string, id: string): Promise<string> {
  const job = parts.jobs.get(ownerId, id);
  const assets = job.inputs.map((input) => findAsset(parts, ownerId, input));
  const { version, commit, ffmpeg, devices } = await parts.system();
  return jobReport({
    ...{ job, history: parts.jobs.history(ownerId, id) },
    names: assets.flatMap((asset) => asset?.name ?? []),
    inputs: assets.map((asset) => asset?.media ?? null),
    versions: {
      ...{ kinomill: version, commit, ffmpeg: ffmpeg.version },
      devices: devices.map(({ title }) => title),
    },
  });
}

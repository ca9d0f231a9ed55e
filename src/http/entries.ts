/** From the parts to what the views show: assets and jobs with the words around them. */

import type { JobEntry, NamedAsset } from "../../views/job-words.ts";
import type { Asset } from "../assets/asset.ts";
import type { Job } from "../jobs/job.ts";
import { Refusal } from "../trouble.ts";
import type { Parts } from "./parts.ts";

/** The asset, or null when it was deleted since. */
export function findAsset(parts: Parts, ownerId: string, id: string): Asset | null {
  return orNull(() => parts.library.get(ownerId, id));
}

/** The same, also when it is in the bin. */
export function findKept(parts: Parts, ownerId: string, id: string): Asset | null {
  return orNull(() => parts.library.getKept(ownerId, id));
}

export function findJob(parts: Parts, ownerId: string, id: string): Job | null {
  return orNull(() => parts.jobs.get(ownerId, id));
}

function orNull<T>(look: () => T): T | null {
  try {
    return look();
  } catch (cause) {
    if (cause instanceof Refusal && cause.status === 404) return null;
    throw cause;
  }
}

/** A job for a list: without its outputs, which only its own page shows. */
export function jobEntry(parts: Parts, ownerId: string, job: Job): JobEntry {
  const operation = parts.operations.find(({ name }) => name === job.operation);
  return {
    job,
    operationTitle: operation?.title ?? job.operation,
    inputs: job.inputs.map((id) => namedAsset(findAsset(parts, ownerId, id), id)),
    outputs: [],
  };
}

export function namedAsset(asset: Asset | null, id: string): NamedAsset {
  if (asset === null) return { id, name: null, kind: "video", thumbnail: "none" };
  return { id, name: asset.name, kind: asset.kind, thumbnail: asset.thumbnail };
}

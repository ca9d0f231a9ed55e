/** Where a file comes from and what was made of it, several generations both ways, within limits. */
import type { LineageStep, LineageView, Making } from "../../views/lineage.ts";
import type { Job } from "../jobs/job.ts";
import { spokenParams } from "../operations/spoken-params.ts";
import { findAsset, findJob, namedAsset } from "./entries.ts";
import type { Parts } from "./parts.ts";

/** Generations above a file; older ones stand on the page of the oldest shown. */
const GENERATIONS_UP = 5;
/** Generations below it. */
const GENERATIONS_DOWN = 3;
/** Files below it altogether: each takes a look at its jobs. */
const STEPS_MAX = 30;
/** Files of one job: the rest stands on the job's page. */
const FILES_SHOWN = 3;
/** Jobs of one file, the newest first. */
const JOBS_SHOWN = 10;

export function lineageOf(parts: Parts, ownerId: string, assetId: string): LineageView {
  const budget = { left: STEPS_MAX };
  return {
    from: ancestors(parts, ownerId, assetId),
    into: descendants(parts, ownerId, assetId, { depth: GENERATIONS_DOWN, budget }),
    more: budget.left <= 0,
  };
}

/** The oldest first. Of several inputs the first leads further up. */
function ancestors(parts: Parts, ownerId: string, assetId: string): LineageStep[] {
  const steps: LineageStep[] = [];
  const seen = new Set([assetId]);
  let below = findAsset(parts, ownerId, assetId);
  while (below !== null && below.origin.kind === "job" && steps.length < GENERATIONS_UP) {
    const job = findJob(parts, ownerId, below.origin.jobId);
    if (job === null) break;
    const files = job.inputs.map((id) => namedAsset(findAsset(parts, ownerId, id), id));
    steps.unshift({ ...shown(files), making: makingOf(parts, job), into: [] });
    const [first = ""] = job.inputs;
    below = seen.has(first) ? null : findAsset(parts, ownerId, first);
    seen.add(first);
  }
  return steps;
}

function descendants(
  parts: Parts,
  ownerId: string,
  assetId: string,
  { depth, budget }: { depth: number; budget: { left: number } },
): LineageStep[] {
  if (depth === 0 || budget.left <= 0) return [];
  const filter = { ownerId, limit: JOBS_SHOWN, after: null, assetId };
  const jobs = parts.jobs
    .list({ ...filter, states: ["succeeded"] })
    .items.filter(({ inputs }) => inputs.includes(assetId));
  return jobs.flatMap((job) => {
    const files = job.outputs
      .flatMap((id) => findAsset(parts, ownerId, id) ?? [])
      .map((asset) => namedAsset(asset, asset.id));
    if (files.length === 0 || budget.left <= 0) return [];
    const { files: told, more } = shown(files);
    budget.left -= told.length;
    const into = told.flatMap(({ id }) =>
      descendants(parts, ownerId, id, { depth: depth - 1, budget }),
    );
    return [{ files: told, more, making: makingOf(parts, job), into }];
  });
}

function shown<File>(files: File[]): { files: File[]; more: number } {
  return { files: files.slice(0, FILES_SHOWN), more: Math.max(0, files.length - FILES_SHOWN) };
}

function makingOf(parts: Parts, job: Job): Making {
  const operation = parts.operations.find(({ name }) => name === job.operation);
  return {
    jobId: job.id,
    title: operation?.title ?? job.operation,
    asked: operation === undefined ? [] : spokenParams(operation, job.params),
  };
}

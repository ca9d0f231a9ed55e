/** From a job's request to its plan and its files. The same job is asked about many times before it starts. */
import type { Library } from "../assets/library.ts";
import { expectedBytes } from "../media/expected-bytes.ts";
import type { MediaInfo } from "../media/media.ts";
import { findOperation, parseParams, planFor } from "../operations/index.ts";
import type { Plan, PlanContext } from "../operations/operation.ts";
import { type ProvingMode, provingFor } from "../operations/proving.ts";
import type { Storage } from "../storage/storage.ts";
import { assert } from "../trouble.ts";
import { fingerprintsOf } from "./fingerprints.ts";
import { jobInputs } from "./job-inputs.ts";
import { encodedFor } from "./plan-bytes.ts";
import type { Claim } from "./queue.ts";

export interface Prepared {
  plan: Plan;
  /** Absolute paths of the media among the inputs, by position. */
  assetPaths: string[];
  /** By what the result of each step is known again. */
  fingerprints: ReadonlyMap<string, string>;
  verify: "quick" | "full";
  /** Bytes that its steps are thought to write, all together. */
  expectedBytes: number;
  /** What the media among the inputs are, by position. */
  media: MediaInfo[];
}

export interface PreparationParts {
  library: Library;
  storage: Pick<Storage, "localPath">;
  /** What this box's ffmpeg can do; refuses (503) while it is not known. */
  planContext(): PlanContext;
  /** The ffmpeg at hand, in its own words. Asked only where `planContext` does not refuse. */
  ffmpegVersion(): string;
  /** How outputs are proven where a job does not say. */
  verify: ProvingMode;
}

type Planned = Omit<Prepared, "assetPaths">;

/** Plans kept: somewhat more than the jobs that are looked at in one round. */
const PLANS_MAX = 512;

export class Preparation {
  private readonly parts: PreparationParts;
  private readonly plans = new Map<string, { planned: Planned; context: PlanContext }>();

  constructor(parts: PreparationParts) {
    this.parts = parts;
  }

  /** @throws Refusal when an input is gone, when the media cannot be worked on so, without an ffmpeg */
  prepare(job: Omit<Claim, "fence">): Prepared {
    const inputs = job.inputIds.map((id) => this.parts.library.get(job.ownerId, id));
    const assetPaths = inputs.flatMap(({ id, media }) => {
      if (media === null) return [];
      const path = this.parts.storage.localPath(id);
      assert(path !== null, "this storage has local files");
      return path;
    });
    const context = this.parts.planContext();
    const known = this.plans.get(job.jobId);
    if (known !== undefined && known.context === context) return { ...known.planned, assetPaths };
    const operation = findOperation(job.operation);
    const params = parseParams(operation, job.params);
    const { inputs: planInputs, texts } = jobInputs(inputs, this.parts.library);
    const plan = planFor(operation, params, planInputs, context, texts);
    const verify = job.verify ?? provingFor(operation, params, this.parts.verify);
    const ground = { inputIds: job.inputIds, ffmpeg: this.parts.ffmpegVersion(), verify };
    const media = planInputs.map((input) => input.media);
    const written = plan.steps
      .flatMap((step) => encodedFor(step, plan))
      .reduce((sum, work) => sum + expectedBytes(work, media, "cpu"), 0);
    const fingerprints = fingerprintsOf(plan, ground);
    const planned = { plan, fingerprints, verify, expectedBytes: written, media };
    this.remember(job.jobId, planned, context);
    return { ...planned, assetPaths };
  }

  forget(jobId: string): void {
    this.plans.delete(jobId);
  }

  private remember(jobId: string, planned: Planned, context: PlanContext): void {
    this.plans.set(jobId, { planned, context });
    const oldest = this.plans.keys().next();
    if (this.plans.size > PLANS_MAX && oldest.done !== true) this.plans.delete(oldest.value);
  }
}

/** From a job's request to its plan and its files. The same job is asked about many times before it starts. */
import type { Library } from "../assets/library.ts";
import { expectedBytes } from "../media/expected-bytes.ts";
import type { MediaInfo } from "../media/media.ts";
import { findOperation, parseParams, planFor } from "../operations/index.ts";
import type { Plan, PlanContext } from "../operations/operation.ts";
import { type ProvingMode, provingFor } from "../operations/proving.ts";
import { fingerprintsOf } from "./fingerprints.ts";
import { jobInputs } from "./job-inputs.ts";
import { encodedFor } from "./plan-bytes.ts";
import type { Claim } from "./queue.ts";
import { repeatKeyOf } from "./repeats.ts";

export interface Prepared {
  plan: Plan;
  /** Ids of the media among the inputs, by position. */
  mediaIds: string[];
  /** By what a repeat of the whole is known. */
  repeatKey: string;
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
  /** What this box's ffmpeg can do; refuses (503) while it is not known. */
  planContext(): PlanContext;
  /** The ffmpeg at hand, in its own words. Asked only where `planContext` does not refuse. */
  ffmpegVersion(): string;
  /** How outputs are proven where a job does not say. */
  verify: ProvingMode;
}

/** Plans kept: somewhat more than the jobs that are looked at in one round. */
const PLANS_MAX = 512;

/** Plans of jobs just asked for that are kept until those begin: more do not begin at once. */
const OFFERED_MAX = 64;

/** A plan, and what could be done as it was made: it stands as long as that is the same. */
export interface PlanMade {
  plan: Plan;
  /** As the operation reads them. */
  params: unknown;
  context: PlanContext;
}

export class Preparation {
  private readonly parts: PreparationParts;
  private readonly offered = new Map<string, PlanMade>();
  private readonly plans = new Map<string, { prepared: Prepared; context: PlanContext }>();

  constructor(parts: PreparationParts) {
    this.parts = parts;
  }

  /** @throws Refusal when an input is gone, when the media cannot be worked on so, without an ffmpeg */
  prepare(job: Omit<Claim, "fence">): Prepared {
    const inputs = job.inputIds.map((id) => this.parts.library.get(job.ownerId, id));
    const context = this.parts.planContext();
    const known = this.plans.get(job.jobId);
    if (known !== undefined && known.context === context) return known.prepared;
    const operation = findOperation(job.operation);
    const made = this.take(job.jobId, context);
    const params = made?.params ?? parseParams(operation, job.params);
    const { inputs: planInputs, texts } = jobInputs(inputs, this.parts.library);
    const plan = made?.plan ?? planFor(operation, params, planInputs, context, texts);
    const verify = job.verify ?? provingFor(operation, params, this.parts.verify);
    const bytes = inputs.map(({ sha256 }) => sha256);
    const ground = { inputs: bytes, ffmpeg: this.parts.ffmpegVersion(), verify };
    const media = planInputs.map((input) => input.media);
    const written = plan.steps
      .flatMap((step) => encodedFor(step, plan))
      .reduce((sum, work) => sum + expectedBytes(work, media, "cpu"), 0);
    const fingerprints = fingerprintsOf(plan, ground);
    const repeatKey = repeatKeyOf(plan, fingerprints);
    const mediaIds = inputs.filter((input) => input.media !== null).map(({ id }) => id);
    const prepared = {
      ...{ plan, mediaIds, repeatKey, fingerprints, verify },
      ...{ expectedBytes: written, media },
    };
    keep(this.plans, job.jobId, { prepared, context }, PLANS_MAX);
    return prepared;
  }

  /** The plan that was made as a job was asked for need not be made again if it begins at once. */
  offer(jobId: string, { plan, params, context }: PlanMade): void {
    keep(this.offered, jobId, { plan, params, context }, OFFERED_MAX);
  }

  /** What was offered for this job and still stands; it is asked for once. */
  private take(jobId: string, context: PlanContext): PlanMade | null {
    const made = this.offered.get(jobId);
    this.offered.delete(jobId);
    return made?.context === context ? made : null;
  }

  forget(jobId: string): void {
    this.plans.delete(jobId);
    this.offered.delete(jobId);
  }
}

/** The oldest goes where there are more than `max`. */
function keep<T>(all: Map<string, T>, jobId: string, one: T, max: number): void {
  all.set(jobId, one);
  const oldest = all.keys().next();
  if (all.size > max && oldest.done !== true) all.delete(oldest.value);
}

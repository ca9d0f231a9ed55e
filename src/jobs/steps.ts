/** Runs the steps of a plan one after another. The worker and the command line's `run` share it. */
import type { Device } from "../media/devices.ts";
import type { Progress } from "../media/progress.ts";
import type { Plan, Step, StepOutput } from "../operations/operation.ts";
import type { AttemptOutcome, ProvenOutput, Runner } from "../runners/runner.ts";
import { assert, type FailureReport } from "../trouble.ts";
import type { JobStep } from "./job.ts";

/** An output that the plan declared and the runner proved. */
export interface Finished {
  declared: StepOutput;
  proven: ProvenOutput;
}

export type StepsOutcome =
  | { kind: "done"; finished: Finished[] }
  | { kind: "aborted" }
  | { kind: "failed"; report: FailureReport };

export interface StepsRequest {
  plan: Plan;
  runner: Runner;
  device: Device;
  /** Absolute paths of the input files by position. */
  assetPaths: string[];
  /** Absolute folder for this work; it exists. */
  jobFolder: string;
  verify: "quick" | "full";
  signal: AbortSignal;
  /** Called when a step starts and when it ends, with all steps as they stand now. */
  onStep(steps: readonly JobStep[], changed: JobStep): void;
  /** Progress of the whole plan: `percent` counts every step alike. */
  onProgress(progress: Progress): void;
}

export async function runSteps(request: StepsRequest): Promise<StepsOutcome> {
  const { plan, device } = request;
  const steps = plan.steps.map(pendingStep);
  const finished: Finished[] = [];
  for (const [index, step] of plan.steps.entries()) {
    const shown = steps[index];
    assert(shown !== undefined, "one shown step for each planned step");
    shown.state = "running";
    shown.device = device.id;
    request.onStep(steps, shown);
    const outcome = await request.runner.run({
      device,
      work: step.work,
      assetPaths: request.assetPaths,
      jobFolder: request.jobFolder,
      step: step.name,
      expectations: step.outputs.map(({ expectation }) => expectation),
      verify: request.verify,
      signal: request.signal,
      onProgress: (progress) => {
        const percent = (index * 100 + (progress.percent ?? 0)) / steps.length;
        request.onProgress({ ...progress, percent });
      },
    });
    noteOutcome(shown, outcome);
    request.onStep(steps, shown);
    if (outcome.kind !== "done") return outcome;
    finished.push(...pairOutputs(step, outcome.outputs));
  }
  return { kind: "done", finished };
}

/** A step of a plan before anything ran. */
export function pendingStep(step: { name: string; title: string }): JobStep {
  return {
    name: step.name,
    title: step.title,
    state: "pending",
    device: null,
    deviceReason: null,
    encoder: null,
    checks: [],
  };
}

function noteOutcome(shown: JobStep, outcome: AttemptOutcome): void {
  if (outcome.kind === "done") {
    shown.state = "done";
    shown.deviceReason = outcome.deviceReason;
    shown.encoder = outcome.encoder;
    shown.checks = outcome.outputs.flatMap(({ checks }) => checks);
  } else {
    shown.state = outcome.kind === "failed" ? "failed" : "pending";
  }
}

function pairOutputs(step: Step, outputs: readonly ProvenOutput[]): Finished[] {
  return step.outputs.map((declared) => {
    const proven = outputs.find(({ file }) => file === declared.file);
    assert(proven !== undefined, `the runner proved ${declared.file}`);
    return { declared, proven };
  });
}

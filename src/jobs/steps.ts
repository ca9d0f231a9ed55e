/** Runs the steps of a plan one after another. The worker and the command line's `run` share it. */
import type { Device } from "../media/devices.ts";
import type { GpuFault } from "../media/gpu-fault.ts";
import type { Progress } from "../media/progress.ts";
import type { Plan, Step, StepOutput } from "../operations/operation.ts";
import type { Dispatch, DispatchEvents, Place, StepRun } from "../runners/dispatch.ts";
import type { AttemptOutcome, ProvenOutput } from "../runners/runner.ts";
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
  dispatch: Dispatch;
  /** Place that was taken for the first step; null: it takes one itself. */
  firstPlace: Place | null;
  /** Absolute paths of the input files by position. */
  assetPaths: string[];
  /** Absolute folder for this work; it exists. */
  jobFolder: string;
  verify: "quick" | "full";
  signal: AbortSignal;
  /** Called when a step starts, waits, moves and ends, with all steps as they stand now. */
  onStep(steps: readonly JobStep[], changed: JobStep): void;
  /** Called when an attempt ended by a fault of its device; another one follows. */
  onFault(device: Device, report: FailureReport, fault: GpuFault): void;
  /** Progress of the whole plan: `percent` counts every step alike. */
  onProgress(progress: Progress): void;
}

export async function runSteps(request: StepsRequest): Promise<StepsOutcome> {
  const { plan, dispatch } = request;
  const steps = plan.steps.map(pendingStep);
  const finished: Finished[] = [];
  let place = request.firstPlace;
  for (const [index, step] of plan.steps.entries()) {
    const shown = steps[index];
    assert(shown !== undefined, "one shown step for each planned step");
    const tell = () => request.onStep(steps, shown);
    const run = stepRun(request, step, (progress) => {
      const percent = (index * 100 + (progress.percent ?? 0)) / steps.length;
      request.onProgress({ ...progress, percent });
    });
    const outcome = await dispatch.carryOut(run, place, eventsOf(request, shown, tell));
    place = null;
    noteOutcome(shown, outcome);
    tell();
    if (outcome.kind !== "done") return outcome;
    finished.push(...pairOutputs(step, outcome.outputs));
  }
  return { kind: "done", finished };
}

function stepRun(
  request: StepsRequest,
  step: Step,
  onProgress: (progress: Progress) => void,
): StepRun {
  const { assetPaths, jobFolder, verify, signal } = request;
  const expectations = step.outputs.map(({ expectation }) => expectation);
  const { name, work } = step;
  return { work, assetPaths, jobFolder, step: name, expectations, verify, signal, onProgress };
}

function eventsOf(request: StepsRequest, shown: JobStep, tell: () => void): DispatchEvents {
  return {
    onPlaced: ({ device, why }) => {
      shown.state = "running";
      shown.device = device.id;
      shown.deviceReason = why === "" ? null : why;
      tell();
    },
    onWait: (sentence) => {
      shown.deviceReason = sentence;
      tell();
    },
    onFault: request.onFault,
  };
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
    proof: null,
    checks: [],
  };
}

function noteOutcome(shown: JobStep, outcome: AttemptOutcome): void {
  if (outcome.kind === "done") {
    shown.state = "done";
    shown.deviceReason = outcome.deviceReason;
    shown.encoder = outcome.encoder;
    shown.proof = outcome.proof;
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

/** What happens to the steps of a plan while they are carried out: noted in the database, or only shown. */
import type { Device } from "../media/devices.ts";
import type { GpuFault } from "../media/gpu-fault.ts";
import type { Step } from "../operations/operation.ts";
import type { Place } from "../runners/dispatch.ts";
import type { AttemptOutcome, ProvenOutput } from "../runners/runner.ts";
import type { FailureReport } from "../trouble.ts";
import type { JobStep } from "./job.ts";

export type DoneOutcome = AttemptOutcome & { kind: "done" };

/** What was proven of the outputs, and what the step tells of itself. */
export function checksOf({ outputs, checks = [] }: DoneOutcome): string[] {
  return [...outputs.flatMap((output) => output.checks), ...checks];
}

export interface StepBook {
  /**
   * Outputs of an earlier run of this step that can stand; null: it has to run. Asked once, when something needs
   * the step, before its own needs are met.
   */
  reuse(step: Step): Promise<ProvenOutput[] | null>;
  /** An attempt begins here. False: the work is not ours any more. */
  begin(step: Step, place: Place): boolean;
  /** Nothing of the plan runs, and this step waits; why. */
  wait(step: Step, sentence: string): void;
  /** The attempt ended by a fault of its device; another follows. */
  fault(step: Step, device: Device, report: FailureReport, fault: GpuFault): void;
  /** It is done: its outputs, kept as long as they may be needed. Null: the work is not ours any more. */
  finish(step: Step, outcome: DoneOutcome): Promise<ProvenOutput[] | null>;
  fail(step: Step): void;
  /** It was stopped; that is no failure. */
  stop(step: Step): void;
}

/** Keeps nothing: shows each change to whoever watches. */
export class ShownSteps implements StepBook {
  private readonly steps = new Map<string, JobStep>();
  private readonly onChange: (changed: JobStep) => void;
  private readonly onFault: (device: Device, fault: GpuFault) => void;

  constructor(
    onChange: (changed: JobStep) => void,
    onFault: (device: Device, fault: GpuFault) => void,
  ) {
    this.onChange = onChange;
    this.onFault = onFault;
  }

  private change({ name, title }: Step, change: Partial<JobStep>): void {
    const before = this.steps.get(name) ?? pendingStep(name, title);
    const after = { ...before, ...change };
    this.steps.set(name, after);
    this.onChange(after);
  }

  reuse(_step: Step): Promise<ProvenOutput[] | null> {
    return Promise.resolve(null);
  }

  begin(step: Step, { device, why }: Place): boolean {
    const deviceReason = why === "" ? null : why;
    this.change(step, { state: "running", device: device.id, deviceReason });
    return true;
  }

  wait(step: Step, sentence: string): void {
    this.change(step, { deviceReason: sentence });
  }

  fault(step: Step, device: Device, _report: FailureReport, fault: GpuFault): void {
    this.change(step, { state: "pending" });
    this.onFault(device, fault);
  }

  finish(step: Step, outcome: DoneOutcome): Promise<ProvenOutput[]> {
    const { deviceReason, encoder, proof, outputs } = outcome;
    const checks = checksOf(outcome);
    this.change(step, { state: "done", deviceReason, encoder, proof, checks });
    return Promise.resolve(outputs);
  }

  fail(step: Step): void {
    this.change(step, { state: "failed" });
  }

  stop(step: Step): void {
    this.change(step, { state: "pending" });
  }
}

function pendingStep(name: string, title: string): JobStep {
  const nowhere = { device: null, deviceReason: null, encoder: null, proof: null };
  return { name, title, state: "pending", ...nowhere, checks: [] };
}

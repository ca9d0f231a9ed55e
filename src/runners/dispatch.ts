/**
 * From a step to a device: takes a place for it, runs it there, and when a GPU fails goes on to the next
 * place: another GPU, the same after a while, the CPU. A fault of a GPU costs time, not the job.
 */
import type { StepWork } from "../media/description.ts";
import type { Device, Toolchain } from "../media/devices.ts";
import type { GpuFault } from "../media/gpu-fault.ts";
import type { FailureReport } from "../trouble.ts";
import { ATTEMPTS_MAX, afterFault, BUSY_MAX, faultReport, withWhy } from "./after-fault.ts";
import type { GpuPool } from "./gpu-pool.ts";
import { lendWhilePaused, pausedWait, waitAWhile } from "./patience.ts";
import {
  type Choice,
  choicesFor,
  type History,
  noHistory,
  onCpuByWish,
  type Preview,
  wantsGpu,
} from "./places.ts";
import type { AttemptOutcome, AttemptRequest, Runner } from "./runner.ts";
import type { Reservation, Shortage, Slots } from "./slots.ts";

export interface DispatchParts {
  runner: Runner;
  slots: Slots;
  gpus: GpuPool;
  cpu: Device;
  toolchain(): Toolchain;
  /** What becomes of a step that a GPU could encode when none can. */
  whenNone: "cpu" | "wait";
  /** Has the load of the GPUs sampled until it is called off; called while a run uses one. */
  watchGpus?: () => () => void;
  /** Milliseconds before a busy GPU is asked again, by the number of times that it was. */
  busyDelayMs?: (times: number) => number;
}

/** A place that was taken for a step. Give it back with `release`. */
export interface Place extends Choice {
  reservation: Reservation;
  /** Why it is not a GPU, a plain sentence; "" when it is, or when nothing is encoded. */
  why: string;
}

/** No place now. `absent`: no device of the box can do it, which only a change of the box ends. */
export interface Wait {
  kind: "busy" | "absent";
  sentence: string;
}

/** One step to carry out: an attempt without its device. */
export type StepRun = Omit<
  AttemptRequest,
  "device" | "avoided" | "memoryFreeBytes" | "onRendered"
> & {
  /** The device that a person wants; absent or null: wherever it fits. */
  onlyOn?: "cpu" | null;
};

export interface DispatchEvents {
  /** A run begins here. */
  onPlaced(place: Place): void;
  /** Nothing runs; why. */
  onWait(sentence: string): void;
  /** An attempt ended by a fault of its GPU, and another follows. */
  onFault(device: Device, report: FailureReport, fault: GpuFault): void;
}

/** A step that waits inside a running job looks this often, should nobody wake it. */
const LOOK_AGAIN_MS = 5_000;

/** A step of a running job that has no place. */
interface Waiter {
  job: object;
  look(): void;
}

const doublingDelayMs = (times: number) => 1000 * 2 ** (times - 1);

export class Dispatch {
  private readonly parts: DispatchParts;
  private readonly listeners = new Set<() => void>();
  /** Steps of running jobs that have no place, the oldest first. */
  private readonly waiters = new Set<Waiter>();
  /** Places that each running job holds. */
  private readonly holding = new Map<object, number>();
  /** Places that were taken so far. */
  private takenCount = 0;
  /** Whether the last place went to a step of a job that had begun. */
  private begunWasLast = false;
  private telling = false;
  /** True while nothing new may start. */
  private closedBecause: string | null = null;

  constructor(parts: DispatchParts) {
    this.parts = parts;
    parts.gpus.onChange(() => this.tellFree());
  }

  /** Called when a place may be free again. Returns the end of the subscription. */
  onFree(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Lets nothing start, with the sentence that waiting jobs show; null opens it again. */
  close(because: string | null): void {
    this.closedBecause = because;
    this.tellFree();
  }

  /** Takes the best place that is free now. */
  place(work: StepWork, history: History = noHistory): Place | Wait {
    if (this.closedBecause !== null) return { kind: "busy", sentence: this.closedBecause };
    const { gpus, cpu, toolchain, slots } = this.parts;
    const devices = gpus.devices();
    const box = { cpu, gpus: devices, toolchain: toolchain() };
    const choices = choicesFor(work, box, history);
    const undecided = this.undecided(work, choices.gpus, history);
    if (undecided !== null) return undecided;
    const shortages: Shortage[] = [];
    for (const choice of this.leastUsedFirst(choices.gpus)) {
      const taken = slots.take(choice.device, choice.need);
      if ("takenAtMs" in taken) return this.taken({ ...choice, reservation: taken, why: "" });
      shortages.push(taken);
    }
    const why = this.whyNotGpu(work, { ...choices, shortages, history });
    const wait = history.byWish ? null : this.waitForGpu(work, choices.gpus, shortages, why);
    if (wait !== null) return wait;
    const taken = slots.take(cpu, choices.cpu.need);
    if ("takenAtMs" in taken) return this.taken({ ...choices.cpu, reservation: taken, why });
    return { kind: "busy", sentence: taken.sentence };
  }

  private taken(place: Place): Place {
    this.takenCount += 1;
    return place;
  }

  /** Where the step would go if all were free, and how many like it side by side; takes nothing. */
  preview(work: StepWork, history: History = noHistory): Preview {
    const { gpus, cpu, toolchain, slots } = this.parts;
    const choices = choicesFor(
      work,
      { cpu, gpus: gpus.devices(), toolchain: toolchain() },
      history,
    );
    const gpu = this.leastUsedFirst(choices.gpus)[0];
    if (gpu !== undefined) {
      const encodes = gpu.placement.encode === "nvenc";
      const reason = encodes
        ? `Would be encoded on ${gpu.device.title}.`
        : `Would be decoded on ${gpu.device.title} and encoded on the CPU.`;
      const atOnce = choices.gpus.length;
      return { device: gpu.device, reason, placement: gpu.placement, atOnce };
    }
    const why = this.whyNotGpu(work, { ...choices, shortages: [], history });
    const { placement, need } = choices.cpu;
    const reason = `Would run on ${cpu.title}. ${why}`.trim();
    return { device: cpu, reason, placement, atOnce: slots.cpuAtOnce(need) };
  }

  /** Something outside changed: whoever waits looks again. */
  lookAgain(): void {
    this.tellFree();
  }

  release(place: Place): void {
    this.parts.slots.release(place.reservation);
    this.tellFree();
  }

  /**
   * Runs a step where there is a place, first at `place` when one was taken already.
   * @param job whose step it is: steps of one job name the same object
   */
  async carryOut(
    step: StepRun,
    place: Place | null,
    events: DispatchEvents,
    job: object = step,
  ): Promise<AttemptOutcome> {
    let history = step.onlyOn === "cpu" ? onCpuByWish : noHistory;
    let busyTimes = 0;
    let next = place;
    if (place !== null) this.hold(job, 1);
    for (let attempt = 1; ; attempt += 1) {
      const here = next ?? (await this.waitForPlace(step, history, events, job));
      next = null;
      if (here === null) return { kind: "aborted" };
      this.begin(here, events, job);
      const outcome = await this.runAt(step, here, history, job);
      const fault = outcome.kind === "failed" ? outcome.fault : null;
      if (outcome.kind !== "failed" || fault === null || attempt >= ATTEMPTS_MAX) {
        return withWhy(outcome, here, history);
      }
      this.noteFault(here, fault);
      if (fault.reaction === "later") busyTimes += 1;
      history = afterFault(history, here, fault, busyTimes);
      events.onFault(here.device, faultReport(here.device, outcome.report, fault), fault);
      if (fault.reaction === "later" && busyTimes <= BUSY_MAX) {
        events.onWait(`${here.device.title} is busy: ${fault.sentence} It is asked again soon.`);
        const delayMs = (this.parts.busyDelayMs ?? doublingDelayMs)(busyTimes);
        if (!(await waitAWhile(step.signal, delayMs, (look) => this.onFree(look))))
          return { kind: "aborted" };
      }
    }
  }

  private begin(place: Place, events: DispatchEvents, job: object): void {
    try {
      events.onPlaced(place);
    } catch (cause) {
      this.hold(job, -1);
      this.release(place);
      throw cause;
    }
  }

  private async runAt(
    step: StepRun,
    place: Place,
    history: History,
    job: object,
  ): Promise<AttemptOutcome> {
    const { device } = place;
    const { runner, gpus } = this.parts;
    const uuid = device.traits?.uuid;
    const memoryFreeBytes = uuid === undefined ? null : gpus.memoryFreeBytes(uuid);
    const unwatch = uuid === undefined ? undefined : this.parts.watchGpus?.();
    let held = true;
    const giveBack = () => {
      if (!held) return;
      held = false;
      this.hold(job, -1);
      this.release(place);
    };
    const keepPlace = lendWhilePaused(step.rest, place.reservation, this.parts.slots, () =>
      this.tellFree(),
    );
    // A GPU has the next job while the CPU proves this one's output; the CPU does both itself, but for a glance at packets.
    const atOnce = uuid !== undefined || step.work.kind === "chunk";
    const onRendered = atOnce ? giveBack : () => {};
    try {
      return await runner.run({
        ...step,
        onRendered,
        device,
        avoided: history.avoided,
        memoryFreeBytes,
      });
    } finally {
      keepPlace();
      unwatch?.();
      giveBack();
    }
  }

  private hold(job: object, change: 1 | -1): void {
    const places = (this.holding.get(job) ?? 0) + change;
    if (places === 0) this.holding.delete(job);
    else this.holding.set(job, places);
  }

  private noteFault({ device }: Place, fault: GpuFault): void {
    const uuid = device.traits?.uuid;
    if (fault.reaction === "device-out" && uuid !== undefined) this.parts.gpus.suspend(uuid, fault);
    if (fault.shortage === "sessions") this.parts.slots.noteSessionLimit();
  }

  /** Fewest jobs first, then fewest sessions: several GPUs fill evenly. */
  private leastUsedFirst(choices: readonly Choice[]): Choice[] {
    const used = choices.map((choice) => ({ choice, use: this.parts.slots.use(choice.device) }));
    return used
      .toSorted((a, b) => a.use.jobs - b.use.jobs || a.use.sessions - b.use.sessions)
      .map(({ choice }) => choice);
  }

  /** A GPU that is not tried yet may be the one that encodes it; being tried takes a second or two. */
  private undecided(work: StepWork, gpus: readonly Choice[], history: History): Wait | null {
    const encodes = gpus.some(({ placement }) => placement.encode === "nvenc");
    if (encodes || history.cpuOnly || !wantsGpu(work)) return null;
    const sentence = this.parts.gpus.undecided();
    return sentence === null ? null : { kind: "busy", sentence };
  }

  private waitForGpu(
    work: StepWork,
    gpus: readonly Choice[],
    shortages: readonly Shortage[],
    why: string,
  ): Wait | null {
    const encodes = gpus.some(({ placement }) => placement.encode === "nvenc");
    const busy = shortages.find(({ kind }) => kind === "busy");
    if (encodes && busy !== undefined) return { kind: "busy", sentence: busy.sentence };
    if (encodes || !wantsGpu(work) || this.parts.whenNone === "cpu") return null;
    return { kind: "absent", sentence: `No GPU can encode it. ${why}`.trim() };
  }

  private whyNotGpu(
    work: StepWork,
    found: { because: string; shortages: readonly Shortage[]; history: History },
  ): string {
    if (!wantsGpu(work)) return "";
    const { history, because, shortages } = found;
    if (history.sentences.length > 0) return history.sentences.join(" ");
    const never = shortages.find(({ kind }) => kind === "never");
    return never?.sentence ?? (because === "" ? this.parts.gpus.whyNone() : because);
  }

  /**
   * Null when it was aborted. Waits as long as a queued job would: what ends it is a free place. Whose turn it is,
   * `offer` says.
   */
  private async waitForPlace(
    step: StepRun,
    history: History,
    events: DispatchEvents,
    job: object,
  ): Promise<Place | null> {
    if (step.signal.aborted) return null;
    const { promise, resolve } = Promise.withResolvers<Place | null>();
    let told = "";
    const look = () => {
      const found = step.rest?.paused ? pausedWait : this.place(step.work, history);
      if ("reservation" in found) {
        this.waiters.delete(waiter);
        this.hold(job, 1);
        resolve(found);
      } else if (found.sentence !== told) {
        told = found.sentence;
        events.onWait(told);
      }
    };
    const waiter = { job, look };
    const stop = () => {
      this.waiters.delete(waiter);
      resolve(null);
    };
    this.waiters.add(waiter);
    step.signal.addEventListener("abort", stop, { once: true });
    const timer = setInterval(() => this.tellFree(), LOOK_AGAIN_MS);
    const unfollow = step.rest?.follow(() => this.tellFree());
    try {
      // A job that goes on takes the place of its step that ended before anybody else looks.
      if (this.holding.has(job)) this.tellFree();
      else look();
      return await promise;
    } finally {
      clearInterval(timer);
      unfollow?.();
      this.waiters.delete(waiter);
      step.signal.removeEventListener("abort", stop);
    }
  }

  /** A moment later: the job whose step ended here takes its next place before others may. */
  private tellFree(): void {
    if (this.telling) return;
    this.telling = true;
    setImmediate(() => {
      this.telling = false;
      this.offer();
    });
  }

  /**
   * Jobs that have begun and hold no place come first, in their order. Then jobs that have not begun and further
   * steps of those that hold one already take turns: one long job uses all places that nobody else wants, and never
   * more than every other one of those that somebody does.
   */
  private offer(): void {
    const waiting = [...this.waiters];
    const further = waiting.filter(({ job }) => this.holding.has(job));
    const first = this.takenCount;
    for (const waiter of waiting) if (!further.includes(waiter)) waiter.look();
    const before = this.takenCount;
    if (before > first) this.begunWasLast = true;
    if (!this.begunWasLast) {
      for (const waiter of further) {
        waiter.look();
        if (this.takenCount > before) break;
      }
    }
    const between = this.takenCount;
    for (const listener of [...this.listeners]) listener();
    if (this.takenCount > between) this.begunWasLast = false;
    else if (between > before) this.begunWasLast = true;
    for (const waiter of further) if (this.waiters.has(waiter)) waiter.look();
  }
}

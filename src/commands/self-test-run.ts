/**
 * The self-test beside a server that works: each device makes the film of `kinomill selftest` while it has a place free,
 * as a job would, and nothing of a job's is taken for it. What came of it is kept in the data folder.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { TestedView } from "../../views/self-test.ts";
import { type Clock, isoTime } from "../clock.ts";
import type { Config } from "../config.ts";
import type { SelfTestReport, SelfTestState } from "../http/parts.ts";
import type { WorkFigures } from "../jobs/figures.ts";
import {
  fullExtent,
  placedWork,
  prepareTrial,
  quickExtent,
  type Trial,
  tryDevice,
} from "../jobs/self-test.ts";
import type { Log } from "../log.ts";
import type { Device, Toolchain } from "../media/devices.ts";
import type { Dispatch } from "../runners/dispatch.ts";
import { choicesFor, noHistory } from "../runners/places.ts";
import type { Reservation, Slots } from "../runners/slots.ts";
import { Failure, Refusal } from "../trouble.ts";
import { keepReport, keptReport } from "./self-test-file.ts";

/** For one device, however many sessions; then it counts as hanging. */
const DEVICE_LIMIT_MS = 300_000;

/** Past its limit ffmpeg is killed. Stuck inside the driver it lives on; then nobody waits for it. */
const KILL_GRACE_MS = 8_000;

export interface SelfTestRunParts {
  config: Config;
  clock: Clock;
  log: Log;
  slots: Slots;
  dispatch: Pick<Dispatch, "lookAgain">;
  figures: Pick<WorkFigures, "note">;
  toolchain(): Toolchain;
  /** The CPU, and the GPUs in service. */
  devices(): readonly Device[];
}

export class SelfTestRun {
  private readonly parts: SelfTestRunParts;
  private readonly abort = new AbortController();
  private running: { done: Promise<void>; beganAt: string } | null = null;
  private last: SelfTestReport | null;

  constructor(parts: SelfTestRunParts) {
    this.parts = parts;
    this.last = keptReport(parts.config.data);
  }

  state(): SelfTestState {
    return { runningSince: this.running?.beganAt ?? null, last: this.last };
  }

  /** Begins; `onEnd` is called when it is over. @throws Refusal 409 `busy` while one runs, 503 without ffmpeg */
  start(onEnd: () => void, quick: boolean): void {
    if (this.running !== null) {
      throw new Refusal(409, "busy", "A self-test is running already. Wait for its end.");
    }
    const toolchain = this.parts.toolchain();
    const done = this.testAll(toolchain, quick)
      .catch((cause: unknown) => this.parts.log.error({ err: cause }, "the self-test broke off"))
      .finally(() => {
        this.running = null;
        onEnd();
      });
    this.running = { done, beganAt: isoTime(this.parts.clock.nowMs()) };
  }

  /** Ends what runs; resolves when its ffmpeg is gone. */
  async close(): Promise<void> {
    this.abort.abort();
    await this.running?.done;
  }

  /** What came of it is told when its film is gone: who sees the end finds nothing left of it. */
  private async testAll(toolchain: Toolchain, quick: boolean): Promise<void> {
    const { config, log } = this.parts;
    const folder = join(config.data, "selftest");
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const report = await this.testIn(folder, toolchain, quick).finally(() =>
      rm(folder, { recursive: true, force: true }).catch((cause: unknown) =>
        log.warn({ err: cause }, "the film of the self-test could not be removed"),
      ),
    );
    if (report !== null) this.keep(report);
  }

  /** Null when the server stops. */
  private async testIn(
    folder: string,
    toolchain: Toolchain,
    quick: boolean,
  ): Promise<SelfTestReport | null> {
    const { config, clock } = this.parts;
    try {
      const parts = { config, toolchain, folder, signal: this.abort.signal };
      const trial = await prepareTrial(parts, quick ? quickExtent : fullExtent);
      const devices: TestedView[] = [];
      for (const device of this.parts.devices()) {
        const tested = await this.testOne(parts, trial, device, quick);
        if (tested === null) return null;
        devices.push(tested);
      }
      return { at: isoTime(clock.nowMs()), problem: null, devices };
    } catch (cause) {
      if (!(cause instanceof Failure)) throw cause;
      const { message, hint } = cause.report;
      return { at: isoTime(clock.nowMs()), problem: `${message} ${hint}`.trim(), devices: [] };
    }
  }

  private keep(report: SelfTestReport): void {
    this.last = report;
    try {
      keepReport(this.parts.config.data, report);
    } catch (cause) {
      this.parts.log.warn({ err: cause }, "what the self-test found could not be kept");
    }
  }

  /** First one session alone, then as many as there are places. Null when the server stops. */
  private async testOne(
    parts: Parameters<typeof tryDevice>[0],
    trial: Trial,
    device: Device,
    quick: boolean,
  ): Promise<TestedView | null> {
    const { id, title } = device;
    const taken = this.takePlaces(trial, device, parts.toolchain, quick ? 1 : device.slots);
    if ("sentence" in taken) {
      const nothing = { framesPerSecond: null, realtimeFactor: null, encoder: null, sessions: 0 };
      return { id, title, result: "skipped", ...nothing, sentence: taken.sentence, remedy: null };
    }
    try {
      const begunMs = performance.now();
      const alone = await limited(parts, trial, device, 1);
      const seconds = (performance.now() - begunMs) / 1000;
      if (alone === null) return null;
      const more = alone.ok && taken.length > 1;
      const all = more ? await limited(parts, trial, device, taken.length) : alone;
      if (all === null) return null;
      if (alone.ok && !quick) this.note(trial, device, parts.toolchain, seconds);
      const { sessions, framesPerSecond, realtimeFactor, encoder, sentence, remedy } = all;
      const result = all.ok ? "ok" : "failed";
      return {
        ...{ id, title, result, sessions, framesPerSecond, realtimeFactor, encoder },
        ...{ sentence, remedy },
      };
    } finally {
      for (const place of taken) this.parts.slots.release(place);
      this.parts.dispatch.lookAgain();
    }
  }

  /** The places that are free on it, or why there is none. */
  private takePlaces(
    { step }: Trial,
    device: Device,
    toolchain: Toolchain,
    most: number,
  ): Reservation[] | { sentence: string } {
    const isGpu = device.traits !== undefined;
    const box = { cpu: device, gpus: isGpu ? [device] : [], toolchain };
    const choices = choicesFor(step.work, box, noHistory);
    const choice = isGpu ? choices.gpus[0] : choices.cpu;
    if (choice === undefined) return { sentence: "It encodes no H.264." };
    const places: Reservation[] = [];
    while (places.length < most) {
      const taken = this.parts.slots.take(device, choice.need);
      if (!("takenAtMs" in taken)) return places.length > 0 ? places : taken;
      places.push(taken);
    }
    return places;
  }

  /** The estimates learn from it too. */
  private note(trial: Trial, device: Device, toolchain: Toolchain, seconds: number): void {
    this.parts.figures.note(placedWork(trial, device, toolchain), { seconds, bytes: null });
  }
}

/** What takes too long has failed. Null when the server stops. */
async function limited(
  parts: Parameters<typeof tryDevice>[0],
  trial: Trial,
  device: Device,
  sessions: number,
) {
  const signal = AbortSignal.any([parts.signal, AbortSignal.timeout(DEVICE_LIMIT_MS)]);
  const patience = Promise.withResolvers<null>();
  const timer = setTimeout(() => patience.resolve(null), DEVICE_LIMIT_MS + KILL_GRACE_MS);
  const trying = tryDevice({ ...parts, signal }, trial, device, sessions);
  const done = await Promise.race([trying, patience.promise]);
  clearTimeout(timer);
  if (done !== null || parts.signal.aborted) return done;
  const nothing = { framesPerSecond: null, realtimeFactor: null, encoder: null, decoder: null };
  return {
    ...{ ok: false, sessions, ...nothing },
    sentence: `It did not end within ${DEVICE_LIMIT_MS / 1000} s.`,
    remedy: "See what hangs or is busy: nvidia-smi; top; sudo dmesg | tail -50",
  };
}

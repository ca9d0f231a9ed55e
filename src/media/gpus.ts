/**
 * The GPUs of this box as they are known now. Looking and trying take seconds, and for ever on a sick
 * GPU: the server listens first, this goes on behind it.
 */
import { type Clock, systemClock } from "../clock.ts";
import type { Device, Toolchain } from "./devices.ts";
import { type GpuState, gpuState, lookingState } from "./gpu.ts";
import type { GpuFault } from "./gpu-fault.ts";
import { probeGpu, type SkillVerdict } from "./gpu-probe.ts";
import type { GpuSkill } from "./gpu-skill.ts";
import { GpuSuspensions } from "./gpu-suspension.ts";
import {
  type Inventory,
  type InventoryOptions,
  type NvidiaGpu,
  takeInventory,
} from "./nvidia-smi.ts";

/** GPUs come, go and fill up; an answer that is older starts another look. */
const LOOK_AGAIN_MS = 30_000;

/** Each nvidia-smi that hangs inside the driver may stay there until the machine restarts: few of them. */
const TROUBLE_AGAIN_MS = 300_000;

export interface GpusOptions {
  inventory?: InventoryOptions;
  /** For one probe. */
  probeLimitSeconds?: number;
  /** UUIDs or numbers of GPUs that are not used. */
  leaveAlone?: readonly string[];
  /** Jobs that one GPU takes at the same time. */
  maxJobs?: number;
  /** Tries these alone; all when absent. */
  skills?: readonly GpuSkill[];
  clock?: Clock;
}

export class Gpus {
  private readonly options: GpusOptions;
  private readonly clock: Clock;
  private readonly suspensions: GpuSuspensions;
  /** By UUID, driver and ffmpeg: what a GPU can do does not change without one of them. */
  private readonly verdicts = new Map<string, SkillVerdict[]>();
  private readonly listeners = new Set<() => void>();
  private readonly timers = new Set<Timer>();
  private readonly closing = new AbortController();
  private inventory: Inventory | null = null;
  private toolchain: Toolchain | null = null;
  private look: Promise<void> | null = null;
  private lookedAtMs = 0;

  constructor(options: GpusOptions = {}) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.suspensions = new GpuSuspensions(this.clock);
  }

  /** Looks for GPUs and tries them with this ffmpeg; resolves when all are known. Never rejects. */
  open(toolchain: Toolchain): Promise<void> {
    this.toolchain = toolchain;
    this.look ??= this.lookOnce(toolchain).finally(() => {
      this.look = null;
      this.lookedAtMs = this.clock.monotonicMs();
      this.tell();
    });
    return this.look;
  }

  /** As known now. What is old is looked at again, behind this answer. */
  state(): GpuState {
    this.lookAgainWhenOld();
    const { toolchain, inventory } = this;
    if (inventory === null || toolchain === null) return lookingState;
    return gpuState(inventory, (gpu) => ({
      verdicts: this.verdicts.get(keyOf(gpu, toolchain)) ?? null,
      fault: this.suspensions.faultOf(gpu.uuid),
      tryAgainAt: this.suspensions.tryAgainAt(gpu.uuid),
      leftAlone: this.isLeftAlone(gpu),
    }));
  }

  /** GPUs in service that can encode or decode something, by their numbers. */
  devices(): Device[] {
    const { maxJobs = 1 } = this.options;
    const state = this.state();
    const names = Map.groupBy(state.gpus, ({ title }) => title);
    return state.gpus
      .filter(({ inService }) => inService)
      .map(({ id, uuid, title, computeCapability, memoryTotalBytes, abilities }) => ({
        id,
        kind: "gpu" as const,
        title: (names.get(title)?.length ?? 0) > 1 ? `${title} ${id}` : title,
        slots: maxJobs,
        traits: {
          uuid,
          computeCapability,
          memoryTotalBytes,
          skills: abilities
            .filter((ability) => ability.state === "can")
            .map(({ work, codec, bitDepth }) => ({ work, codec, bitDepth })),
          lacking: abilities.flatMap(({ work, codec, bitDepth, because }) =>
            because === null ? [] : [{ skill: { work, codec, bitDepth }, because }],
          ),
        },
      }));
  }

  /** A sentence while some GPU is not tried yet; null when all are known. */
  undecided(): string | null {
    return this.state().kind === "looking" && this.toolchain !== null
      ? "Kinomill is still finding out what the GPUs of this machine can do."
      : null;
  }

  /** Why no GPU is in service, a plain sentence; "" when one is. */
  whyNone(): string {
    const state = this.state();
    if (state.gpus.some(({ inService }) => inService)) return "";
    if (state.gpus.length === 0) return state.sentence.replace(" Jobs are encoded on the CPU.", "");
    return state.gpus.map(({ title, sentence }) => `${title}: ${sentence}`).join(" ");
  }

  /** Takes a GPU out of service until a probe on it succeeds. */
  suspend(uuid: string, fault: GpuFault): void {
    const delayMs = this.suspensions.suspend(uuid, fault);
    this.forget(uuid);
    this.tell();
    this.openAfter(delayMs);
  }

  /** Tries a GPU that is out of service now, and does not wait for its time. False when it is in service. */
  tryAgain(uuid: string): boolean {
    if (this.suspensions.faultOf(uuid) === null) return false;
    if (this.suspensions.hurry(uuid)) {
      this.forget(uuid);
      this.tell();
      this.openAfter(0);
    }
    return true;
  }

  /** Looks for GPUs again, and tries what may have passed. Resolves when all are known; never rejects. */
  async lookAgain(): Promise<void> {
    if (this.toolchain !== null && !this.closing.signal.aborted) await this.open(this.toolchain);
  }

  private forget(uuid: string): void {
    for (const key of this.verdicts.keys()) {
      if (key.startsWith(`${uuid} `)) this.verdicts.delete(key);
    }
  }

  private openAfter(delayMs: number): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      if (this.toolchain === null || this.closing.signal.aborted) return;
      // A look that began before the fault may have passed this GPU already.
      const toolchain = this.toolchain;
      void Promise.resolve(this.look).then(() => this.open(toolchain));
    }, delayMs);
    this.timers.add(timer);
  }

  /** Called when a GPU comes, goes, or is known better. Returns the end of the subscription. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Ends all probes; resolves when none runs. */
  async close(): Promise<void> {
    this.closing.abort();
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    await this.look;
  }

  private tell(): void {
    if (this.closing.signal.aborted) return;
    for (const listener of [...this.listeners]) listener();
  }

  private isLeftAlone({ uuid, index }: NvidiaGpu): boolean {
    const { leaveAlone = [] } = this.options;
    return leaveAlone.some((name) => name === String(index) || uuid.startsWith(name));
  }

  private lookAgainWhenOld(): void {
    const { toolchain, inventory } = this;
    const againMs = inventory?.kind === "trouble" ? TROUBLE_AGAIN_MS : LOOK_AGAIN_MS;
    const old = this.clock.monotonicMs() - this.lookedAtMs > againMs;
    if (toolchain !== null && old && !this.closing.signal.aborted) void this.open(toolchain);
  }

  private async lookOnce(toolchain: Toolchain): Promise<void> {
    const { signal } = this.closing;
    const inventory = await takeInventory({ ...this.options.inventory, signal });
    if (inventory === null) return;
    this.inventory = inventory;
    if (inventory.kind !== "gpus") return;
    this.tell();
    await Promise.all(inventory.gpus.map((gpu) => this.tryGpu(gpu, toolchain)));
  }

  /** Several GPUs are tried at the same time, the codecs of each one after another. */
  private async tryGpu(gpu: NvidiaGpu, toolchain: Toolchain): Promise<void> {
    const key = keyOf(gpu, toolchain);
    const known = isSettled(this.verdicts.get(key));
    if (known || this.isLeftAlone(gpu) || this.suspensions.waits(gpu.uuid)) return;
    const { probeLimitSeconds: limitSeconds, skills } = this.options;
    const found = await probeGpu(gpu, toolchain, {
      signal: this.closing.signal,
      ...(limitSeconds === undefined ? {} : { limitSeconds }),
      ...(skills === undefined ? {} : { skills }),
    });
    if (found === null) return;
    this.verdicts.set(key, found);
    const good = found.some(({ verdict }) => verdict.state === "can");
    if (good) this.suspensions.reinstate(gpu.uuid);
    else if (this.suspensions.faultOf(gpu.uuid) !== null) {
      this.forget(gpu.uuid);
      this.openAfter(this.suspensions.keepOut(gpu.uuid));
    }
    this.tell();
  }
}

function keyOf({ uuid, driver }: NvidiaGpu, { version }: Toolchain): string {
  return `${uuid} ${driver} ${version}`;
}

/** A busy GPU, and one whose trouble may pass, is tried again; the rest stays as it is. */
function isSettled(verdicts: SkillVerdict[] | undefined): boolean {
  if (verdicts === undefined) return false;
  return verdicts.every(
    ({ verdict }) => verdict.state === "can" || (verdict.state === "cannot" && !verdict.again),
  );
}

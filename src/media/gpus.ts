/**
 * The GPUs of this box as they are known now. Looking and trying take seconds, and for ever on a sick
 * GPU: the server listens first, this goes on behind it.
 */
import type { Toolchain } from "./devices.ts";
import { type GpuState, gpuState, lookingState } from "./gpu.ts";
import { probeGpu, type SkillVerdict } from "./gpu-probe.ts";
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
}

export class Gpus {
  private readonly options: GpusOptions;
  /** By UUID, driver and ffmpeg: what a GPU can do does not change without one of them. */
  private readonly verdicts = new Map<string, SkillVerdict[]>();
  private readonly closing = new AbortController();
  private inventory: Inventory | null = null;
  private toolchain: Toolchain | null = null;
  private look: Promise<void> | null = null;
  private lookedAtMs = 0;

  constructor(options: GpusOptions = {}) {
    this.options = options;
  }

  /** Looks for GPUs and tries them with this ffmpeg; resolves when all are known. Never rejects. */
  open(toolchain: Toolchain): Promise<void> {
    this.toolchain = toolchain;
    this.look ??= this.lookOnce(toolchain).finally(() => {
      this.look = null;
      this.lookedAtMs = performance.now();
    });
    return this.look;
  }

  /** As known now. What is old is looked at again, behind this answer. */
  state(): GpuState {
    const { toolchain, inventory } = this;
    const againMs = inventory?.kind === "trouble" ? TROUBLE_AGAIN_MS : LOOK_AGAIN_MS;
    const old = performance.now() - this.lookedAtMs > againMs;
    if (toolchain !== null && old && !this.closing.signal.aborted) void this.open(toolchain);
    if (inventory === null || toolchain === null) return lookingState;
    return gpuState(inventory, (gpu) => this.verdicts.get(keyOf(gpu, toolchain)) ?? null);
  }

  /** Ends all probes; resolves when none runs. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.look;
  }

  private async lookOnce(toolchain: Toolchain): Promise<void> {
    const { signal } = this.closing;
    const inventory = await takeInventory({ ...this.options.inventory, signal });
    if (inventory === null) return;
    this.inventory = inventory;
    if (inventory.kind !== "gpus") return;
    for (const gpu of inventory.gpus) {
      const key = keyOf(gpu, toolchain);
      if (isSettled(this.verdicts.get(key))) continue;
      const { probeLimitSeconds: limitSeconds } = this.options;
      const found = await probeGpu(gpu, toolchain, {
        signal,
        ...(limitSeconds === undefined ? {} : { limitSeconds }),
      });
      if (found === null) return;
      this.verdicts.set(key, found);
    }
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

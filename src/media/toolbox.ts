/**
 * The ffmpeg of this box as it is known now. Looking takes a moment, so the server listens first and
 * looks behind that; a box without ffmpeg runs too, says so, and looks again until there is one. What the
 * start before found holds until this one has looked.
 */
import { Failure, type FailureReport, Refusal } from "../trouble.ts";
import type { Toolchain } from "./devices.ts";

export type ToolboxState =
  | { kind: "detecting" }
  | { kind: "ready"; toolchain: Toolchain }
  | { kind: "missing"; report: FailureReport };

/** Somebody who reads "install ffmpeg" and does it sees it work this soon, without a restart. */
const LOOK_AGAIN_MS = 15_000;

/** What is remembered is looked at again when the first jobs have begun: a look takes a second of the processor. */
const LOOK_BEHIND_MS = 5_000;

/** Looks in a row that fail before a program that is still the same file is taken for broken. */
const DOUBTS_MAX = 3;

/** What earlier starts found. */
export interface ToolMemory {
  recall(): Toolchain | null;
  keep(toolchain: Toolchain): void;
}

const noMemory: ToolMemory = { recall: () => null, keep: () => {} };

export class Toolbox {
  private readonly detect: () => Promise<Toolchain>;
  private current: ToolboxState = { kind: "detecting" };
  private timer: Timer | null = null;
  private closed = false;
  private onReady: ((toolchain: Toolchain) => void) | null = null;
  private told = false;
  /** Looks in a row that found nothing. */
  private doubts = 0;
  private readonly memory: ToolMemory;
  private readonly behindMs: number;

  /** @param behindMs after which what was remembered is looked at again */
  constructor(
    detect: () => Promise<Toolchain>,
    memory: ToolMemory = noMemory,
    behindMs = LOOK_BEHIND_MS,
  ) {
    this.detect = detect;
    this.memory = memory;
    this.behindMs = behindMs;
  }

  get state(): ToolboxState {
    return this.current;
  }

  /**
   * Looks until ffmpeg is found; resolves after the first look, or at once when it is remembered. `onReady` is
   * called once, when found.
   */
  async open(onReady: (toolchain: Toolchain) => void): Promise<void> {
    this.onReady = onReady;
    const remembered = this.memory.recall();
    if (remembered === null) return await this.look(onReady);
    this.found(remembered, onReady);
    this.lookLater(onReady, this.behindMs);
  }

  /** Looks once more, and resolves when that is done. */
  async lookNow(): Promise<void> {
    const { onReady } = this;
    if (onReady === null || this.closed) return;
    if (this.timer !== null) clearTimeout(this.timer);
    await this.look(onReady).catch(() => this.lookLater(onReady, LOOK_AGAIN_MS));
  }

  private async look(onReady: (toolchain: Toolchain) => void): Promise<void> {
    try {
      const toolchain = await this.detect();
      this.doubts = 0;
      this.memory.keep(toolchain);
      this.found(toolchain, onReady);
    } catch (cause) {
      if (!(cause instanceof Failure)) throw cause;
      this.doubts += 1;
      // On a busy box a program may not answer in time that works well.
      const unchanged = this.current.kind === "ready" && this.memory.recall() !== null;
      if (!unchanged || this.doubts >= DOUBTS_MAX) {
        this.current = { kind: "missing", report: cause.report };
      }
      this.lookLater(onReady, LOOK_AGAIN_MS);
    }
  }

  /** The same one stays the same value: plans that were made for it stand. */
  private found(toolchain: Toolchain, onReady: (toolchain: Toolchain) => void): void {
    const known =
      this.current.kind === "ready" && Bun.deepEquals(this.current.toolchain, toolchain);
    if (!known) this.current = { kind: "ready", toolchain };
    if (this.closed || this.told) return;
    this.told = true;
    onReady(toolchain);
  }

  private lookLater(onReady: (toolchain: Toolchain) => void, delayMs: number): void {
    if (this.closed) return;
    const again = () => this.lookLater(onReady, LOOK_AGAIN_MS);
    this.timer = setTimeout(() => void this.look(onReady).catch(again), delayMs);
  }

  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }

  /** @throws Refusal 503 `starting` or `tool_missing`, with what to do */
  toolchain(): Toolchain {
    if (this.current.kind === "ready") return this.current.toolchain;
    if (this.current.kind === "missing") {
      const { message, hint } = this.current.report;
      throw new Refusal(503, "tool_missing", `${message} ${hint}`.trim());
    }
    throw new Refusal(503, "starting", "Kinomill is starting and looks at its ffmpeg. Try again.", {
      headers: { "Retry-After": "1" },
    });
  }
}

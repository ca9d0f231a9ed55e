/**
 * The ffmpeg of this box as it is known now. Looking takes a moment, so the server listens first and
 * looks behind that; a box without ffmpeg runs too, says so, and looks again until there is one.
 */
import { Failure, type FailureReport, Refusal } from "../trouble.ts";
import type { Toolchain } from "./devices.ts";

export type ToolboxState =
  | { kind: "detecting" }
  | { kind: "ready"; toolchain: Toolchain }
  | { kind: "missing"; report: FailureReport };

/** Somebody who reads "install ffmpeg" and does it sees it work this soon, without a restart. */
const LOOK_AGAIN_MS = 15_000;

export class Toolbox {
  private readonly detect: () => Promise<Toolchain>;
  private current: ToolboxState = { kind: "detecting" };
  private timer: Timer | null = null;
  private closed = false;

  constructor(detect: () => Promise<Toolchain>) {
    this.detect = detect;
  }

  get state(): ToolboxState {
    return this.current;
  }

  /** Looks until ffmpeg is found; resolves after the first look. `onReady` is called once, when found. */
  async open(onReady: (toolchain: Toolchain) => void): Promise<void> {
    try {
      const toolchain = await this.detect();
      this.current = { kind: "ready", toolchain };
      if (!this.closed) onReady(toolchain);
    } catch (cause) {
      if (!(cause instanceof Failure)) throw cause;
      this.current = { kind: "missing", report: cause.report };
      if (!this.closed) this.timer = setTimeout(() => void this.open(onReady), LOOK_AGAIN_MS);
    }
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

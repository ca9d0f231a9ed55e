/** Tells every open stream what the devices do, and has the GPUs sampled only while one is open. */
import { SAMPLE_INTERVAL_MS } from "../media/gpu-load.ts";
import type { Parts } from "./parts.ts";

/** Where no sample comes: no GPU, or a driver that hangs. A little more, so that a sample goes first. */
const SILENCE_MS = SAMPLE_INTERVAL_MS + 500;

type Watched = Pick<Parts, "gpuLoad">;

export class DeviceWatch {
  private readonly parts: Watched;
  private readonly silenceMs: number;
  private readonly listeners = new Set<() => void>();
  private timer: Timer | undefined;
  private letGo: () => void = () => undefined;

  constructor(parts: Watched, silenceMs = SILENCE_MS) {
    this.parts = parts;
    this.silenceMs = silenceMs;
  }

  /** Calls the listener after each sample, or when none came for a while. Returns what ends it. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    if (this.listeners.size === 1) this.begin();
    return () => {
      if (this.listeners.delete(listener) && this.listeners.size === 0) this.end();
    };
  }

  private begin(): void {
    const unlisten = this.parts.gpuLoad.onSample(() => this.tell());
    const release = this.parts.gpuLoad.watch();
    this.letGo = () => {
      unlisten();
      release();
    };
    this.timer = setTimeout(() => this.tell(), this.silenceMs);
  }

  private end(): void {
    clearTimeout(this.timer);
    this.letGo();
  }

  private tell(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(), this.silenceMs);
    // A listener may end itself, and with it the last subscription, while it is told.
    for (const listener of [...this.listeners]) listener();
  }
}

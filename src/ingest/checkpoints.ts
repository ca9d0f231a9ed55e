import type { PartFile } from "./part-file.ts";

/** What a power cut may cost, beside what has to be sent again. */
const CHECKPOINT_EVERY_MS = 2_000;

/** Makes what has arrived durable every now and then, while more arrives. */
export class Checkpoints {
  private readonly part: PartFile;
  private readonly note: (durableBytes: number) => void;
  private readonly timer: Timer;
  private running: Promise<void> | null = null;
  private lastBytes: number;

  /** @param note is told how much is durable */
  constructor(part: PartFile, note: (durableBytes: number) => void) {
    this.part = part;
    this.note = note;
    this.lastBytes = part.sizeBytes;
    this.timer = setInterval(() => this.make(), CHECKPOINT_EVERY_MS);
  }

  private make(): void {
    if (this.running !== null || this.part.sizeBytes === this.lastBytes) return;
    this.lastBytes = this.part.sizeBytes;
    this.running = this.part
      .checkpoint()
      .then(this.note)
      // A disk that fails says so to the next write, too.
      .catch(() => undefined)
      .finally(() => {
        this.running = null;
      });
  }

  /** Makes no more; resolves when none is under way. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }
}

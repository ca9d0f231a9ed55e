/**
 * One request at a time works on an upload. Who comes later asks the one before to stop, because that one is often a
 * connection that broke and has not noticed; it stops between two blocks, and nothing of what it had written is lost.
 */
import { Refusal } from "../trouble.ts";

/** Longer than a block takes on a slow disk; whoever waits longer is told to try again. */
const HANDOVER_MS = 10_000;

interface Holder {
  stop(cause: Refusal): void;
  released: Promise<void>;
}

export class UploadLocks {
  private readonly holders = new Map<string, Holder>();
  private readonly handoverMs: number;

  constructor(handoverMs = HANDOVER_MS) {
    this.handoverMs = handoverMs;
  }

  isHeld(uploadId: string): boolean {
    return this.holders.has(uploadId);
  }

  /**
   * Takes the upload over.
   * @param stop is called when somebody else wants it
   * @returns what gives it free; calling it twice is fine
   * @throws Refusal 423 `locked` when the one before does not let go in time
   */
  async acquire(uploadId: string, stop: (cause: Refusal) => void): Promise<() => void> {
    const deadline = Promise.withResolvers<"late">();
    const timer = setTimeout(() => deadline.resolve("late"), this.handoverMs);
    try {
      for (;;) {
        const holder = this.holders.get(uploadId);
        if (holder === undefined) return this.hold(uploadId, stop);
        holder.stop(takenOver());
        const outcome = await Promise.race([holder.released, deadline.promise]);
        if (outcome === "late") throw lockedUpload();
      }
    } finally {
      clearTimeout(timer);
    }
  }

  private hold(uploadId: string, stop: (cause: Refusal) => void): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const holder = { stop, released: promise };
    this.holders.set(uploadId, holder);
    return () => {
      if (this.holders.get(uploadId) === holder) this.holders.delete(uploadId);
      resolve();
    };
  }
}

const retryAfter = { headers: { "Retry-After": "2" } };

function takenOver(): Refusal {
  const sentence =
    "Another request goes on with this upload. Ask with HEAD how far it is before you send more.";
  return new Refusal(423, "locked", sentence, retryAfter);
}

/** Refusal 423 for an upload that is busy: tus clients ask again by themselves. */
export function lockedUpload(why = "This upload is busy. Ask again in a moment."): Refusal {
  return new Refusal(423, "locked", why, retryAfter);
}

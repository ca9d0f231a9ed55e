/** Signs of life of a run of ffmpeg. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Progress } from "./progress.ts";

/** Files of a job's folder that are looked at; a ladder has hundreds of segments. */
const watchedFilesLimit = 512;

/**
 * Whether a run moves. Progress counts; when it is silent, a change among the files that it writes
 * counts too, because moving the index to the front of a large MP4 takes minutes without a word.
 */
export class Movement {
  private readonly stallMs: number;
  private readonly folder: string;
  private seen = "";
  private movedAtMs = performance.now();
  private files: string | null = null;

  /** @param folder absolute; the files of the run lie in it */
  constructor(stallSeconds: number, folder: string) {
    this.stallMs = stallSeconds * 1000;
    this.folder = folder;
  }

  see(progress: Progress): void {
    const mark = `${progress.outputSeconds} ${progress.sizeBytes} ${progress.frame}`;
    if (mark !== this.seen) this.moved();
    this.seen = mark;
  }

  /** True when nothing moved for the whole time; call it several times in that time. */
  async stalled(): Promise<boolean> {
    const silentMs = performance.now() - this.movedAtMs;
    if (silentMs < this.stallMs / 2) return false;
    const before = this.files;
    if (before === null) {
      this.files = await fileMarks(this.folder);
      return false;
    }
    if (silentMs < this.stallMs) return false;
    if ((await fileMarks(this.folder)) !== before) {
      this.moved();
      return false;
    }
    // Progress may have come in while the folder was read.
    return performance.now() - this.movedAtMs >= this.stallMs;
  }

  /** It was stopped on purpose: that is no stall. */
  rest(): void {
    this.moved();
  }

  private moved(): void {
    this.movedAtMs = performance.now();
    this.files = null;
  }
}

async function fileMarks(folder: string): Promise<string> {
  const names = (await readdir(folder).catch(() => [])).slice(0, watchedFilesLimit);
  const marks = await Promise.all(
    names.map(async (name) => {
      const status = await stat(join(folder, name)).catch(() => null);
      return status === null ? "" : `${name} ${status.size} ${status.mtimeMs}`;
    }),
  );
  return marks.join("\n");
}

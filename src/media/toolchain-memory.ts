/**
 * What the ffmpeg of this box can do, kept from one start to the next: to ask it means to start it six times, more than a
 * second of the processor before the first job. What is kept holds while both programs are the same files.
 */
import { readFileSync, realpathSync, renameSync, statSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { systemClock } from "../clock.ts";
import type { Toolchain } from "./devices.ts";

const keptSchema = z.object({
  /** Of both programs, in the order of the settings. */
  files: z.string(),
  version: z.string(),
  release: z.object({ major: z.int(), minor: z.int() }),
  encoders: z.array(z.string()),
  decoders: z.array(z.string()),
  filters: z.array(z.string()),
  hwaccels: z.array(z.string()),
});

export interface ToolPaths {
  ffmpegPath: string;
  ffprobePath: string;
}

export class ToolchainMemory {
  private readonly file: string;
  private readonly paths: ToolPaths;
  private readonly believedMs: number;

  /**
   * @param file absolute path of what is kept
   * @param believedMs after which it counts as unknown; for whoever does not look again behind it
   */
  constructor(file: string, paths: ToolPaths, believedMs = Number.POSITIVE_INFINITY) {
    this.file = file;
    this.paths = paths;
    this.believedMs = believedMs;
  }

  /** What was found of these very programs; null when nothing is known of them. */
  recall(): Toolchain | null {
    try {
      if (Math.abs(systemClock.nowMs() - statSync(this.file).mtimeMs) > this.believedMs)
        return null;
      const kept = keptSchema.parse(JSON.parse(readFileSync(this.file, "utf8")));
      const [ffmpegPath, ffprobePath] = this.found();
      if (kept.files !== identityOf([ffmpegPath, ffprobePath])) return null;
      return {
        ...{ ffmpegPath, ffprobePath, version: kept.version, release: kept.release },
        ...{ encoders: new Set(kept.encoders), decoders: new Set(kept.decoders) },
        ...{ filters: new Set(kept.filters), hwaccels: new Set(kept.hwaccels) },
      };
    } catch {
      // Nothing is kept, or it is no use: whoever asks looks for itself.
      return null;
    }
  }

  /** Keeps it for the next start. A disk that takes nothing costs that start a second. */
  keep(toolchain: Toolchain): void {
    const { version, release, encoders, decoders, filters, hwaccels } = toolchain;
    try {
      const files = identityOf([toolchain.ffmpegPath, toolchain.ffprobePath]);
      const kept: z.infer<typeof keptSchema> = {
        ...{ files, version, release, encoders: [...encoders], decoders: [...decoders] },
        ...{ filters: [...filters], hwaccels: [...hwaccels] },
      };
      const aside = `${this.file}.part`;
      writeFileSync(aside, JSON.stringify(kept), { mode: 0o600 });
      renameSync(aside, this.file);
    } catch {
      // Nothing was promised.
    }
  }

  private found(): [ffmpegPath: string, ffprobePath: string] {
    const { ffmpegPath, ffprobePath } = this.paths;
    const [ffmpeg, ffprobe] = [Bun.which(ffmpegPath), Bun.which(ffprobePath)];
    if (ffmpeg === null || ffprobe === null) throw new Error("a program is not there");
    return [ffmpeg, ffprobe];
  }
}

/** Changes when a program is installed anew: path, size, time and number of the file. */
function identityOf(paths: readonly string[]): string {
  return paths
    .map((path) => {
      const { size, mtimeMs, ino } = statSync(realpathSync(path));
      return [path, size, mtimeMs, ino].join(":");
    })
    .join(" ");
}

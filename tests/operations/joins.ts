/** What is seen and heard at the joins of a long encode, next to one pass and next to its source. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Seams } from "../../src/media/seams.ts";
import { assert } from "../../src/trouble.ts";
import type { Made } from "./workshop.ts";

/** The frames with which all chunks but the first begin, of a film whose rate is constant. */
export function joinsOf({ folder, plan }: Made): number[] {
  const join = plan.steps.flatMap(({ work }) => (work.kind === "join" ? [work] : []))[0];
  assert(join !== undefined, "it was made in chunks");
  const { chunks } = JSON.parse(readFileSync(pathOf(folder, join.seams), "utf8")) as Seams;
  return chunks.filter(({ frames }) => frames > 0).flatMap(({ firstSlot }) => firstSlot || []);
}

function pathOf(folder: string, { step, file }: { step: string; file: string }): string {
  return join(folder, step, file);
}

/** Mean square error of the luma of each frame against the one of another file that comes at its place. */
export function errors(path: string, reference: string, skip = 0): number[] {
  const aside =
    skip === 0 ? "[0:v]" : `[0:v]trim=start_frame=${skip},setpts=PTS-STARTPTS[late];[late]`;
  const compared = `${aside}[1:v]psnr=stats_file=-:shortest=1`;
  const argv = ["-v", "error", "-i", path, "-i", reference, "-lavfi", compared, "-f", "null", "-"];
  const { stdout } = Bun.spawnSync(["ffmpeg", "-nostdin", ...argv]);
  return [...stdout.toString().matchAll(/mse_y:([\d.]+)/g)].map(([, error]) => Number(error));
}

/** PSNR of so many frames together, in dB of eight bits. */
export function psnrDb(errorsOf: readonly number[]): number {
  const mean = errorsOf.reduce((sum, error) => sum + error, 0) / errorsOf.length;
  return 10 * Math.log10(255 ** 2 / mean);
}

/** Bytes of all packets of a picture. */
export function pictureBytes(path: string): number {
  const argv = ["-select_streams", "v:0", "-show_entries", "packet=size", "-of", "csv=p=0"];
  const { stdout } = Bun.spawnSync(["ffprobe", "-v", "error", ...argv, path]);
  return stdout
    .toString()
    .split("\n")
    .reduce((sum, line) => sum + Number.parseInt(line || "0", 10), 0);
}

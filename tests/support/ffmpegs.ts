/** The ffmpeg processes of one appliance, while a test looks on. */
import { readdirSync } from "node:fs";
import { readFile, readlink } from "node:fs/promises";

/** Ids of the ffmpeg processes that work inside this folder. */
export async function ffmpegsIn(folder: string): Promise<number[]> {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const found: number[] = [];
  for (const pid of pids) {
    const program = await readlink(`/proc/${pid}/exe`).catch(() => "");
    const argv = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (/ffmpeg$/.test(program) && argv.includes(folder)) found.push(Number(pid));
  }
  return found;
}

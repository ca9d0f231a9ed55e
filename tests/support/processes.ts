/** Looking at this machine's processes, and waiting on conditions with a deadline. */
import { readdirSync, readFileSync } from "node:fs";

/** How often a condition is looked at; short against every deadline that tests set. */
const lookEveryMs = 20;

/** Resolves with the first value that is neither false nor null; throws after the deadline. */
export async function until<T>(
  what: string,
  look: () => T | false | null | Promise<T | false | null>,
  deadlineMs = 10_000,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await look();
    if (value !== false && value !== null) return value;
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await Bun.sleep(lookEveryMs);
  }
}

export interface RunningProcess {
  pid: number;
  /** Name of the executable as the kernel has it. */
  name: string;
}

/** Processes (no zombies) whose command line holds the marker, this one left out. */
export function processesNaming(marker: string): RunningProcess[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((entry) => {
      try {
        const line = readFileSync(`/proc/${entry}/cmdline`, "utf8");
        const name = readFileSync(`/proc/${entry}/comm`, "utf8").trim();
        return line.includes(marker) ? [{ pid: Number(entry), name }] : [];
      } catch {
        return [];
      }
    });
}

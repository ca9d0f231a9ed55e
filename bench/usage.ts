/** What processes use, read from /proc. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** The kernel counts CPU time in hundredths of a second on every Linux that Bun runs on. */
const TICKS_PER_SECOND = 100;

/** CPU seconds, user and system, of a process and the children that it waited for. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in brackets may hold blanks; the fields after it are counted from the third.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = [11, 12].reduce((sum, index) => sum + Number(fields[index]), 0);
  return ticks / TICKS_PER_SECOND;
}

/** CPU seconds of a process and its living children. */
export function treeCpuSeconds(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, one) => sum + cpuSeconds(one), 0);
}

export function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8")
      .split(" ")
      .filter((text) => text !== "")
      .map(Number),
  );
}

function statusBytes(pid: number, key: "VmRSS" | "VmHWM"): number {
  const line = new RegExp(`^${key}:\\s+(\\d+) kB$`, "m").exec(
    readFileSync(`/proc/${pid}/status`, "utf8"),
  );
  return Number(line?.[1]) * 1024;
}

export const residentBytes = (pid: number) => statusBytes(pid, "VmRSS");

/** Highest resident size since the start or the last `forgetPeak`. */
export const peakResidentBytes = (pid: number) => statusBytes(pid, "VmHWM");

/** 5 is the kernel's word for "reset the peak". */
export const forgetPeak = (pid: number) => writeFileSync(`/proc/${pid}/clear_refs`, "5");

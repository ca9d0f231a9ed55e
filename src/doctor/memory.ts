/** The memory that Kinomill and its ffmpegs may use: of the machine, or what a container or service was given of it. */
import { readFileSync } from "node:fs";
import { sizeText } from "../../views/quantities.ts";
import type { Finding } from "./finding.ts";

/** A 4K encode with its look-ahead takes one, a picture of 8K another; the server and the system want theirs. */
const LITTLE_BYTES = 2e9;

export interface Memory {
  /** Of the machine; null where the kernel does not say. */
  totalBytes: number | null;
  /** What this process may use of it; null where there is no limit. */
  limitBytes: number | null;
}

export function memoryFindings(): Finding[] {
  return memoryFinding(readMemory("/proc/meminfo", "/proc/self/cgroup", "/sys/fs/cgroup"));
}

/** Pure. */
export function memoryFinding({ totalBytes, limitBytes }: Memory): Finding[] {
  const usable = Math.min(
    totalBytes ?? Number.POSITIVE_INFINITY,
    limitBytes ?? Number.POSITIVE_INFINITY,
  );
  if (!Number.isFinite(usable)) return [];
  const common = { id: "memory", title: "Memory" };
  const limited = limitBytes !== null && limitBytes < (totalBytes ?? Number.POSITIVE_INFINITY);
  const meaning = limited
    ? `Kinomill and its ffmpegs may use ${sizeText(usable)} of memory, which is a limit that the container or the service has.`
    : `The machine has ${sizeText(usable)} of memory.`;
  if (usable >= LITTLE_BYTES) return [{ ...common, level: "ok", meaning, remedy: null }];
  const remedy = limited
    ? "Raise it: for the service, MemoryMax= after systemctl edit kinomill — for a container, start it with a larger --memory."
    : "Give the machine more memory, or keep to films of 1080p.";
  const little = `${meaning} An encode of 4K needs more, and is killed when there is none.`;
  return [{ ...common, level: "warning", meaning: little, remedy }];
}

/** @param groups where the kernel says in which control group this process is, @param folder of control groups, version 2 */
export function readMemory(information: string, groups: string, folder: string): Memory {
  const [, kilobytes] = /^MemTotal: +(\d+) kB/m.exec(textOf(information)) ?? [];
  const [, group = ""] = /^0::(\/\S*)$/m.exec(textOf(groups)) ?? [];
  const limits = levelsOf(group).flatMap((level) => {
    const limit = textOf(`${folder}${level}/memory.max`).trim();
    return /^\d+$/.test(limit) ? [Number(limit)] : [];
  });
  return {
    totalBytes: kilobytes === undefined ? null : Number(kilobytes) * 1024,
    limitBytes: limits.length === 0 ? null : Math.min(...limits),
  };
}

/** The group and all above it: each may limit what is inside. `/a/b` → "/a/b", "/a", "". */
function levelsOf(group: string): string[] {
  const parts = group.split("/").filter((part) => part !== "" && part !== "..");
  return parts.map((_, count) => `/${parts.slice(0, count + 1).join("/")}`).concat("");
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

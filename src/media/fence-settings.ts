/**
 * What the installation adds to every fence. It is set once for the whole process, as the environment is
 * that it widens: handed from call to call it would stand in the signature of everything that comes near
 * ffmpeg, and one caller that forgot it would fail only on the machines that need it.
 */
import type { Config } from "../config.ts";

/** The three settings of `ffmpeg` in the configuration; they are checked there. */
export type FenceSettings = Pick<
  Config["ffmpeg"],
  "passEnvironment" | "sandboxRead" | "sandboxWrite"
>;

const nothing: FenceSettings = { passEnvironment: [], sandboxRead: [], sandboxWrite: [] };

let current: FenceSettings = nothing;

/** For whoever has read the configuration, before the first ffmpeg. Null takes everything back. */
export function configureFence(settings: FenceSettings | null): void {
  current = settings ?? nothing;
}

/** Nothing is added until somebody says so. */
export function fenceSettings(): FenceSettings {
  return current;
}

/** Whether the variable is among the names; `NVFAKE_*` means every name that begins so. */
export function isPassed(name: string, names: readonly string[]): boolean {
  return names.some((passed) =>
    passed.endsWith("*") ? name.startsWith(passed.slice(0, -1)) : name === passed,
  );
}

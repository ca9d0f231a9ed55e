/** The ffmpeg that a command of one run works with. */
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import type { Config } from "../config.ts";
import { processEnvironment } from "../environment.ts";
import { detectToolchain, type Toolchain } from "../media/devices.ts";
import { ToolchainMemory } from "../media/toolchain-memory.ts";
import { product } from "../product.ts";

/** A wrapper that stays the same file may start another ffmpeg: no longer than a day is it believed. */
const believedMs = 86_400_000;

/**
 * What an earlier run of a command found of the same two programs, or what they say now: to ask them is six starts,
 * most of what a short job takes.
 * @throws Failure `tool_missing`
 */
export async function toolchainOf({ ffmpeg }: Config): Promise<Toolchain> {
  const paths = { ffmpegPath: ffmpeg.path, ffprobePath: ffmpeg.ffprobePath };
  const file = join(cacheFolder(), product.name, "toolchain.json");
  const memory = new ToolchainMemory(file, paths, believedMs);
  const remembered = memory.recall();
  if (remembered !== null) return remembered;
  const toolchain = await detectToolchain(paths);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    memory.keep(toolchain);
  } catch {
    // A home that nobody may write to: the next run asks again.
  }
  return toolchain;
}

/** By the XDG base directories, where a relative path counts as none. */
function cacheFolder(): string {
  const { XDG_CACHE_HOME: named = "" } = processEnvironment();
  return isAbsolute(named) ? named : join(homedir(), ".cache");
}

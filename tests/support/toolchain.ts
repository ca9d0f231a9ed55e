/** What the ffmpeg of this machine can do, asked once in a run of the tests: to ask is six starts of it. */
import { join } from "node:path";
import { detectToolchain, type Toolchain } from "../../src/media/devices.ts";
import { ToolchainMemory } from "../../src/media/toolchain-memory.ts";
import { sharedFolder } from "./shared.ts";

const paths = { ffmpegPath: "ffmpeg", ffprobePath: "ffprobe" };
const memory = new ToolchainMemory(join(sharedFolder, "toolchain.json"), paths);

async function asked(): Promise<Toolchain> {
  const toolchain = await detectToolchain(paths);
  memory.keep(toolchain);
  return toolchain;
}

export const toolchain = memory.recall() ?? (await asked());

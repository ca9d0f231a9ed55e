/** `kinomill doctor`: looks at this box and says, for each finding, what to type. */
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Finding } from "../doctor/finding.ts";
import { findingsOf, worstOf } from "../doctor/findings.ts";
import { detectToolchain, type Toolchain } from "../media/devices.ts";
import { type GpuState, waitingForFfmpeg } from "../media/gpu.ts";
import { Gpus, type GpusOptions } from "../media/gpus.ts";
import { Failure } from "../trouble.ts";
import { exitCodes } from "./exit.ts";
import type { CommonOptions } from "./program.ts";
import { configOf } from "./settings.ts";
import { secretStateIn } from "./vault.ts";

/** Answers with 1 when something keeps Kinomill from working; warnings do not count. */
export async function doctor(options: CommonOptions & { json?: boolean }): Promise<number> {
  const config = await configOf(options);
  const findings = await foundBy(config);
  if (options.json) console.log(JSON.stringify(findings, null, 2));
  else for (const finding of findings) console.log(findingLine(finding));
  return worstOf(findings) === "fault" ? exitCodes.failed : exitCodes.done;
}

/** Looks at everything, as a command may. */
export async function foundBy(config: Config): Promise<Finding[]> {
  const toolchain = await detect(config);
  const gpus = toolchain instanceof Failure ? waitingForFfmpeg : await triedGpus(toolchain);
  const box = {
    config,
    clock: systemClock,
    toolchain,
    gpus,
    asker: "command" as const,
    secrets: secretStateIn(config),
    sinceMs: null,
  };
  return await findingsOf(box);
}

/** "poor  data      The data folder lies on tmpfs, …": the part is what stands before the dot of the id. */
function findingLine({ id, level, meaning, remedy }: Finding): string {
  const mark = { ok: "ok  ", warning: "poor", fault: "BAD " }[level];
  const [part = ""] = id.split(".");
  return `${mark}  ${part.padEnd(10)}${[meaning, remedy ?? ""].join(" ").trim()}`;
}

function detect({ ffmpeg }: Config): Promise<Toolchain | Failure> {
  const paths = { ffmpegPath: ffmpeg.path, ffprobePath: ffmpeg.ffprobePath };
  return detectToolchain(paths).catch((cause: unknown) => {
    if (cause instanceof Failure) return cause;
    throw cause;
  });
}

/** The GPUs, each tried with this ffmpeg. */
export async function triedGpus(
  toolchain: Toolchain,
  options: GpusOptions = {},
): Promise<GpuState> {
  const gpus = new Gpus(options);
  await gpus.open(toolchain);
  return gpus.state();
}

/** A step that reads all packets of a file, without decoding them. */
import { join } from "node:path";
import type { StepWork } from "../media/description.ts";
import type { Toolchain } from "../media/devices.ts";
import { runFfprobe } from "../media/ffmpeg.ts";
import { Surveyor, surveyArgv } from "../media/packet-survey.ts";
import { inputPath, safeInputFlags } from "../media/safety.ts";
import type { CarriedOut, LocalConfig } from "./described-run.ts";
import { explainRun } from "./explain.ts";
import { inputFiles, pathOf, refuseMissing, writeDurably } from "./job-files.ts";
import type { AttemptRequest } from "./runner.ts";

/** ffprobe keeps nothing of the packets; the index of a long file has some hundred MB. */
const MEMORY_BYTES = 2 * 1024 ** 3;

/** @throws Failure as a run does */
export async function survey(
  { toolchain, config }: { toolchain: Toolchain; config: LocalConfig },
  request: AttemptRequest,
  work: Extract<StepWork, { kind: "survey" }>,
  folder: string,
): Promise<CarriedOut | null> {
  const { jobs, ffmpeg } = config;
  const path = pathOf(request, work.from);
  const files = inputFiles(request, {
    ...{ inputs: [{ from: work.from }], graph: [], outputs: [], expectedSeconds: null },
  });
  await refuseMissing(files);
  const surveyor = new Surveyor(work.gapSeconds);
  const { outcome } = await runFfprobe(
    {
      tool: toolchain.ffprobePath,
      argv: [...safeInputFlags(), ...surveyArgv, "-i", inputPath(path)],
      ...{ cwd: "/", readPaths: [path], writePaths: [], signal: request.signal },
      ...{ wallLimitSeconds: jobs.wallLimitSeconds, niceness: ffmpeg.niceness, pausable: true },
      ...{ memoryBytes: MEMORY_BYTES, fileBytes: 0 },
    },
    (line) => surveyor.see(line),
  );
  if (outcome.kind === "aborted") return null;
  if (outcome.kind === "too_much_output") throw new Error("lines are taken as they come");
  if (outcome.kind !== "exited" || outcome.code !== 0) throw explainRun(outcome, files, jobs);
  await writeDurably(join(folder, work.file), JSON.stringify(surveyor.survey(outcome.stderr)));
  const deviceReason = "The packets are read; nothing is decoded";
  return { encoder: null, deviceReason, proof: null, placement: null };
}

/** A step that joins the chunks of a picture, without encoding it again, with its sound and all else. */
import { copyFile, link, rm } from "node:fs/promises";
import { extname, join } from "node:path";
import { askFfprobe } from "../media/ask-ffprobe.ts";
import {
  type ChunkList,
  chunkPieces,
  chunkReport,
  joinRun,
  type MadeChunk,
} from "../media/chunks.ts";
import type { RenderDescription, StepFileRef, StepWork } from "../media/description.ts";
import type { Toolchain } from "../media/devices.ts";
import { pieceList } from "../media/pieces.ts";
import { openSubject } from "../media/probe.ts";
import type { Seams } from "../media/seams.ts";
import { assert, Failure } from "../trouble.ts";
import { readReport, readSeams } from "./chunk.ts";
import { type CarriedOut, type LocalConfig, runDescription } from "./described-run.ts";
import { pathOf, writeDurably } from "./job-files.ts";
import type { AttemptRequest } from "./runner.ts";

type JoinWork = Extract<StepWork, { kind: "join" }>;

interface Joining {
  seams: Seams;
  folder: string;
}

/** @throws Failure as a run does, and `output_rejected` when the chunks do not fit together */
export async function joinStep(
  local: { toolchain: Toolchain; config: LocalConfig },
  request: AttemptRequest,
  work: JoinWork,
  folder: string,
): Promise<CarriedOut | null> {
  const seams = await readSeams(request, work.seams);
  const joined: MadeChunk[][] = [];
  const lists: ChunkList[] = [];
  for (const output of work.pictures.keys()) {
    const chunks = await bringTogether(request, work, output, { seams, folder });
    const [first] = chunks;
    assert(first !== undefined, "there is a chunk to join");
    refuseUnlike(chunks);
    const file = `chunks-${output + 1}.txt`;
    await writeDurably(join(folder, file), pieceList(chunkPieces(chunks, seams.clock)));
    lists.push({ from: { step: request.step, file }, first });
    joined.push(chunks);
  }
  const starts = await startsOf(local.toolchain, request, work.description);
  const startOf = (from: StepFileRef) => starts.get(pathOf(request, from)) ?? 0;
  const description = joinRun(work.description, { lists, clock: seams.clock, startOf });
  const done = await runDescription(local, request, { description, folder });
  if (done === null) return null;
  await Promise.all(joined.flat().map(({ file }) => rm(join(folder, file))));
  const { stderr: _, ...told } = done;
  return { ...told, checks: [countsOf(joined[0] ?? [])] };
}

/** When files begin that keep their start, by their paths. */
async function startsOf(
  { ffprobePath }: Toolchain,
  request: AttemptRequest,
  { inputs }: RenderDescription,
): Promise<Map<string, number>> {
  const starts = new Map<string, number>();
  for (const { from, keepsStart } of inputs) {
    if (!keepsStart) continue;
    const path = pathOf(request, from);
    const argv = ["-show_entries", "format=start_time", "-of", "csv=p=0"];
    const tools = { ffprobePath, signal: request.signal };
    const { stdout } = await askFfprobe(await openSubject(path), argv, tools);
    starts.set(path, Number.parseFloat(stdout) || 0);
  }
  return starts;
}

function countsOf(chunks: readonly MadeChunk[]): string {
  const frames = chunks.reduce((sum, { picture }) => sum + picture.packets, 0);
  const parts = chunks.length === 1 ? "One part" : `${chunks.length} parts`;
  return `${parts} with ${frames} frames joined, without encoding them again`;
}

/** Chunks that have frames, each by a link beside the list, for a list names nothing outside of its folder. */
async function bringTogether(
  request: AttemptRequest,
  { chunks, pictures }: JoinWork,
  output: number,
  { seams, folder }: Joining,
): Promise<MadeChunk[]> {
  const made: MadeChunk[] = [];
  const source = pictures[output] ?? "";
  for (const [index, step] of chunks.entries()) {
    const seam = seams.chunks[index];
    const report = await readReport(request, { step, file: chunkReport });
    const picture = report.pictures?.[output];
    if (seam === undefined || picture === undefined) continue;
    const file = `part-${output + 1}-${index + 1}${extname(source)}`;
    await linkOrCopy(pathOf(request, { step, file: source }), join(folder, file));
    made.push({ seam, picture, file });
  }
  return made;
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(async (trouble: NodeJS.ErrnoException) => {
    // What was kept may lie on another disk.
    if (trouble.code !== "EXDEV" && trouble.code !== "EPERM") throw trouble;
    await copyFile(from, to);
  });
}

/** One stream has one set of parameters: what another encoder made would not decode. */
function refuseUnlike(chunks: readonly MadeChunk[]): void {
  const signatures = new Set(chunks.map(({ picture }) => picture.signature));
  if (signatures.size === 1) return;
  throw new Failure(
    "output_rejected",
    "The parts of the film were made by encoders that differ, and do not fit together.",
    {
      hint: "Retry the job: all parts are made anew.",
      retryable: true,
      log: [...signatures].join("\n"),
    },
  );
}

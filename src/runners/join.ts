/** A step that joins the chunks of a picture, without encoding it again, with its sound and all else. */
import { copyFile, link, mkdir, rm } from "node:fs/promises";
import { extname, join } from "node:path";
import { askFfprobe } from "../media/ask-ffprobe.ts";
import {
  type ChunkList,
  type ChunkPicture,
  chunkPieces,
  chunkReport,
  joinRun,
  type MadeChunk,
  pictureFile,
} from "../media/chunks.ts";
import type { RenderDescription, StepFileRef, StepWork } from "../media/description.ts";
import type { Toolchain } from "../media/devices.ts";
import { type OutputClock, outputClocks, ownSeam } from "../media/output-clock.ts";
import { pieceList } from "../media/pieces.ts";
import { openSubject } from "../media/probe.ts";
import type { Seam, Seams } from "../media/seams.ts";
import { assert, Failure } from "../trouble.ts";
import { encodeAgain, readReport, readSeams } from "./chunk.ts";
import { type CarriedOut, type LocalConfig, runDescription } from "./described-run.ts";
import { pathOf, writeDurably } from "./job-files.ts";
import type { AttemptRequest } from "./runner.ts";

type JoinWork = Extract<StepWork, { kind: "join" }>;

interface Local {
  toolchain: Toolchain;
  config: LocalConfig;
}

/** A chunk that has frames: its pictures, and where their files lie, one for each output. */
interface Part {
  seam: Seam;
  pictures: ChunkPicture[];
  paths: string[];
}

/** @throws Failure as a run does, and `output_rejected` when the chunks do not fit together */
export async function joinStep(
  local: Local,
  request: AttemptRequest,
  work: JoinWork,
  folder: string,
): Promise<CarriedOut | null> {
  const seams = await readSeams(request, work.seams);
  const found = await partsOf(request, work, seams);
  const made = await alike(local, request, work, { seams, found, folder });
  if (made === null) return null;
  const { parts, again } = made;
  const lists: ChunkList[] = [];
  const links: string[] = [];
  for (const [output, own] of outputClocks(work.chunk, seams.clock).entries()) {
    const chunks = await bringTogether(parts, { output, own, folder });
    const [first] = chunks;
    assert(first !== undefined, "there is a chunk to join");
    const file = `chunks-${output + 1}.txt`;
    await writeDurably(join(folder, file), pieceList(chunkPieces(chunks, own.clock)));
    lists.push({ from: { step: request.step, file }, clock: own.clock, first });
    links.push(...chunks.map((chunk) => chunk.file));
  }
  const starts = await startsOf(local.toolchain, request, work.description);
  const startOf = (from: StepFileRef) => starts.get(pathOf(request, from)) ?? 0;
  const description = joinRun(work.description, { lists, startOf });
  const done = await runDescription(local, request, { description, folder });
  if (done === null) return null;
  await Promise.all(links.map((file) => rm(join(folder, file))));
  for (const { from, file } of work.taken) {
    await linkOrCopy(pathOf(request, from), join(folder, file));
  }
  const { stderr: _, ...told } = done;
  return { ...told, checks: [countsOf(parts), ...again] };
}

async function partsOf(
  request: AttemptRequest,
  { chunks, pictures: files }: JoinWork,
  seams: Seams,
): Promise<Part[]> {
  const parts: Part[] = [];
  for (const [index, step] of chunks.entries()) {
    const seam = seams.chunks[index];
    const { pictures } = await readReport(request, { step, file: chunkReport });
    if (seam === undefined || pictures === null) continue;
    parts.push({ seam, pictures, paths: files.map((file) => pathOf(request, { step, file })) });
  }
  return parts;
}

/**
 * One stream has one set of parameters. When a GPU failed on the way, some of the chunks were encoded by it and
 * some by the CPU: then all that are not as this device makes them are encoded again, here.
 */
async function alike(
  local: Local,
  request: AttemptRequest,
  { chunk: description }: JoinWork,
  { seams, found, folder }: { seams: Seams; found: Part[]; folder: string },
): Promise<{ parts: Part[]; again: string[] } | null> {
  const signatures = () => new Set(parts.map(signatureOf));
  const parts = [...found];
  if (signatures().size === 1) return { parts, again: [] };
  let count = 0;
  let own: string | null = null;
  for (const [index, part] of parts.entries()) {
    if (own !== null && signatureOf(part) === own) continue;
    const name = `again-${index + 1}`;
    const at = join(folder, name);
    await mkdir(at, { mode: 0o700 });
    const wanted = { description, folder: at, seams, seam: part.seam };
    const pictures = await encodeAgain(local, request, wanted);
    if (pictures === null) return null;
    const paths = pictures.map((_, output) => join(at, pictureFile(description, output)));
    const remade = { seam: part.seam, pictures, paths };
    own = signatureOf(remade);
    parts[index] = remade;
    count += 1;
  }
  if (signatures().size > 1) throw unlike(signatures());
  const some = count === 1 ? "1 part was" : `${count} parts were`;
  const why = "another encoder had made some, and a film has one";
  return { parts, again: [`${some} encoded again: ${why}`] };
}

function signatureOf({ pictures }: Part): string {
  return pictures.map(({ signature }) => signature).join("; ");
}

function unlike(signatures: ReadonlySet<string>): Failure {
  return new Failure(
    "output_rejected",
    "The parts of the film were made by encoders that differ, and do not fit together.",
    { hint: "Retry the job.", retryable: true, log: [...signatures].join("\n") },
  );
}

function countsOf(parts: readonly Part[]): string {
  const frames = parts.reduce((sum, { pictures }) => sum + (pictures[0]?.packets ?? 0), 0);
  const count = parts.length === 1 ? "One part" : `${parts.length} parts`;
  return `${count} with ${frames} frames joined, without encoding them again`;
}

/** Each by a link beside the list, for a list names nothing outside of its folder. */
async function bringTogether(
  parts: readonly Part[],
  { output, own, folder }: { output: number; own: OutputClock; folder: string },
): Promise<MadeChunk[]> {
  const made: MadeChunk[] = [];
  for (const [index, { seam, pictures, paths }] of parts.entries()) {
    const [picture, path] = [pictures[output], paths[output]];
    assert(picture !== undefined && path !== undefined, "a chunk has a part of every output");
    const file = `part-${output + 1}-${index + 1}${extname(path)}`;
    await linkOrCopy(path, join(folder, file));
    made.push({ seam: ownSeam(seam, own), picture, file });
  }
  return made;
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

async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(async (trouble: NodeJS.ErrnoException) => {
    // What was kept may lie on another disk.
    if (trouble.code !== "EXDEV" && trouble.code !== "EPERM") throw trouble;
    await copyFile(from, to);
  });
}

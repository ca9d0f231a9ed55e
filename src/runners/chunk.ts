/** A step that encodes one chunk of a picture, and looks at what came out. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { askFfprobe, type ProbeTools } from "../media/ask-ffprobe.ts";
import {
  type ChunkPacket,
  type ChunkPicture,
  type ChunkReport,
  chunkPicture,
  chunkReport,
  chunkRun,
  pictureFile,
} from "../media/chunks.ts";
import type { RenderDescription, StepFileRef, StepWork } from "../media/description.ts";
import type { Toolchain } from "../media/devices.ts";
import { outputClocks, ownSeam } from "../media/output-clock.ts";
import { openSubject } from "../media/probe.ts";
import type { Seam, Seams } from "../media/seams.ts";
import { type Fraction, fractionOf } from "../media/ticks.ts";
import { assert, Failure } from "../trouble.ts";
import {
  type CarriedOut,
  type LocalConfig,
  type RanDescription,
  runDescription,
} from "./described-run.ts";
import { pathOf, writeDurably } from "./job-files.ts";
import type { AttemptRequest, Proof } from "./runner.ts";

interface Local {
  toolchain: Toolchain;
  config: LocalConfig;
}

type ChunkWork = Extract<StepWork, { kind: "chunk" }>;

/** @throws Failure as a run does, and `media_undecodable` when nothing came out */
export async function chunk(
  local: Local,
  request: AttemptRequest,
  work: ChunkWork,
  folder: string,
): Promise<CarriedOut | null> {
  const { description, number } = work;
  const seams = await readSeams(request, work.seams);
  const seam = seams.chunks[number];
  assert(seam !== undefined, `chunk ${number} was looked up`);
  if (seam.frames === 0) return await leaveOut(description, folder);
  const made = await encode(local, request, { description, folder, seams, seam });
  if (made === null) return null;
  const report: ChunkReport = { pictures: made.pictures };
  await writeDurably(join(folder, chunkReport), JSON.stringify(report));
  const { stderr: _, proof, ...told } = made.done;
  const frames = made.pictures[0]?.packets ?? 0;
  return { ...told, proof: proof && ofPart(proof, number), checks: [`Encoded ${frames} frames`] };
}

/** All parts are encoded by the same command but for their times: one of them tells it. */
function ofPart({ command, ...proof }: Proof, number: number): Proof {
  return number === 0 && command !== undefined ? { ...proof, command } : proof;
}

/** Fewer chunks were found than planned: what this one would have made belongs to another. */
async function leaveOut(description: RenderDescription, folder: string): Promise<CarriedOut> {
  for (const index of description.outputs.keys()) {
    await writeDurably(join(folder, pictureFile(description, index)), "");
  }
  await writeDurably(join(folder, chunkReport), JSON.stringify({ pictures: null }));
  const deviceReason = "There was nothing to do: the part before reaches further";
  return { encoder: null, deviceReason, proof: null, placement: null };
}

interface Wanted {
  description: RenderDescription;
  folder: string;
  seams: Seams;
  seam: Seam;
}

interface Made {
  done: RanDescription;
  pictures: ChunkPicture[];
}

/**
 * Encodes one again into a folder, for its encoder was another one than that of the others.
 * @throws Failure as a run does
 */
export async function encodeAgain(
  local: Local,
  request: AttemptRequest,
  wanted: Wanted,
): Promise<ChunkPicture[] | null> {
  return (await encode(local, request, wanted))?.pictures ?? null;
}

/**
 * Where a seek led too far, the source is read from its beginning; where an encoder set no keyframe when it
 * was told to, it gets no frames to look ahead.
 */
async function encode(local: Local, request: AttemptRequest, wanted: Wanted): Promise<Made | null> {
  const first = await tryOnce(local, request, wanted);
  if (first === null || isWell(first.pictures, wanted.seam)) return first;
  const { seams, seam } = wanted;
  const late = first.pictures.some(({ firstSlot }) => firstSlot !== 0);
  const unclean = first.pictures.some(({ endsClean }) => !endsClean);
  const other: Seam = {
    ...seam,
    ...(late ? seams.beginning : {}),
    ...(unclean ? { leadSlot: seam.endSlot } : {}),
  };
  return await tryOnce(local, request, { ...wanted, seam: other });
}

/** The frame with which a chunk begins may be one that cannot be decoded, in one pass as well. */
function isWell(pictures: readonly ChunkPicture[], { fromTick }: Seam): boolean {
  return pictures.every(
    ({ firstSlot, endsClean }) => endsClean && (fromTick === null || firstSlot === 0),
  );
}

async function tryOnce(
  local: Local,
  request: AttemptRequest,
  { description, folder, seams, seam }: Wanted,
): Promise<Made | null> {
  const run = chunkRun(description, seam, seams);
  await Promise.all(run.outputs.map(({ file }) => rm(join(folder, file), { force: true })));
  const done = await runDescription(local, request, { description: run, folder });
  if (done === null) return null;
  // The next chunk begins meanwhile. In the rare case that this one is encoded again it runs beside the others, on one
  // thread; of a GPU it would take a session that others have been promised, so there the place is kept.
  if (request.device.traits === undefined) request.onRendered?.();
  const tools = { ffprobePath: local.toolchain.ffprobePath, signal: request.signal };
  const clocks = outputClocks(description, seams.clock);
  const pictures: ChunkPicture[] = [];
  for (const [index, { file }] of run.outputs.entries()) {
    const own = clocks[index];
    assert(own !== undefined, "an output has a clock");
    const about = { seam: ownSeam(seam, own), clock: fractionOf(own.clock), tools };
    pictures.push(await lookAt(join(folder, file), about));
  }
  return { done, pictures };
}

/** What decoders and players must know before the first packet, and what must not change on the way. */
const streamFields = [
  ...["codec_name", "codec_tag_string", "profile", "level", "width", "height", "pix_fmt"],
  ...["sample_aspect_ratio", "has_b_frames", "time_base", "extradata_hash"],
  ...["color_range", "color_space", "color_transfer", "color_primaries", "chroma_location"],
];

async function lookAt(
  path: string,
  { seam, clock, tools }: { seam: Seam; clock: Fraction; tools: ProbeTools },
): Promise<ChunkPicture> {
  const packets: ChunkPacket[] = [];
  const stream = new Map<string, string>();
  const entries = `packet=pts,dts,flags:stream=${streamFields.join(",")}`;
  const argv = [
    ...["-select_streams", "v:0", "-show_data_hash", "sha256", "-show_entries", entries],
    ...["-of", "compact=p=1:nk=0"],
  ];
  await askFfprobe(await openSubject(path), argv, tools, (line) => {
    const [section, ...pairs] = line.split("|");
    const fields = pairs.map((pair) => pair.split("=", 2) as [string, string]);
    if (section === "stream") for (const [key, value] of fields) stream.set(key, value);
    if (section !== "packet") return;
    const values = new Map(fields);
    packets.push({
      pts: Number(values.get("pts")),
      dts: Number(values.get("dts")),
      key: values.get("flags")?.includes("K") ?? false,
    });
  });
  const timeBase = fractionOf(stream.get("time_base") ?? "");
  const signature = streamFields.map((field) => `${field}=${stream.get(field) ?? ""}`).join(" ");
  const picture = chunkPicture(packets, seam, { timeBase, clock, signature });
  if (picture !== null && picture.packets > 0) return picture;
  throw new Failure("media_undecodable", "Of a part of the source no frame could be decoded.", {
    hint: "Check that the source plays to its end on your own machine, then retry the job.",
    retryable: true,
  });
}

const seamShape = z.object({
  frames: z.int(),
  seekSeconds: z.number().nullable(),
  addTicks: z.int(),
  fromTick: z.int().nullable(),
  untilTick: z.int().nullable(),
  firstSlot: z.int(),
  endSlot: z.int().nullable(),
  leadSlot: z.int().nullable(),
});

const seamsShape = z.object({
  clock: z.string(),
  timeBase: z.string(),
  chunks: z.array(seamShape),
  beginning: seamShape.pick({ seekSeconds: true, addTicks: true }),
  because: z.string().nullable(),
});

const reportShape = z.object({
  pictures: z
    .array(
      z.object({
        packets: z.int(),
        firstSlot: z.int(),
        lastSlot: z.int(),
        endsClean: z.boolean(),
        untilSeconds: z.number().nullable(),
        signature: z.string(),
      }),
    )
    .nullable(),
});

/** @throws Failure `input_missing` when the file is gone */
export async function readSeams(request: AttemptRequest, from: StepFileRef): Promise<Seams> {
  return seamsShape.parse(await readStepJson(request, from));
}

/** @throws Failure `input_missing` when the file is gone */
export async function readReport(request: AttemptRequest, from: StepFileRef): Promise<ChunkReport> {
  return reportShape.parse(await readStepJson(request, from));
}

async function readStepJson(request: AttemptRequest, from: StepFileRef): Promise<unknown> {
  const file = Bun.file(pathOf(request, from));
  if (await file.exists()) return await file.json();
  throw new Failure("input_missing", "What an earlier step found out is not there any more.", {
    hint: "Start the job anew.",
  });
}

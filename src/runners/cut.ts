/** A step that takes spans out of a file, and joins them. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Cutting, cuttingOf } from "../media/cutting.ts";
import type { CutSpan, RenderDescription, StepWork } from "../media/description.ts";
import type { Toolchain } from "../media/devices.ts";
import { sourcesOf } from "../media/graph.ts";
import { packetTimes } from "../media/packets.ts";
import {
  joinRun,
  type Piece,
  type PieceRun,
  picturesOf,
  pieceList,
  pieceRun,
} from "../media/pieces.ts";
import { openSubject } from "../media/probe.ts";
import { assert, Refusal } from "../trouble.ts";
import { type CarriedOut, type LocalConfig, runDescription } from "./described-run.ts";
import { pathOf, writeDurably } from "./job-files.ts";
import type { AttemptRequest } from "./runner.ts";

interface Local {
  toolchain: Toolchain;
  config: LocalConfig;
}

type CutWork = Extract<StepWork, { kind: "cut" }>;

/** Of the whole progress; the rest is joining, which copies. */
const piecesPercent = 90;

/** Names of the lists: ours, beside the pieces. */
const pictureList = "pictures.txt";
const soundList = "sounds.txt";

/** @throws Failure as a run does */
export async function cut(
  local: Local,
  request: AttemptRequest,
  work: CutWork,
  folder: string,
): Promise<CarriedOut | null> {
  const cuttings = await cuttingsOf(local, request, work);
  const made = await makePieces(local, request, work, { cuttings, folder });
  if (made === null) return null;
  const { runs, done } = made;
  const { pieces: pictures, fromSeconds } = picturesOf(runs);
  const sounds = runs.flatMap(({ sound }) => (sound === null ? [] : [sound]));
  const description = joinRun(work.description, {
    pictures: await listed(request, folder, { file: pictureList, pieces: pictures }),
    picturesFromSeconds: fromSeconds,
    sound:
      (await listed(request, folder, { file: soundList, pieces: sounds })) ??
      cuttings[0]?.span ??
      null,
    seconds: cuttings.reduce((sum, { span }) => sum + span.seconds, 0),
    changing: cuttings.some(({ copy }) => copy !== null),
  });
  const joined = await runDescription(local, inShare(request, piecesPercent, 100 - piecesPercent), {
    description,
    folder,
  });
  if (joined === null) return null;
  await Promise.all([...pictures, ...sounds].map(({ file }) => rm(join(folder, file))));
  const { stderr: _, ...told } = done ?? joined;
  return { ...told, checks: work.copies ? [countsOf(cuttings)] : [] };
}

/** Where each span is cut. What cannot be looked at is cut where it was asked for, and encoded. */
async function cuttingsOf(
  { toolchain }: Local,
  request: AttemptRequest,
  { description, spans, copies }: CutWork,
): Promise<Cutting[]> {
  const stream = pictureStream(description);
  const [input] = description.inputs;
  assert(input !== undefined, "a cut has an input");
  if (stream === null) return spans.map(uncut);
  const subject = await openSubject(pathOf(request, input.from));
  const tools = { ffprobePath: toolchain.ffprobePath, signal: request.signal };
  const cuttings: Cutting[] = [];
  for (const span of spans) {
    const packets = await packetTimes(subject, stream, span, tools).catch((trouble: unknown) => {
      if (trouble instanceof Refusal && !request.signal.aborted) return [];
      throw trouble;
    });
    cuttings.push(cuttingOf(packets, span, copies) ?? uncut(span));
  }
  return cuttings;
}

function uncut(span: CutSpan): Cutting {
  return { span, bareSeconds: 0, frames: 0, head: span, copy: null, tail: null };
}

function pictureStream({ graph }: RenderDescription): number | null {
  const [source] = graph.flatMap(sourcesOf);
  return source !== undefined && "stream" in source ? source.stream : null;
}

interface Pieces {
  runs: PieceRun[];
  /** What the last run that encoded a picture tells; null when none did. */
  done: Awaited<ReturnType<typeof runDescription>>;
}

async function makePieces(
  local: Local,
  request: AttemptRequest,
  { description, prerollSeconds }: CutWork,
  { cuttings, folder }: { cuttings: readonly Cutting[]; folder: string },
): Promise<Pieces | null> {
  const sounds = description.outputs[0]?.audio.length ?? 0;
  const withSound = sounds > 0 && (cuttings.length > 1 || prerollSeconds > 0);
  const pieces: Pieces = { runs: [], done: null };
  for (const [index, cutting] of cuttings.entries()) {
    const run = pieceRun(description, cutting, { number: index + 1, withSound, prerollSeconds });
    pieces.runs.push(run);
    if (run.description.outputs.length === 0) continue;
    const share = piecesPercent / cuttings.length;
    const done = await runDescription(local, inShare(request, index * share, share), {
      description: run.description,
      folder,
    });
    if (done === null) return null;
    if (done.encoder !== null || pieces.done === null) pieces.done = done;
  }
  return pieces;
}

async function listed(
  { step }: AttemptRequest,
  folder: string,
  { file, pieces }: { file: string; pieces: readonly Piece[] },
) {
  if (pieces.length === 0) return null;
  await writeDurably(join(folder, file), pieceList(pieces));
  return { step, file };
}

/** The request with its progress as a part of the whole. */
function inShare(request: AttemptRequest, before: number, share: number): AttemptRequest {
  const onProgress: AttemptRequest["onProgress"] = (progress) =>
    request.onProgress({ ...progress, percent: before + ((progress.percent ?? 0) * share) / 100 });
  return { ...request, onProgress };
}

function countsOf(cuttings: readonly Cutting[]): string {
  const frames = cuttings.reduce((sum, cutting) => sum + cutting.frames, 0);
  const copied = cuttings.reduce((sum, { copy }) => sum + (copy?.packets ?? 0), 0);
  const whole = cuttings.filter(({ copy }) => copy === null).length;
  const encoded = `Copied ${copied} of ${frames} frames and encoded ${frames - copied} around the cuts`;
  if (whole === 0) return encoded;
  const all = whole === cuttings.length ? "the whole" : `${whole} of ${cuttings.length} ranges`;
  return `${encoded}; ${all} had no keyframe that stands alone within it, or too little behind one`;
}

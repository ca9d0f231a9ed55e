/** What a run takes of the box while it runs, estimated from its description and where it is placed. Pure. */
import {
  descriptionOf,
  type RenderDescription,
  type StepWork,
  type VideoEncode,
} from "../media/description.ts";
import { type Placement, usesGpu } from "../media/placement.ts";

export interface Need {
  /** Of the CPU; `threadsPerSlot` make one of the CPU's slots. */
  cpuThreads: number;
  /** NVENC sessions: one for each rendition. */
  sessions: number;
  /** NVDEC decoders: one for each input that is decoded there. */
  decoders: number;
  /** Of the GPU. */
  memoryBytes: number;
}

/** x264 at 1080p keeps about four cores busy, and so does what stands around it. */
export const threadsPerSlot = 4;

/** Decoding, or filters at 1080p, for an encoder on the GPU. */
const feedingThreads = 2;

const MIB = 1024 ** 2;

/**
 * A process with CUDA takes about 200 MiB before its first frame; decoder and encoder together 300–370
 * at 1080p (pytorch/audio#3165).
 */
const contextBytes = 200 * MIB;

/** Frames that NVDEC and the filters behind it hold: 8 references, 12 extra ones, some on their way. */
const decoderFrames = 24;

/** Frames that NVENC holds: lookahead 20, references, input and output buffers. */
const encoderFrames = 40;

/** AV1 at 4K took 2.5 GB for one session, three times what its frames alone explain. */
const av1Factor = 3;

/** Where a size is not known, a large one is assumed. */
const unknownSide = { width: 3840, height: 2160 };

/** What the work takes at this place. A text that Kinomill writes itself takes nothing. */
export function needOf(work: StepWork, placement: Placement): Need {
  const description = descriptionOf(work);
  if (description === null) return { cpuThreads: 0, sessions: 0, decoders: 0, memoryBytes: 0 };
  const renditions = encodesOf(description);
  const onGpu = usesGpu(placement);
  return {
    cpuThreads: cpuThreads(description, placement, renditions),
    sessions: placement.encode === "nvenc" ? renditions.length : 0,
    decoders: placement.decode === "nvdec" ? decodedInputs(description).length : 0,
    memoryBytes: onGpu ? gpuMemoryBytes(description, placement, renditions) : 0,
  };
}

function cpuThreads(
  { filterThreads }: RenderDescription,
  { decode, filters, encode }: Placement,
  { length: renditions }: readonly VideoEncode[],
): number {
  if (encode === "nvenc") {
    // All on the GPU: what is left is reading, sound and writing, a small part of one core.
    const feeds = decode === "cpu" || filters === "cpu";
    return feeds ? feedingThreads * Math.max(1, renditions) : 0;
  }
  // Copies and sound alone keep one core busy at most.
  if (decode === null && encode === null) return 1;
  // Who limits the filters limits the decoder and the encoders too: a chunk.
  return filterThreads ?? threadsPerSlot * Math.max(1, renditions);
}

function gpuMemoryBytes(
  description: RenderDescription,
  placement: Placement,
  renditions: readonly VideoEncode[],
): number {
  const decoded = placement.decode === "nvdec" ? decodedInputs(description) : [];
  const inputs = decoded.map(({ width, height, bitDepth }) =>
    frameBytes(width, height, bitDepth > 8),
  );
  const outputs = placement.encode === "nvenc" ? renditions.map(sessionBytes) : [];
  return contextBytes + decoderFrames * sum(inputs) + encoderFrames * sum(outputs);
}

function sessionBytes({ codec, width, height, pixelFormat }: VideoEncode): number {
  const side = { width: width ?? unknownSide.width, height: height ?? unknownSide.height };
  const bytes = frameBytes(side.width, side.height, pixelFormat.includes("10"));
  return codec === "av1" ? bytes * av1Factor : bytes;
}

/** 4:2:0: three bytes for two pixels, twice that when deep. */
function frameBytes(width: number, height: number, deep: boolean): number {
  return width * height * (deep ? 3 : 1.5);
}

function decodedInputs(description: RenderDescription) {
  return description.inputs.flatMap(({ picture, still }) =>
    picture === undefined || still !== undefined ? [] : [picture],
  );
}

function encodesOf(description: RenderDescription): VideoEncode[] {
  return description.outputs.flatMap(({ video }) => (video?.kind === "encode" ? [video] : []));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

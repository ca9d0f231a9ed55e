/**
 * Where each part of a run happens. One description has three ways: all on the GPU (NVDEC, CUDA filters,
 * NVENC: frames never leave the card), mixed, or all on the CPU.
 */
import type {
  AnimationEncode,
  ImageEncode,
  InputDescription,
  Look,
  RenderDescription,
  VideoEncode,
} from "./description.ts";
import type { Device, Toolchain } from "./devices.ts";
import { dialectOf } from "./dialect.ts";
import { type FilterChain, sourcesOf } from "./graph.ts";
import { type InputMemory, laysOver, needsOneDevice, sideChains } from "./graph-card.ts";
import { scales, whyNotCuda } from "./graph-cuda.ts";
import { is420, whyNotNvdec } from "./nvdec.ts";
import { whyNotNvenc } from "./nvenc.ts";

export interface Placement {
  /** Who decodes the picture; null when none is decoded. */
  decode: "nvdec" | "cpu" | null;
  /** Where the picture's filters run; null when there are none. */
  filters: "cuda" | "cpu" | null;
  /** Who encodes the picture; null when none is encoded. */
  encode: "nvenc" | "cpu" | null;
  /** On a GPU: why a part is not done there, a plain sentence; "" when there is nothing to explain. */
  because: string;
}

/** Parts that failed on a GPU for this input, so that the next try does them on the CPU. */
export interface Avoided {
  decode: boolean;
  filters: boolean;
}

export const nothingAvoided: Avoided = { decode: false, filters: false };

/** The way for a description on a device. Pure. A CPU device places all on the CPU. */
export function placeOn(
  description: RenderDescription,
  target: { device: Device; toolchain: Toolchain },
  avoided: Avoided = nothingAvoided,
): Placement {
  const work = pictureWork(description);
  const cpu: Placement = {
    decode: work.inputs.length > 0 ? "cpu" : null,
    filters: description.graph.length > 0 ? "cpu" : null,
    encode: work.encodes.length > 0 ? "cpu" : null,
    because: "",
  };
  if (target.device.kind === "cpu" || cpu.encode === null) return cpu;
  const notEncoded = whyNotEncoded(work, target);
  const notDecoded = avoided.decode ? "NVDEC failed on this input" : whyNotDecoded(work, target);
  const encode = notEncoded === null ? "nvenc" : "cpu";
  const decode = notDecoded === null ? "nvdec" : "cpu";
  const notFiltered =
    cpu.filters === null ? null : whyNotFiltered(description, target, { encode, decode, avoided });
  const filters = cpu.filters === null || notFiltered !== null ? cpu.filters : "cuda";
  const reasons = [notDecoded, notFiltered, notEncoded].filter((reason) => reason);
  return { decode, filters, encode, because: [...new Set(reasons)].join("; ") };
}

/** Whether the run touches the GPU at all. */
export function usesGpu({ decode, filters, encode }: Placement): boolean {
  return decode === "nvdec" || filters === "cuda" || encode === "nvenc";
}

/** The streams whose picture is decoded: input by position, and the stream's index in it. */
export function pictureStreams(description: RenderDescription): Map<number, number> {
  const sources = [
    ...description.graph.flatMap(sourcesOf),
    ...encodesOf(description).map(({ source }) => source),
  ];
  return new Map(
    sources.flatMap((source) => ("input" in source ? [[source.input, source.stream]] : [])),
  );
}

/** NVDEC decodes films and leaves stills to the CPU. */
export function inputMemory(
  { inputs }: RenderDescription,
  decode: Placement["decode"],
): InputMemory {
  return (input) => (decode === "nvdec" && inputs[input]?.still === undefined ? "card" : "memory");
}

type PictureEncode = VideoEncode | ImageEncode | AnimationEncode | Look;

interface PictureWork {
  inputs: InputDescription[];
  encodes: PictureEncode[];
  /** What is known of how long it is. */
  expectedSeconds: number | null;
  /** Faults are looked for. */
  inspects: boolean;
}

function pictureWork(description: RenderDescription): PictureWork {
  const used = pictureStreams(description);
  return {
    inputs: description.inputs.filter((_, index) => used.has(index)),
    encodes: encodesOf(description),
    expectedSeconds: description.expectedSeconds,
    inspects: description.inspects ?? false,
  };
}

function encodesOf({ outputs }: RenderDescription): PictureEncode[] {
  return outputs.flatMap(({ video }) => (video === null || video.kind === "copy" ? [] : [video]));
}

type Target = Parameters<typeof placeOn>[1];

const byCpu = {
  image: "single pictures are made by the CPU",
  animation: "animations are made by the CPU",
  look: "pictures are looked at by the CPU",
};

/** One encode that NVENC cannot do takes the others along: half a job on each would need both. */
function whyNotEncoded({ encodes }: PictureWork, target: Target): string | null {
  return first(encodes, (encode) =>
    encode.kind === "encode" ? whyNotNvenc(encode, target) : byCpu[encode.kind],
  );
}

/** Pictures of less than this are made before a GPU has started. */
const longEnoughSeconds = 60;

function whyNotDecoded(work: PictureWork, target: Target) {
  const { inputs, encodes, expectedSeconds } = work;
  if (work.inspects) return "a GPU's decoder covers damage up without a word";
  const films = encodes.some(({ kind }) => kind === "encode");
  if (!films && (expectedSeconds ?? 0) < longEnoughSeconds) return "only a short piece is decoded";
  // A still that is laid over a film is read by the CPU, and the film by NVDEC.
  const moving = inputs.filter(({ still }) => still === undefined);
  return first(moving.length > 0 ? moving : inputs, (input) => whyNotNvdec(input, target));
}

function whyNotFiltered(
  description: RenderDescription,
  { toolchain }: Target,
  way: { encode: "nvenc" | "cpu"; decode: "nvdec" | "cpu"; avoided: Avoided },
): string | null {
  // Nobody asks why the CPU filters what it decodes and encodes.
  if (way.encode === "cpu" && way.decode === "cpu") return "";
  if (way.avoided.filters) return "CUDA's filters failed on this input";
  const { graph, inputs } = description;
  const upright = inputs.every(({ picture }) => (picture?.rotation ?? 0) === 0);
  if (!upright) return "the picture is turned upright, which is work for the CPU";
  const side = sideChains(graph, inputMemory(description, way.decode));
  const chains = graph.filter((chain) => !side.has(chain));
  const dialect = dialectOf(toolchain.release);
  const impossible = first(chains, (chain) => whyNotCuda(chain, dialect));
  if (impossible !== null) return impossible;
  const uploads = way.decode === "cpu" ? ["hwupload_cuda"] : [];
  const overlays = needsOneDevice(graph) ? ["overlay_cuda", "hwupload"] : [];
  const needed = ["scale_cuda", ...uploads, ...overlays];
  const missing = needed.find((name) => !toolchain.filters.has(name));
  if (missing !== undefined) return `this ffmpeg has no ${missing}`;
  if (way.encode === "nvenc" && way.decode === "nvdec") return null;
  if (!chains.some(scales)) return "";
  // Other formats would lose colour before they are scaled instead of after.
  const filtered = new Set(chains.flatMap(filmsOf));
  const fits = inputs.every(
    ({ picture }, index) => !filtered.has(index) || (picture !== undefined && is420(picture)),
  );
  return way.decode === "nvdec" || fits ? null : "the input is not 4:2:0";
}

/** Inputs that a chain takes first; what it lays over them comes up as it is. */
function filmsOf(chain: FilterChain): number[] {
  const sources = laysOver(chain) ? sourcesOf(chain).slice(0, 1) : sourcesOf(chain);
  return sources.flatMap((source) => ("input" in source ? source.input : []));
}

function first<Item>(items: readonly Item[], why: (item: Item) => string | null): string | null {
  for (const item of items) {
    const reason = why(item);
    if (reason !== null) return reason;
  }
  return null;
}

/** What does the work and where, in one sentence for the person who looks at the job. Pure. */
import { animationTitles } from "./animation.ts";
import type { OutputDescription, RenderDescription } from "./description.ts";
import type { Device } from "./devices.ts";
import { codecTitles } from "./encoders.ts";
import { scales } from "./graph-cuda.ts";
import { type Placement, usesGpu } from "./placement.ts";

/**
 * "H.264 with h264_nvenc on NVIDIA L4; decoded by NVDEC, scaled by CUDA, frames never leave the card". Why
 * no GPU was taken is for whoever chose the device to say.
 */
export function reasonOf(
  description: RenderDescription,
  encoder: string | null,
  device: Device,
  placement: Placement,
): string {
  if (encoder === null) return nothingEncoded(description, device, placement);
  const video = description.outputs.find((output) => output.video !== null)?.video;
  const what = video === undefined || video === null ? "Pictures" : titleOf(video);
  const why = placement.because === "" ? "" : `: ${placement.because}`;
  if (device.kind === "cpu") return `${what} with ${encoder} on ${device.title}`;
  if (!usesGpu(placement)) return `${what} with ${encoder} on the CPU${why}`;
  const parts = partsOf(description, placement);
  if (placement.encode === "nvenc") {
    return `${what} with ${encoder} on ${device.title}; ${parts.join(", ")}${why}`;
  }
  return `${what} with ${encoder} on the CPU; ${parts.join(", ")} on ${device.title}${why}`;
}

function titleOf(video: NonNullable<OutputDescription["video"]>): string {
  if (video.kind === "encode") return codecTitles[video.codec];
  return video.kind === "animation" ? animationTitles[video.format] : "Pictures";
}

function nothingEncoded(
  { outputs }: RenderDescription,
  device: Device,
  placement: Placement,
): string {
  if (outputs.some(({ video }) => video?.kind === "look")) return lookedAt(device, placement);
  if (outputs.some(({ audio }) => audio.some(({ kind }) => kind === "look"))) {
    return "The sound is listened to, which is work for the CPU";
  }
  const sound = outputs.some(({ audio }) => audio.some(({ kind }) => kind === "encode"));
  if (!sound) return "The streams are copied: nothing is encoded";
  const where = device.kind === "cpu" ? `: ${device.title}` : "";
  return `Only sound is encoded, which is work for the CPU${where}`;
}

/** Nothing is encoded, and what measures works on the CPU; who decodes is to be said. */
function lookedAt({ kind, title }: Device, { decode, because }: Placement): string {
  if (decode === "nvdec") return `Decoded by NVDEC on ${title} and looked at by the CPU`;
  const why = kind === "cpu" || because === "" ? "" : `: ${because}`;
  return `Decoded and looked at on the CPU${why}`;
}

function partsOf({ graph }: RenderDescription, placement: Placement): string[] {
  const { decode, filters, encode } = placement;
  if (decode === "cpu" && filters === "cpu") return ["decoded and filtered by the CPU"];
  const decoded = decode === null ? [] : [`decoded by ${decode === "nvdec" ? "NVDEC" : "the CPU"}`];
  const work = graph.some(scales) ? "scaled" : "filtered";
  const gpuEncodes = encode === "nvenc";
  const cudaWork =
    filters === "cuda" && (work === "scaled" || !gpuEncodes) ? [`${work} by CUDA`] : [];
  const cpuWork = filters === "cpu" && gpuEncodes ? ["filtered by the CPU"] : [];
  const stays = decode === "nvdec" && filters !== "cpu" && gpuEncodes;
  return [...decoded, ...cudaWork, ...cpuWork, ...(stays ? ["frames never leave the card"] : [])];
}

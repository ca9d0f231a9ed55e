/** What really ran, from where it was placed and what ffmpeg said. */
import type { Device } from "../media/devices.ts";
import { knownFenceLayers, standingLayers } from "../media/fence-layers.ts";
import type { RunOutcome } from "../media/ffmpeg.ts";
import { type Placement, usesGpu } from "../media/placement.ts";
import type { Proof } from "./runner.ts";

export interface Ran {
  placement: Placement;
  /** In ffmpeg's words; null when no picture was encoded. */
  encoder: string | null;
  device: Device;
  outcome: Extract<RunOutcome, { kind: "exited" }>;
  /** From the start of ffmpeg to its end. */
  seconds: number;
  /** As `commandOf` gives it. */
  command: string;
}

/** ffmpeg decodes on the CPU by itself when NVDEC cannot, and a warning is all that it says. */
const quietFallback = /hwaccel initialisation returned error/;

export function proofOf(ran: Ran): Proof {
  const { placement, encoder, device, outcome, seconds, command } = ran;
  const { progress, stderr } = outcome;
  const fellBack = placement.decode === "nvdec" && quietFallback.test(stderr);
  const real: Placement = fellBack ? { ...placement, decode: "cpu" } : placement;
  const { decode } = real;
  const facts = {
    decoder: decode === null ? null : { nvdec: "NVDEC", cpu: "CPU" }[decode],
    filters: placement.filters === null ? null : { cuda: "CUDA", cpu: "CPU" }[placement.filters],
    encoder,
    device: device.kind === "cpu" || usesGpu(real) ? device.title : "the CPU",
    averageFps: encoder === null ? null : perSecond(progress?.frame ?? null, seconds),
    realtimeFactor: perSecond(progress?.outputSeconds ?? null, seconds),
    fenceLayers: standingLayers(knownFenceLayers()),
  };
  return { ...facts, sentence: sentenceOf(facts, real), command };
}

/** To a tenth, which is more than a run repeats. Null when nothing was counted. */
function perSecond(count: number | null, seconds: number): number | null {
  return count === null || count === 0 || seconds <= 0
    ? null
    : Math.round((count / seconds) * 10) / 10;
}

type Facts = Omit<Proof, "sentence" | "command">;

function sentenceOf(facts: Facts, placement: Placement): string {
  const { decoder, filters, encoder, device, realtimeFactor } = facts;
  const fps = facts.averageFps === null ? "" : `, ${Math.round(facts.averageFps)} fps`;
  const pace = `${fps}${realtimeFactor === null ? "" : `, ${realtimeFactor.toFixed(1)} × real time`}`;
  if (encoder === null && decoder === null) return `Streams copied or sound alone${pace}.`;
  if (encoder === null) return `Decoded on ${device} (${decoder}) and looked at${pace}.`;
  const onGpu = placement.encode === "nvenc";
  if (!onGpu && decoder !== "NVDEC" && filters !== "CUDA") {
    return `Decoded and encoded on ${device} (${encoder})${pace}.`;
  }
  const ways = [decoder ?? "CPU", ...(filters === null ? [] : [`${filters} filters`])];
  const chain = [...ways, onGpu ? "NVENC" : encoder].join(" → ");
  const both = onGpu && decoder === "NVDEC";
  const what = both ? "Decoded and encoded" : onGpu ? "Encoded" : "Decoded";
  return `${what} on ${device} (${chain})${pace}.`;
}

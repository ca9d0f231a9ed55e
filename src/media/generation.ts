/** The generation of a GPU by its compute capability. Pure. */
import type { Device, GpuTraits } from "./devices.ts";
import type { GpuCodec } from "./gpu-skill.ts";

/** 7.5 is Turing, 8.0 GA100, 8.6 Ampere, 8.9 Ada, 9.0 Hopper, 10.0 and 12.0 Blackwell; 0 when unknown. */
export function capabilityOf(traits: Pick<GpuTraits, "computeCapability"> | undefined): number {
  const value = Number(traits?.computeCapability ?? 0);
  return Number.isFinite(value) ? value : 0;
}

/**
 * Turing's smallest chip has the video encoder of Volta and the same compute capability as the others, so
 * its names tell it. A GTX 1650 may be a larger chip: then a little compression is given away.
 */
const tu117 = /\bGTX 1650\b|\bMX[45]50\b|\bT(400|500|550|600|1000|1200|2000)\b/;

/** What an encoder of NVENC has beyond the least: each of it fails the job where it is missing. */
export interface EncoderTraits {
  bFrames: boolean;
  /** The middle one of three B-frames as a reference of the others. */
  bReference: boolean;
  temporalAq: boolean;
  lookahead: boolean;
}

/**
 * By the drivers' own answers on a GTX 970, 1060, 1650, RTX 2070, 4080 and 5090 (rigaya/NVEnc,
 * GPUFeatures). From Turing on there is everything; on Pascal, and on TU117, H.264 has it and HEVC has
 * lookahead alone. What is not known is taken for Maxwell, whose driver was not asked for the younger three.
 */
export function encoderTraits(
  codec: GpuCodec,
  { title, traits }: Pick<Device, "title" | "traits">,
): EncoderTraits {
  const capability = capabilityOf(traits);
  const pascal = capability >= 6;
  const turing = capability >= 7.5 && !tu117.test(title);
  const full = turing || (pascal && codec === "h264");
  return {
    bFrames: full || codec === "h264",
    bReference: full,
    temporalAq: full,
    lookahead: pascal,
  };
}

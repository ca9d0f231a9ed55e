/** The generation of a GPU by its compute capability. Pure. */
import type { Device, GpuTraits } from "./devices.ts";

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

/** Encodes as Turing and later do: B-frames in HEVC, B-frames as references, temporal AQ everywhere. */
export function encodesLikeTuring({ title, traits }: Pick<Device, "title" | "traits">): boolean {
  return capabilityOf(traits) >= 7.5 && !tu117.test(title);
}

/**
 * Where each part of a run happens. One description has three ways: all on the GPU (NVDEC, CUDA filters,
 * NVENC: frames never leave the card), mixed, or all on the CPU.
 */
import type { RenderDescription } from "./description.ts";
import type { Device, Toolchain } from "./devices.ts";

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
  _description: RenderDescription,
  _target: { device: Device; toolchain: Toolchain },
  _avoided: Avoided = nothingAvoided,
): Placement {
  return { decode: "cpu", filters: "cpu", encode: "cpu", because: "" };
}

/** Whether the run touches the GPU at all. */
export function usesGpu({ decode, filters, encode }: Placement): boolean {
  return decode === "nvdec" || filters === "cuda" || encode === "nvenc";
}

/** What a GPU may be able to do, as data: tried by `gpu-probe.ts`, used by the planner. */
import type { VideoCodec } from "./description.ts";
import { codecTitles } from "./encoders.ts";

export type GpuCodec = Exclude<VideoCodec, "vp9" | "prores">;

/** Whether some GPU encodes it. */
export function isGpuCodec(codec: VideoCodec): codec is GpuCodec {
  return codec !== "vp9" && codec !== "prores";
}

/** One thing that a GPU may be able to do. */
export interface GpuSkill {
  work: "encode" | "decode";
  codec: GpuCodec;
  bitDepth: 8 | 10;
}

/** In the order in which they are tried and shown. Decoding is tried with H.264, which every GPU has. */
export const gpuSkills: readonly GpuSkill[] = [
  { work: "encode", codec: "h264", bitDepth: 8 },
  { work: "encode", codec: "hevc", bitDepth: 8 },
  { work: "encode", codec: "av1", bitDepth: 8 },
  { work: "encode", codec: "h264", bitDepth: 10 },
  { work: "encode", codec: "hevc", bitDepth: 10 },
  { work: "encode", codec: "av1", bitDepth: 10 },
  { work: "decode", codec: "h264", bitDepth: 8 },
];

/** "HEVC", "HEVC 10 bit", "H.264 decoding". */
export function skillTitle({ work, codec, bitDepth }: GpuSkill): string {
  const title = `${codecTitles[codec]}${bitDepth === 10 ? " 10 bit" : ""}`;
  return work === "decode" ? `${title} decoding` : title;
}

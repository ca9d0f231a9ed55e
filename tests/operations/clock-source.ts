/** A source whose pictures tell when they were taken: grey, its level is twice the second. */
import { type Rehearsal, x264 } from "./rehearsal.ts";

/** 64×36 at 25 frames per second, a keyframe every `gop` frames. */
export function clockSource(stage: Rehearsal, name: string, seconds: number, gop: number): string {
  return stage.make(
    name,
    ...["-f", "lavfi", "-i", `nullsrc=size=64x36:rate=25:duration=${seconds}`],
    ...["-vf", "format=yuv420p,geq=lum='16+2*floor(T)':cb=128:cr=128"],
    ...[...x264, "-g", String(gop), "-keyint_min", String(gop), "-sc_threshold", "0"],
  );
}

/** Limited-range 16 + 2 s, stretched to 0–255 by the decoder. */
export function secondOf([level]: readonly number[]): number {
  return ((level ?? 0) * 219) / 255 / 2;
}

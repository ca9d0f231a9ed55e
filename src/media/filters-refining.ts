/**
 * Filters that move, mend or retime a picture: what `reframe` and `enhance` are made of. All are work for
 * the CPU. Times in seconds of the filter's own input.
 */
import { assert } from "../trouble.ts";
import { decimal, type NativeFilter, native } from "./filter-syntax.ts";

/** A file of an earlier step; the description lists it in `reads`. */
export interface StepFile {
  step: string;
  file: string;
}

export type RefiningFilter =
  /**
   * Steers the named filters behind it: at its times it changes their size and position. The file is one of
   * ours, in the language of ffmpeg's `sendcmd`.
   */
  | { filter: "steer"; commands: StepFile }
  /** Times run faster or slower in parts: see `Retiming`. No frame is left out or made: `fps` does that. */
  | { filter: "retime"; pieces: readonly RetimedPiece[] }
  /** One colour all over, as the values that are stored: the picture gives its size and times alone. */
  | { filter: "flat"; y: number; u: number; v: number }
  /** Over space and time, by ffmpeg's own scale: 4 is a usual strength, 0 nothing. */
  | { filter: "denoise"; luma: number; chroma: number; lumaTime: number; chromaTime: number }
  /** By comparing patches: far slower, keeps more. 8 bits. */
  | { filter: "denoise-patches"; strength: number }
  /** 0 leaves it as it is, 1 is plain to see. Luma alone: sharpened chroma shows as fringes. */
  | { filter: "sharpen"; amount: number }
  /** Writes how the picture shakes into a file of the step. 8 bits. `shakiness` 1–10. */
  | { filter: "detect-shakes"; file: string; shakiness: number }
  /** Moves the picture against its shaking; `smoothing` frames to either side make the path. 8 bits. */
  | { filter: "stabilise"; shakes: StepFile; smoothing: number }
  /**
   * A constant, higher rate; what lies between two frames is made by following the motion. 8 bits. Some
   * frames too many come at the end.
   */
  | { filter: "interpolate"; rate: string };

/** From `fromSeconds` until the next piece begins it runs `factor` times as fast. */
export interface RetimedPiece {
  fromSeconds: number;
  factor: number;
}

export function nativeRefining(filter: RefiningFilter): NativeFilter[] {
  switch (filter.filter) {
    case "steer":
      return [native("sendcmd", { filename: pathOf(filter.commands) })];
    case "retime":
      return [native("setpts", { expr: retimingOf(filter.pieces) })];
    case "flat":
      return [native("lutyuv", { y: filter.y, u: filter.u, v: filter.v })];
    case "denoise": {
      const { luma, chroma, lumaTime, chromaTime } = filter;
      const spatial = { luma_spatial: luma, chroma_spatial: chroma };
      return [native("hqdn3d", { ...spatial, luma_tmp: lumaTime, chroma_tmp: chromaTime })];
    }
    case "denoise-patches":
      return [native("nlmeans", { s: filter.strength, p: 5, r: 9 })];
    case "sharpen":
      return [native("unsharp", { lx: 5, ly: 5, la: filter.amount, ca: 0 })];
    case "detect-shakes":
      assert(plainFile.test(filter.file), `file name ${filter.file} is plain`);
      return [native("vidstabdetect", { result: filter.file, shakiness: filter.shakiness })];
    case "stabilise": {
      const { shakes, smoothing } = filter;
      return [
        native("vidstabtransform", { input: pathOf(shakes), smoothing, interpol: "bicubic" }),
      ];
    }
    case "interpolate":
      return [
        // It keeps back the last frames of what it gets.
        native("tpad", { stop: 3, stop_mode: "clone" }),
        native("minterpolate", { fps: filter.rate, mi_mode: "mci", mc_mode: "aobmc" }),
      ];
  }
}

const plainStep = /^[a-z0-9][a-z0-9-]*$/;
const plainFile = /^[a-z0-9][a-z0-9-]*\.[a-z0-9]+$/;

/** ffmpeg works in its step's folder; the folders of the other steps lie beside it. */
function pathOf({ step, file }: StepFile): string {
  assert(plainStep.test(step) && plainFile.test(file), `${step}/${file} is plain`);
  return `../${step}/${file}`;
}

/**
 * Where a time lies afterwards, as an expression of the time before. Written as a tree of halves, so that
 * a hundred pieces cost seven comparisons a frame and are nested seven deep.
 */
function retimingOf(pieces: readonly RetimedPiece[]): string {
  const [first] = pieces;
  assert(first !== undefined && first.fromSeconds === 0, "the first piece begins at the start");
  let startsAt = 0;
  const lines = pieces.map(({ fromSeconds, factor }, index) => {
    assert(factor > 0, "a speed is more than nothing");
    const line = `${decimal(startsAt)}+(T-${decimal(fromSeconds)})/${decimal(factor)}`;
    const next = pieces[index + 1];
    if (next !== undefined) {
      assert(next.fromSeconds > fromSeconds, "pieces come in their order");
      startsAt += (next.fromSeconds - fromSeconds) / factor;
    }
    return { fromSeconds, line };
  });
  const tree = (low: number, high: number): string => {
    const only = lines[low];
    assert(only !== undefined, "a half has a piece");
    if (high - low === 1) return only.line;
    const middle = (low + high) >> 1;
    const border = decimal(lines[middle]?.fromSeconds ?? 0);
    return `if(lt(T,${border}),${tree(low, middle)},${tree(middle, high)})`;
  };
  return `round((${tree(0, lines.length)})/TB)`;
}

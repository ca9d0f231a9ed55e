/** What is drawn into a picture has the colours that it says, on every ffmpeg. Pure. */
import type { FilterChain, VideoFilter } from "../media/graph.ts";
import type { PlanContext } from "./operation.ts";

/**
 * Before this release letters and drawings are made YUV by the matrix of BT.601 whatever the picture has: red on HD
 * came out 24 steps beside itself, green 39.
 */
const drawsRightSince = 7;

/** As the filter that converts says it, of the tags that a picture may have. */
const matrices: Readonly<Record<string, "bt709" | "smpte240m" | "fcc" | "bt2020">> = {
  bt709: "bt709",
  smpte240m: "smpte240m",
  fcc: "fcc",
  bt2020nc: "bt2020",
};

const draws = ({ filter }: VideoFilter) => filter === "subtitles" || filter === "timecode";

/**
 * The graph with the picture brought to BT.601 wherever something is drawn, and back: of the picture itself that
 * changes the last bit (60 dB PSNR).
 * @param matrix of the picture, in ffmpeg's words
 */
export function drawnRight(
  graph: readonly FilterChain[],
  matrix: string | null,
  { release }: PlanContext,
): FilterChain[] {
  const from = matrices[matrix ?? "bt709"];
  const right = release === undefined || release.major >= drawsRightSince;
  if (right || from === undefined) return [...graph];
  return graph.map((chain) => ({
    ...chain,
    filters: chain.filters.flatMap((filter, index, all): VideoFilter[] => {
      const [before, after] = [all[index - 1], all[index + 1]];
      const begins = draws(filter) && (before === undefined || !draws(before));
      const ends = draws(filter) && (after === undefined || !draws(after));
      return [
        ...(begins ? [{ filter: "matrix" as const, from, to: "bt601" as const }] : []),
        filter,
        ...(ends ? [{ filter: "matrix" as const, from: "bt601" as const, to: from }] : []),
      ];
    }),
  }));
}

/** What is drawn into a picture has the colours that it says, on every ffmpeg. Pure. */
import type { FilterChain, VideoFilter } from "../media/graph.ts";
import type { PlanContext, Step } from "./operation.ts";

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

/** White, greys and black: they are the same by every matrix. */
const grey = /^#?([0-9a-f]{2})\1\1$/i;

/** Whether a file that we wrote ourselves says no colour but greys. A number in somebody's words may look like one: then it does. */
function saysGreys(text: string): boolean {
  const colours = text.match(/&H[0-9A-F]+/gi) ?? [];
  return colours.every((colour) => {
    const digits = colour.slice(2);
    // Two digits are how much shines through.
    return digits.length === 2 || (digits.length >= 6 && grey.test(digits.slice(-6)));
  });
}

function isGrey(filter: VideoFilter, ours: readonly Step[]): boolean {
  if (filter.filter === "timecode") {
    return grey.test(filter.color) && (filter.box === null || grey.test(filter.box.color));
  }
  if (filter.filter !== "subtitles") return false;
  const { from } = filter;
  const work = ours.find(({ name }) => name === from.step)?.work;
  return work?.kind === "write" && work.file === from.file && saysGreys(work.text);
}

/**
 * The graph with the picture brought to BT.601 wherever something of a colour is drawn, and back: of the picture itself
 * that changes the last bit (60 dB PSNR), and takes as much time as decoding it.
 * @param matrix of the picture, in ffmpeg's words
 * @param ours steps that write what is drawn, in words of ours; what others wrote may say colours in any way
 */
export function drawnRight(
  graph: readonly FilterChain[],
  matrix: string | null,
  { release }: PlanContext,
  ours: readonly Step[],
): FilterChain[] {
  const from = matrices[matrix ?? "bt709"];
  const right = release === undefined || release.major >= drawsRightSince;
  if (right || from === undefined) return [...graph];
  const colours = (filter: VideoFilter) => draws(filter) && !isGrey(filter, ours);
  return graph.map((chain) => ({
    ...chain,
    filters: chain.filters.flatMap((filter, index, all): VideoFilter[] => {
      const [before, after] = [all[index - 1], all[index + 1]];
      const begins = colours(filter) && (before === undefined || !colours(before));
      const ends = colours(filter) && (after === undefined || !colours(after));
      return [
        ...(begins ? [{ filter: "matrix" as const, from, to: "bt601" as const }] : []),
        filter,
        ...(ends ? [{ filter: "matrix" as const, from: "bt601" as const, to: from }] : []),
      ];
    }),
  }));
}

/** HDR made SDR with the real ffmpeg: the grey card of BT.2408 stays the grey card, in both curves. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { renderFilter } from "../../src/media/filter-syntax.ts";
import { nativePicture } from "../../src/media/filters-picture.ts";
import { Rehearsal, run } from "./rehearsal.ts";
import { frames } from "./workshop.ts";

setDefaultTimeout(60_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

/** Signals as parts of full: black, the grey card, HDR's white of 58 % (PQ) and 75 % (HLG), the top. */
const grey = 0.38;
const curves = [
  { name: "HDR10", transfer: "smpte2084", white: 0.58 },
  { name: "HLG", transfer: "arib-std-b67", white: 0.75 },
] as const;
const code = (part: number) => Math.round(64 + part * 876);
/** What SDR has for the grey card (ITU-R BT.2408, table 1). */
const greyInSdr = 0.425;

/** Columns of 16 pixels, one for each signal. */
const columns = (parts: readonly number[]) =>
  parts.map((part, index) => `${code(part)}*between(X,${index * 16},${index * 16 + 15})`).join("+");

/** Limited-range levels as parts of full. */
const partOf = (level: number) => (level - 16) / 219;

/** The luma of the middle of each column. */
function lumas(path: string, count: number): number[] {
  const argv = [
    "-v",
    "error",
    "-i",
    path,
    "-frames:v",
    "1",
    "-f",
    "rawvideo",
    "-pix_fmt",
    "yuv420p",
    "-",
  ];
  const picture = Bun.spawnSync(["ffmpeg", "-nostdin", ...argv]).stdout;
  return Array.from({ length: count }, (_, index) =>
    partOf(picture[8 * count * 16 + index * 16 + 8] ?? 0),
  );
}

function source(name: string, transfer: string, parts: readonly number[], more = ""): string {
  const size = `${parts.length * 16}x32`;
  return stage.make(
    name,
    ...["-f", "lavfi", "-i", `color=black:size=${size}:rate=25:duration=0.2`],
    ...["-vf", `format=yuv420p10le,geq=lum='${columns(parts)}':cb=512:cr=512`, "-c:v", "libx265"],
    ...[
      "-x265-params",
      `log-level=0:lossless=1:colorprim=bt2020:transfer=${transfer}:colormatrix=bt2020nc:range=limited${more}`,
    ],
  );
}

describe("mid-grey stays within 5 %", () => {
  for (const { name, transfer, white } of curves) {
    test(`of ${name}; black stays black, white comes near white, and nothing turns round`, async () => {
      const parts = [0, 0.2, grey, white, 1];
      const path = source(
        `${name}.mkv`,
        transfer,
        parts,
        transfer === "smpte2084" ? ":hdr10=1" : "",
      );
      const made = await stage.transcode(
        { video: { codec: "h264", quality: 100 }, hdr: "sdr" },
        path,
      );
      expect(made.media.video?.hdr).toBeNull();
      const [black = 1, dark = 0, middle = 0, bright = 0, top = 0] = lumas(made.path, parts.length);
      expect(Math.abs(black)).toBeLessThan(0.01);
      expect(Math.abs(middle / greyInSdr - 1)).toBeLessThan(0.05);
      expect(bright).toBeGreaterThan(0.75);
      expect(bright).toBeLessThanOrEqual(1);
      expect([black, dark, middle, bright, top]).toEqual(
        [black, dark, middle, bright, top].toSorted((a, b) => a - b),
      );
    });
  }

  test("however bright the master is said to be, and in a still as in a film", async () => {
    const levels = [undefined, 400, 4000].map((peakNits) => {
      const filters = [
        { filter: "tonemap" as const, from: "hdr10" as const, ...(peakNits ? { peakNits } : {}) },
        { filter: "format" as const, pixelFormats: ["yuv420p"] },
      ].flatMap(nativePicture);
      const flat = `format=yuv420p10le,geq=lum=${code(grey)}:cb=512:cr=512`;
      const path = `${stage.folder}/peak-${peakNits ?? "unknown"}.mkv`;
      const graph = [flat, ...filters.map(renderFilter)].join(",");
      run([
        "-f",
        "lavfi",
        "-i",
        "color=black:size=16x32:rate=25:duration=0.04",
        "-vf",
        graph,
        "-c:v",
        "ffv1",
        path,
      ]);
      return lumas(path, 1)[0] ?? 0;
    });
    for (const level of levels) expect(Math.abs(level / greyInSdr - 1)).toBeLessThan(0.05);
    const film = source("still.mkv", "smpte2084", [grey, grey], ":hdr10=1");
    const { outputs } = await stage.perform(
      "thumbnails",
      { format: "png", poster: { at: 0 } },
      film,
    );
    const picture = frames(outputs[0]?.path ?? "")[0] ?? new Uint8Array();
    expect(Math.abs((picture[16 * 32 + 16] ?? 0) / 255 / greyInSdr - 1)).toBeLessThan(0.05);
  });
});

/** Full-range and RGB films that are scaled twice: their levels and colours stay, as a player shows them. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { pixelAt, Rehearsal } from "./rehearsal.ts";
import { work } from "./workshop.ts";

setDefaultTimeout(60_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

const colour = [30, 120, 225] as const;
const flat = [
  "-f",
  "lavfi",
  "-i",
  `color=c=0x${Buffer.from(colour).toString("hex")}:s=64x48:d=0.4`,
];
const sources = {
  "full-range": stage.make(
    "full.avi",
    ...[...flat, "-vf", "scale=out_range=pc:out_color_matrix=bt601", "-c:v", "mjpeg", "-q:v", "2"],
  ),
  RGB: stage.make("rgb.mkv", ...flat, "-pix_fmt", "bgr0", "-c:v", "ffv1"),
};

const fine = { effort: "fast", quality: 90 };
const doubled: [operation: string, params: object][] = [
  ["enhance", { upscale: { factor: 2 }, ...fine }],
  ["reframe", { aspect: "1:1", keyframes: [{ time: 0 }, { time: 0.2, zoom: 2 }], ...fine }],
];

test.each(
  doubled.flatMap(([operation, params]) =>
    (["full-range", "RGB"] as const).map((source) => [operation, source, params] as const),
  ),
)("%s keeps the levels of %s", async (operation, source, params) => {
  const { paths } = await work(stage.folder, operation, params, [sources[source]]);
  const found = pixelAt(paths[0] ?? "", 20, 20);
  for (const [at, level] of colour.entries()) {
    expect(Math.abs((found[at] ?? 0) - level)).toBeLessThan(5);
  }
});

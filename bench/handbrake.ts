/**
 * A transcode next to HandBrake at the same x264 preset and CRF: the speed, and what is left of the picture. Once with
 * HandBrake's filters off, so that both do the same, and once as it comes, with those of its own default.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { executable } from "../tests/appliance.ts";
import { type Extent, extentOf, type Figure } from "./figure.ts";
import { type EncodeConditions, encodeConditions } from "./material.ts";
import { pairFigure, pairs, spent } from "./pairs.ts";

/** Luma SSIM of a film against its source, by ffmpeg's own filter. */
function ssim(film: string, source: string): number {
  const argv = ["ffmpeg", "-nostdin", "-hide_banner", "-i", film, "-i", source];
  const compare = ["-lavfi", "[0:v][1:v]ssim", "-f", "null", "-"];
  const said = Bun.spawnSync([...argv, ...compare], { stdio: ["ignore", "ignore", "pipe"] });
  return Number(/SSIM Y:([\d.]+)/.exec(said.stderr.toString())?.[1]);
}

interface Way {
  words: string;
  argv: readonly string[];
}

const ways: readonly Way[] = [
  {
    words: "HandBrakeCLI, its filters off",
    argv: ["--no-comb-detect", "--no-deinterlace", "--vfr", "--crop", "0:0:0:0"],
  },
  { words: "HandBrakeCLI as it comes", argv: [] },
];

export async function handbrake(extent: Extent): Promise<Figure[]> {
  if (Bun.which("HandBrakeCLI") === null) {
    throw new Error("HandBrakeCLI is missing: run script/bootstrap --bench");
  }
  const figures: Figure[] = [];
  for (const each of encodeConditions) {
    for (const way of ways) figures.push(...(await beside(extent, each, way)));
  }
  return figures;
}

async function beside(
  extent: Extent,
  { speed, preset, film: make, of }: EncodeConditions,
  way: Way,
): Promise<Figure[]> {
  const { rounds, seconds } = extentOf(extent, { rounds: 4, seconds: 60 });
  const film = await make(seconds);
  const folder = mkdtempSync(join(tmpdir(), "handbrake-"));
  const [ours, theirs] = [join(folder, "ours.mp4"), join(folder, "theirs.mp4")];
  try {
    const params = ["video.codec=h264", "video.quality=65", `speed=${speed}`].flatMap((each) => [
      "-p",
      each,
    ]);
    const found = await pairs(
      rounds,
      () =>
        spent(
          [executable, "run", "transcode", film, "-o", ours, "--overwrite", ...params].concat([
            ...["--device", "cpu"],
          ]),
          folder,
        ),
      () =>
        spent(
          [
            ...["HandBrakeCLI", "-i", film, "-o", theirs, "-e", "x264", "--encoder-preset", preset],
            ...["-q", "22.5", ...way.argv, "-E", "copy:aac", "--optimize"],
          ],
          folder,
        ),
    );
    const [ourSsim, theirSsim] = [ssim(ours, film), ssim(theirs, film)];
    const bytes = (path: string) => (statSync(path).size / 1e6).toFixed(2);
    const what = `transcode at x264 ${preset}, CRF 22.5${of}`;
    const by = { with: way.words, target: null };
    const wall = pairFigure(what, found, "wallSeconds", by);
    return [
      {
        ...wall,
        what: `speed of a ${what}: HandBrake's time ÷ ours`,
        value: 1 / wall.value,
        target: { atLeast: 1.1 },
      },
      pairFigure(what, found, "cpuSeconds", by),
      {
        what: `SSIM of the luma of both${of}`,
        ours: `${ourSsim.toFixed(5)} in ${bytes(ours)} MB`,
        other: `${theirSsim.toFixed(5)} in ${bytes(theirs)} MB, ${way.words}`,
        value: ourSsim / theirSsim,
        target: { atLeast: 0.999 },
      },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Keyframes where segments begin, on every encoder of the CPU that there is: packets of real files. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ffmpeg } from "../../tests/clips.ts";
import { toolchain } from "../../tests/support/toolchain.ts";
import type { RenderDescription, VideoCodec } from "./description.ts";
import { cpuDevice } from "./devices.ts";
import { videoEncoders } from "./encoders.ts";
import { renderArgv } from "./render.ts";

setDefaultTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), "keyframes-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Twenty frames after each other that have nothing in common: a change of scene at 0.8 s and 1.6 s. */
function cuts(rate: string): string {
  const path = join(folder, `cuts-${rate.replace("/", "-")}.mkv`);
  const scenes = ["testsrc2", "mandelbrot", "smptebars"].map(
    (name) => `${name}=s=160x128:r=${rate}`,
  );
  const graph = scenes.map((scene, index) => `${scene},trim=end=0.8,format=yuv420p[s${index}]`);
  const all = `${graph.join(";")};[s0][s1][s2]concat=n=3[out]`;
  ffmpeg("-filter_complex", all, "-map", "[out]", "-c:v", "ffv1", path);
  return path;
}

function description(codec: VideoCodec, forced: number | null): RenderDescription {
  return {
    inputs: [{ from: { asset: 0 } }],
    graph: [],
    expectedSeconds: null,
    outputs: [
      {
        ...{ file: "output.mkv", container: "mkv", metadataFrom: null, limitSeconds: null },
        ...{ audio: [], subtitles: [] },
        video: {
          ...{ kind: "encode", source: { input: 0, stream: 0 }, codec, rate: { quality: 40 } },
          ...{ speed: "fast", pixelFormat: "yuv420p", gopFrames: 60, width: 160, height: 128 },
          color: { primaries: null, transfer: null, space: null, range: null },
          ...(forced === null
            ? {}
            : { forcedKeyframes: { everySeconds: forced, segmentSeconds: forced } }),
        },
      },
    ],
  };
}

/** Where keyframes stand, in milliseconds. */
function keyframes(codec: VideoCodec, source: string, forced: number | null): number[] {
  const target = { device: cpuDevice(1), toolchain };
  const files = { resolve: () => source, outputFolder: folder };
  const { argv } = renderArgv(description(codec, forced), target, files);
  ffmpeg(...argv);
  const path = join(folder, "output.mkv");
  const what = ["-show_entries", "packet=pts_time,flags", "-of", "csv=p=0", path];
  const said = Bun.spawnSync(["ffprobe", "-v", "error", ...what]).stdout.toString();
  const lines = said.split("\n").map((line) => line.split(","));
  return lines.flatMap(([time, flags]) =>
    flags?.includes("K") ? Math.round(Number(time) * 1000) : [],
  );
}

describe("keyframes stand at the multiples and nowhere else", () => {
  const codecs = (["h264", "hevc", "av1", "vp9"] satisfies VideoCodec[]).filter((codec) =>
    videoEncoders[codec].some((name) => toolchain.encoders.has(name)),
  );
  for (const codec of codecs) {
    test(codec, () => {
      expect(keyframes(codec, cuts("25"), 0.6)).toEqual([0, 600, 1200, 1800]);
    });
  }

  test("of a rate whose frames are no whole fractions of a second", () => {
    const frame = 1001 / 30_000;
    // Fifteen frames; three times that is in floating point a hair more than the forty-fifth's time.
    const expected = [0, 15, 30, 45, 60].map((number) => Math.round(number * frame * 1000));
    expect(keyframes("h264", cuts("30000/1001"), 15 * frame)).toEqual(expected);
  });

  test("and where nothing is said, also where the scene changes", () => {
    expect(keyframes("h264", cuts("25"), null)).toEqual([0, 800, 1600]);
  });
});

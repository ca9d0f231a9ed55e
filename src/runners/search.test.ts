/** Steps that try and steps that find out, with the real ffmpeg. */
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ffmpeg } from "../../tests/clips.ts";
import { toolchain } from "../../tests/support/toolchain.ts";
import { loadConfig } from "../config.ts";
import type { RenderDescription, StepWork } from "../media/description.ts";
import { cpuDevice } from "../media/devices.ts";
import { LocalRunner } from "./local.ts";
import type { AttemptOutcome } from "./runner.ts";

const root = mkdtempSync(join(tmpdir(), "kinomill-search-"));
afterAll(() => rmSync(root, { recursive: true }));

const source = join(root, "source.mkv");
ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=1", "-c:v", "libx264", source);

const config = await loadConfig({
  file: null,
  environment: {},
  flags: { "storage.reserveBytes": 0, "ffmpeg.niceness": 0 },
});
const runner = new LocalRunner({ toolchain, config });

let jobs = 0;

async function run(work: StepWork): Promise<{ outcome: AttemptOutcome; folder: string }> {
  const jobFolder = join(root, `job-${++jobs}`);
  mkdirSync(jobFolder);
  const outcome = await runner.run({
    ...{ device: cpuDevice(1), work, assetPaths: [source], jobFolder, step: "make" },
    expectations:
      work.kind === "analyse"
        ? [{ file: work.file, kind: "text", ...nothingElse }]
        : [{ file: "output.image", kind: "image", ...nothingElse }],
    ...{ verify: "quick", signal: new AbortController().signal, onProgress: () => {} },
  });
  return { outcome, folder: join(jobFolder, "make") };
}

const nothingElse = { durationSeconds: null, video: null, audioTracks: 0, audioCodecs: [] };

function still(width: number): RenderDescription {
  return {
    inputs: [{ from: { asset: 0 } }],
    graph: [
      {
        from: { input: 0, stream: 0 },
        filters: [
          { filter: "scale", width, height: width },
          { filter: "still", codec: "png" },
        ],
        to: "picture",
      },
    ],
    outputs: [
      {
        ...{ file: "output.image", container: "image", audio: [], subtitles: [] },
        ...{ metadataFrom: null, limitSeconds: null },
        video: {
          ...{ kind: "image", source: { pad: "picture" }, codec: "png", quality: 100, frames: 1 },
        },
      },
    ],
    expectedSeconds: null,
  };
}

const candidates = [300, 200, 20].map((width) => ({
  title: `${width} pixels wide`,
  description: still(width),
}));

test("a search keeps the first that fits, proves it, and tells the tries", async () => {
  const work = { kind: "search", candidates, file: "output.image", maxBytes: 3_000 } as const;
  const { outcome } = await run({ ...work, orLast: false });
  if (outcome.kind !== "done") throw new Error(JSON.stringify(outcome));
  expect(outcome.outputs[0]?.media?.video?.width).toBe(20);
  expect(outcome.outputs[0]?.checks.filter((check) => check.startsWith("Try"))).toEqual([
    expect.stringMatching(/^Try 1: 300 pixels wide: \d+\.\d kB$/),
    expect.stringMatching(/^Try 2: 200 pixels wide: \d+\.\d kB$/),
    expect.stringMatching(/^Try 3: 20 pixels wide: \d\.\d kB, which fits$/),
  ]);
});

test("a search in which nothing fits fails with the tries, or keeps the last when told so", async () => {
  const work = { kind: "search", candidates, file: "output.image", maxBytes: 10 } as const;
  const { outcome } = await run({ ...work, orLast: false });
  expect(outcome).toMatchObject({
    kind: "failed",
    report: {
      code: "output_rejected",
      message: "The smallest try is still larger than 0.0 kB.",
      log: expect.stringContaining("Try 3: 20 pixels wide"),
    },
  });
  expect((await run({ ...work, orLast: true })).outcome.kind).toBe("done");
});

test("an analysis whose figure ffmpeg does not tell fails, and makes none up", async () => {
  const description: RenderDescription = {
    inputs: [{ from: { asset: 0 } }],
    graph: [],
    outputs: [
      {
        ...{ file: "nothing.null", container: "null", video: null, subtitles: [] },
        ...{ metadataFrom: null, limitSeconds: null, audio: [] },
      },
    ],
    expectedSeconds: null,
  };
  const { outcome } = await run({
    ...{ kind: "analyse", description, reading: "meter", file: "meter.json" },
  });
  expect(outcome).toMatchObject({ kind: "failed" });
});

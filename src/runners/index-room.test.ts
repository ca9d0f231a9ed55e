import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ffmpeg } from "../../tests/clips.ts";
import { toolchain } from "../../tests/support/toolchain.ts";
import { loadConfig } from "../config.ts";
import type { RenderDescription } from "../media/description.ts";
import { cpuDevice } from "../media/devices.ts";
import { LocalRunner } from "./local.ts";

setDefaultTimeout(60_000);

const root = mkdtempSync(join(tmpdir(), "index-room-test-"));
afterAll(() => rmSync(root, { recursive: true }));

const flags = { "storage.reserveBytes": 0, "jobs.stallSeconds": 20, "ffmpeg.niceness": 0 };
const config = await loadConfig({ file: null, environment: {}, flags });
const runner = new LocalRunner({ toolchain, config });

/** Half a minute, so that its index has thousands of entries. */
const source = join(root, "source.mp4");
ffmpeg(
  ...["-f", "lavfi", "-i", "testsrc2=s=64x48:r=50:d=30", "-f", "lavfi", "-i", "sine=d=30"],
  ...["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-c:a", "aac", source],
);

function copying(indexBytes?: number): RenderDescription {
  const track = (stream: number, codec: string) =>
    ({ kind: "copy", source: { input: 0, stream }, codec }) as const;
  return {
    inputs: [{ from: { asset: 0 } }],
    graph: [],
    outputs: [
      {
        ...{ file: "output.mp4", container: "mp4", video: track(0, "h264") },
        ...{ audio: [track(1, "aac")], subtitles: [], metadataFrom: 0, limitSeconds: null },
        ...(indexBytes === undefined ? {} : { indexBytes }),
      },
    ],
    expectedSeconds: 30,
  };
}

async function copied(step: string, description: RenderDescription) {
  const jobFolder = join(root, step);
  mkdirSync(jobFolder);
  const outcome = await runner.run({
    ...{ device: cpuDevice(1), work: { kind: "render", description } as const, step },
    ...{ assetPaths: [source], jobFolder, verify: "full", onProgress: () => {} },
    signal: new AbortController().signal,
    expectations: [
      {
        ...{ file: "output.mp4", kind: "video", durationSeconds: 30 },
        video: { codec: "h264", width: 64, height: 48 },
        ...{ audioTracks: 1, audioCodecs: ["aac"] },
      },
    ],
  });
  if (outcome.kind !== "done") throw new Error(JSON.stringify(outcome));
  const [output] = outcome.outputs;
  if (output === undefined) throw new Error("there is an output");
  return output;
}

/** Types and sizes of the boxes of a small file. */
function boxesOf(path: string): [type: string, size: number][] {
  const bytes = readFileSync(path);
  const found: [string, number][] = [];
  for (let at = 0; at < bytes.length; at += found.at(-1)?.[1] ?? 0) {
    found.push([bytes.toString("latin1", at + 4, at + 8), bytes.readUInt32BE(at)]);
  }
  return found;
}

/** A checksum of every packet of a file, with its times. */
function packetsOf(path: string): string {
  const argv = [
    "ffmpeg",
    "-v",
    "error",
    "-i",
    path,
    "-map",
    "0",
    "-c",
    "copy",
    "-f",
    "framemd5",
    "-",
  ];
  const { stdout, exitCode } = Bun.spawnSync(argv, { timeout: 30_000 });
  expect(exitCode).toBe(0);
  return stdout.toString();
}

const types = (path: string) => boxesOf(path).map(([type]) => type);
/** ffmpeg leaves a free box before its data, in case they need 64 bits. */
const afterwards = ["ftyp", "moov", "free", "mdat"];

test("a copy with room for its index is written once, the index at its front", async () => {
  const plain = await copied("plain", copying());
  expect(types(plain.path)).toEqual(afterwards);
  const { path, sizeBytes, checks } = await copied("room", copying(100_000));
  expect(types(path)).toEqual(["ftyp", "moov", "free", "free", "mdat"]);
  const [, moov = ["", 0], rest = ["", 0]] = boxesOf(path);
  expect(moov[1] + rest[1]).toBe(100_000);
  expect(sizeBytes).toBe(plain.sizeBytes + rest[1]);
  expect(packetsOf(path)).toBe(packetsOf(plain.path));
  expect(packetsOf(path)).toBe(packetsOf(source));
  expect(checks).toEqual(plain.checks);
});

test.each([
  ["far too small", 100],
  ["too small by a little", -4],
  ["as large as the index, which leaves no place for a box that says how much is left", 0],
])("a room that is %s costs a second writing and nothing else", async (_, bytes) => {
  const plain = await copied(`plain-${bytes}`, copying());
  const [, [, exact] = ["", 0]] = boxesOf(plain.path);
  const made = await copied(`small-${bytes}`, copying(bytes > 0 ? bytes : exact + bytes));
  expect(types(made.path)).toEqual(afterwards);
  expect(packetsOf(made.path)).toBe(packetsOf(source));
  expect(made.checks.join("\n")).toContain("Written a second time");
});

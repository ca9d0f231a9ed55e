/** Every operation's example, as the documentation shows it, carried out by `kinomill run`. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { MediaInfo } from "../../src/media/media.ts";
import { probe } from "../../src/media/probe.ts";
import { operations, parseParams, planFor } from "../../src/operations/index.ts";
import type { Operation } from "../../src/operations/operation.ts";
import { textsFromParams } from "../../src/operations/parameter-texts.ts";
import { Refusal } from "../../src/trouble.ts";
import { ffmpeg } from "../clips.ts";
import { type InputKind, inputCandidates } from "./example-inputs.ts";
import { toolchain } from "./rehearsal.ts";

/** Longer than any time that an example names, in a picture small enough to be done in seconds. */
const filmSeconds = 90;
/** The slowest example encodes all of the film several times, on two busy cores. */
const LIMIT_MS = 180_000;

let folder: string;
const media = new Map<InputKind, MediaInfo>();
const files: Record<InputKind, string> = {
  film: "match.mov",
  image: "logo.png",
  sound: "music.wav",
  subtitles: "match.srt",
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "examples-"));
  const path = (kind: InputKind) => join(folder, files[kind]);
  const picture = ["-f", "lavfi", "-i", `testsrc2=size=192x108:rate=10:duration=${filmSeconds}`];
  const tone = [
    "-f",
    "lavfi",
    "-i",
    `sine=frequency=440:sample_rate=48000:duration=${filmSeconds}`,
  ];
  const encode = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"];
  ffmpeg(...picture, ...tone, ...encode, path("film"));
  ffmpeg(...tone, path("sound"));
  ffmpeg(
    "-f",
    "lavfi",
    "-i",
    "color=c=red@0.5:s=64x32,format=rgba",
    "-frames:v",
    "1",
    path("image"),
  );
  await Bun.write(path("subtitles"), "1\n00:00:01,000 --> 00:00:03,000\nGoal!\n");
  for (const kind of ["film", "image", "sound", "subtitles"] as const) {
    // Subtitles alone are media only for operations that say so.
    const known = await probe(path(kind), toolchain).catch(() => null);
    if (known !== null) media.set(kind, known);
  }
}, LIMIT_MS);

afterAll(() => rm(folder, { recursive: true, force: true }));

/** The files that the example's plan takes. */
function inputsFor(operation: Operation): InputKind[] {
  const params = parseParams(operation, operation.example);
  const refusals: string[] = [];
  for (const kinds of inputCandidates(operation)) {
    const inputs = kinds.flatMap((kind) => {
      const known = media.get(kind);
      return known === undefined ? [] : [{ name: files[kind], media: known }];
    });
    if (inputs.length < kinds.length) continue;
    try {
      planFor(operation, params, inputs, toolchain);
      return kinds;
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      refusals.push(`${kinds.join(" + ")}: ${cause.message}`);
    }
  }
  throw new Error(`the example suits no files: ${refusals.join("; ")}`);
}

describe("the example of", () => {
  test.each(operations.map((operation) => [operation.name, operation] as const))(
    "%s runs, and every file that it makes is proven",
    async (name, operation) => {
      const inputs = inputsFor(operation).map((kind) => join(folder, files[kind]));
      const output = join(folder, `made-by-${name}`);
      await mkdir(output);
      const texts = textsFromParams(operation, operation.example as Record<string, unknown>);
      const params = texts.flatMap(([path, text]) => ["-p", `${path}=${text}`]);
      const program = [process.execPath, resolve(import.meta.dir, "../../src/main.ts")];
      const argv = [...program, "run", name, ...inputs, "-o", output, "--json", ...params];
      const child = Bun.spawn([...argv, "--data", join(folder, "data"), "--device", "cpu"], {
        stdio: ["ignore", "pipe", "pipe"],
        timeout: LIMIT_MS,
      });
      const [stdout, stderr] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ]);
      const exitCode = await child.exited;
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.any(String) });
      const last = JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}");
      expect(last.type).toBe("done");
      expect(last.outputs.length).toBeGreaterThan(0);
      for (const made of last.outputs) {
        expect(Bun.file(made.path).size).toBe(made.sizeBytes);
        expect(made.sizeBytes).toBeGreaterThan(0);
      }
    },
    LIMIT_MS,
  );
});

/** Sound that is brought to a loudness, by an independent meter. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Device } from "../../src/media/devices.ts";
import { gpuSkills } from "../../src/media/gpu-skill.ts";
import { enterBox, gpuBox } from "../gpu-box.ts";
import {
  bursts,
  exact,
  levelDb,
  meter,
  onsets,
  peaky,
  pictureHash,
  rate,
  samples,
  sound,
  soundShop,
} from "./hearing.ts";
import { work } from "./workshop.ts";

// Each makes sound, renders it and decodes all of it, on a machine that others use too.
setDefaultTimeout(60_000);
const root = mkdtempSync(join(tmpdir(), "loudness-test-"));
afterAll(() => rmSync(root, { recursive: true }));

const { make, ...shop } = soundShop(root);
const film = shop.film();

describe("loudness", () => {
  const source = (name: string, graph: string, ...more: string[]) =>
    make(name, ...sound(graph), ...more);
  const cases: [name: string, graph: string, layout: string][] = [
    ["quiet-mono", `${peaky(6)},volume=-20dB`, "1"],
    ["peaky-stereo", peaky(6), "2"],
    ["round", `${peaky(6)},volume=-6dB`, "6"],
    ["short", `${bursts(2)},volume=-10dB`, "2"],
  ];
  for (const [name, graph, layout] of cases) {
    for (const lufs of [-16, -23]) {
      test(`${name} lands at ${lufs} LUFS`, async () => {
        const path = source(`${name}${lufs}.wav`, graph, "-ac", layout);
        const wish = { do: "loudness", loudness: { lufs } };
        const made = await work(root, "audio", wish, [path]);
        const [out = ""] = made.paths;
        const { lufs: found, peak } = meter(out);
        expect(Math.abs(found - lufs)).toBeLessThanOrEqual(0.5);
        expect(peak).toBeLessThanOrEqual(-1 + 0.5);
        expect(exact(out).length / exact(path).length).toBe(1);
      });
    }
  }

  for (const format of ["aac", "mp3", "opus"]) {
    test(`${format} lands too, its peaks with it`, async () => {
      // Tones as of a voice, so loud that the limiter works. Limited noise comes out of codecs up to 2 dB higher.
      const path = source(`lossy-${format}.wav`, bursts(4), "-ac", "2");
      const wish = { format, loudness: { lufs: -7 } };
      const { lufs, peak } = meter((await work(root, "audio", wish, [path])).paths[0] ?? "");
      expect(Math.abs(lufs + 7)).toBeLessThanOrEqual(0.5);
      expect(peak).toBeGreaterThan(-2.5);
      expect(peak).toBeLessThanOrEqual(-1 + 0.5);
    });
  }

  test("a gain alone leaves the shape", async () => {
    const path = source("soft.wav", `${peaky(4)},volume=-30dB`, "-ac", "2");
    const made = await work(root, "audio", { do: "loudness", loudness: { lufs: -36 } }, [path]);
    const [before, after] = [samples(path), samples(made.paths[0] ?? "")];
    const gain = levelDb(after, 0, 4) - levelDb(before, 0, 4);
    for (const at of [0.5, 1, 2.5]) {
      expect(levelDb(after, at, at + 0.2) - levelDb(before, at, at + 0.2)).toBeCloseTo(gain, 1);
    }
  });

  test("silence stays silence", async () => {
    const path = source("silence.wav", `anullsrc=r=${rate}:cl=stereo,atrim=end=2`);
    const made = await work(root, "audio", { do: "loudness" }, [path]);
    expect(samples(made.paths[0] ?? "").every((sample) => sample === 0)).toBe(true);
  });

  test("of a video every track lands, and the picture is the same", async () => {
    const made = await work(root, "audio", { do: "loudness", loudness: { lufs: -20 } }, [film]);
    const [out = ""] = made.paths;
    expect(Math.abs(meter(out, "a:0").lufs + 20)).toBeLessThanOrEqual(0.5);
    expect(Math.abs(meter(out, "a:1").lufs + 20)).toBeLessThanOrEqual(0.5);
    expect(pictureHash(out)).toBe(pictureHash(film));
    expect(made.media[0]?.audio.map(({ language }) => language)).toEqual(["eng", "deu"]);
    expect(onsets(samples(out, { stream: "a:1" })).map((time) => time.toFixed(2))).toEqual([
      ...["0.00", "1.00", "2.00", "3.00"],
    ]);
  });

  test("of one track of a video, the other stays as it is", async () => {
    const wish = { do: "loudness", track: "deu", loudness: { lufs: -30 } };
    const [out = ""] = (await work(root, "audio", wish, [film])).paths;
    expect(Math.abs(meter(out, "a:1").lufs + 30)).toBeLessThanOrEqual(0.5);
    expect(samples(out)).toEqual(samples(film));
  });
});

test("a transcode brings every track to its loudness, of the piece that is kept", async () => {
  const wish = {
    ...{ from: 1, to: 3.5, speed: "fast", video: { maxHeight: 36 } },
    audio: { codec: "aac", loudness: -20 },
  };
  const { paths, media, plan } = await work(root, "transcode", wish, [film]);
  const [out = ""] = paths;
  expect(plan.steps).toHaveLength(5);
  expect(media[0]?.video?.height).toBe(36);
  for (const stream of ["a:0", "a:1"]) {
    expect(Math.abs(meter(out, stream).lufs + 20)).toBeLessThanOrEqual(0.5);
    expect(meter(out, stream).peak).toBeLessThanOrEqual(-0.5);
  }
  const found = onsets(samples(out, { stream: "a:1" }));
  for (const [index, time] of found.entries()) expect(Math.abs(time - index)).toBeLessThan(0.005);
});

test("where the picture cannot be copied a GPU encodes it, and the sound lands as ever", async () => {
  const avi = make(
    "old.avi",
    ...sound("testsrc2=size=256x144:rate=25:duration=2"),
    ...sound(peaky(2)),
    "-c:v",
    "mpeg4",
  );
  using box = gpuBox({ gpus: "twoL4" });
  using _inside = await enterBox(box);
  const traits = {
    uuid: box.uuid(0),
    computeCapability: "8.9",
    memoryTotalBytes: null,
    skills: gpuSkills,
  };
  const gpu: Device = { id: "gpu:0", kind: "gpu", title: "NVIDIA L4", slots: 1, traits };
  const made = await work(root, "audio", { do: "loudness", loudness: { lufs: -20 } }, [avi], gpu);
  expect(made.encoders.at(-1)).toBe("h264_nvenc");
  expect(Math.abs(meter(made.paths[0] ?? "").lufs + 20)).toBeLessThanOrEqual(0.5);
});

import { describe, expect, test } from "bun:test";
import { audio, everything, media, video } from "../../tests/operations/specimen.ts";
import { findOperation, parseParams, planFor } from "../operations/index.ts";
import { expectedWorkSeconds, onCpu, type WorkPlace } from "./expected-work.ts";
import type { MediaInfo } from "./media.ts";

const one = onCpu(1);

/** Seconds of all steps of a job. */
function secondsOf(
  operation: string,
  params: unknown,
  source: MediaInfo = media(),
  place: WorkPlace = one,
): number {
  const found = findOperation(operation);
  const inputs = [{ name: "match.mov", media: source }];
  const plan = planFor(found, parseParams(found, params), inputs, everything);
  return plan.steps.reduce((sum, { work }) => sum + expectedWorkSeconds(work, [source], place), 0);
}

const small = { video: { maxHeight: 720 } };

describe("what an encode is expected to take", () => {
  test("grows with the length", () => {
    const ten = secondsOf("transcode", small, media({ durationSeconds: 600 }));
    const hundred = secondsOf("transcode", small, media({ durationSeconds: 6000 }));
    expect(hundred / ten).toBeGreaterThan(9.5);
    expect(hundred / ten).toBeLessThan(10.1);
  });

  test("grows with the pixels that are made, and with those that are read", () => {
    const of = (maxHeight: number, source = media()) =>
      secondsOf("transcode", { video: { maxHeight, quality: 65 } }, source);
    expect(of(1080)).toBeGreaterThan(of(720));
    expect(of(720)).toBeGreaterThan(of(360));
    const uhd = media({ video: video({ width: 3840, height: 2160 }) });
    expect(of(360, uhd)).toBeGreaterThan(of(360));
  });

  test("follows the speed and the codec", () => {
    const of = (speed: string, codec = "h264") =>
      secondsOf("transcode", { video: { codec, maxHeight: 720 }, speed });
    expect(of("best")).toBeGreaterThan(of("balanced"));
    expect(of("balanced")).toBeGreaterThan(of("fast"));
    expect(of("balanced", "hevc")).toBeGreaterThan(of("balanced"));
    expect(of("balanced", "av1")).toBeGreaterThan(of("balanced"));
  });

  test("shrinks with the cores, up to what a run can use", () => {
    const long = media({ durationSeconds: 3600 });
    const of = (cores: number) => secondsOf("transcode", small, long, onCpu(cores));
    expect(of(8) / of(4)).toBeCloseTo(0.5, 1);
    expect(of(64)).toBe(of(16));
  });

  test("is less on a GPU, and the CPU's filters can hold a GPU up", () => {
    const long = media({ durationSeconds: 3600 });
    const card: WorkPlace = { ...onCpu(2), encode: "nvenc", decode: "nvdec", filters: "cuda" };
    const cpu = secondsOf("transcode", small, long, onCpu(2));
    const gpu = secondsOf("transcode", small, long, card);
    expect(gpu).toBeLessThan(cpu / 3);
    expect(secondsOf("transcode", small, long, { ...card, filters: "cpu" })).toBeGreaterThan(gpu);
  });

  test("counts a full proof", () => {
    const long = media({ durationSeconds: 3600 });
    const full = secondsOf("transcode", small, long, { ...one, verify: "full" });
    expect(full).toBeGreaterThan(secondsOf("transcode", small, long) * 1.02);
  });
});

test("a copy is next to nothing, and grows with its bytes", () => {
  const of = (bitRate: number) =>
    secondsOf("transcode", {}, media({ durationSeconds: 600, bitRate }));
  expect(of(5_000_000)).toBeLessThan(
    secondsOf("transcode", small, media({ durationSeconds: 600 })) / 40,
  );
  expect(of(50_000_000)).toBeGreaterThan(of(5_000_000) * 2);
});

test("keyframes alone are a small part of all frames", () => {
  const known = media({ durationSeconds: 600, video: video({ keyframeSeconds: 5 }) });
  const sprite = secondsOf("thumbnails", { sprite: { every: 10 } }, known);
  const unknown = secondsOf("thumbnails", { sprite: { every: 5 } }, { ...known, video: video() });
  expect(sprite).toBeLessThan(unknown / 2);
});

test("a fast cut takes as long whatever the length of its file", () => {
  const of = (durationSeconds: number, cut: string) =>
    secondsOf(
      "clip",
      { ranges: [{ from: 20, to: 40 }], cut },
      media({ durationSeconds, video: video({ keyframeSeconds: 2 }) }),
    );
  expect(of(3600, "fast")).toBe(of(60, "fast"));
  expect(of(60, "fast")).toBeLessThan(of(60, "exact") / 2);
});

test("sound alone is counted by its seconds and channels", () => {
  const sound = (channels: number) =>
    media({
      kind: "audio",
      video: null,
      durationSeconds: 6000,
      audio: [audio({ channels, index: 0 })],
    });
  const of = (channels: number) =>
    secondsOf("audio", { do: "extract", format: "opus" }, sound(channels));
  expect(of(6)).toBeGreaterThan(of(2));
});

test("what Kinomill writes itself takes no time", () => {
  expect(expectedWorkSeconds({ kind: "write", file: "a.vtt", text: "WEBVTT" }, [], one)).toBe(0);
});

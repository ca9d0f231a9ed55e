import { expect, test } from "bun:test";
import { audio, hdr10Video, media, video } from "../../tests/operations/specimen.ts";
import { planCompanion } from "./companions.ts";

const context = {
  encoders: new Set(["libx264", "aac", "mjpeg"]),
  filters: new Set(["scale", "fps", "tile", "zscale", "tonemap"]),
  chunks: { seconds: 60, cores: 8 },
};

function proxyOf(about: Parameters<typeof media>[0]) {
  const { work, expectation } = planCompanion("proxy", media(about), context);
  if (work.kind !== "render") throw new Error("not a render");
  const [output] = work.description.outputs;
  return { graph: work.description.graph, output, expectation };
}

test("a sheet has about a hundred pictures, whatever the length and the shape", () => {
  const gridOf = (seconds: number, shape = {}) =>
    planCompanion(
      "sprite",
      media({ durationSeconds: seconds, video: video({ ...shape }) }),
      context,
    ).facts;
  expect(gridOf(2)).toMatchObject({ every: 0.5, count: 4, columns: 4, rows: 1 });
  expect(gridOf(7200)).toMatchObject({ every: 72, count: 100, columns: 10, rows: 10 });
  expect(gridOf(86_400)).toMatchObject({ count: 100, tileWidth: 160, tileHeight: 90 });
  const upright = { width: 1080, height: 1920, displayWidth: 1080, displayHeight: 1920 };
  expect(gridOf(60, upright)).toMatchObject({ tileWidth: 160, tileHeight: 282 });
  const sliver = { width: 100, height: 2000, displayWidth: 100, displayHeight: 2000 };
  expect(gridOf(60, sliver)?.tileHeight).toBeLessThanOrEqual(284);
});

test("peaks are bounded, and follow from the length", () => {
  const factsOf = (durationSeconds: number) => {
    const { work } = planCompanion("peaks", media({ durationSeconds }), context);
    return work.kind === "analyse" ? (work.facts as { samplesPerPixel: number }) : null;
  };
  expect(factsOf(10)?.samplesPerPixel).toBe(480);
  expect(factsOf(36_000)?.samplesPerPixel).toBe((48_000 * 36_000) / 8_000);
});

test("a small copy is H.264 of 720 lines by the short side, with a keyframe every second and one stereo sound", () => {
  const { output, expectation } = proxyOf({
    video: video({ codec: "prores", frameRate: "60000/1001", pixelFormat: "yuv422p10le" }),
    audio: [audio({ codec: "ac3", channels: 6 }), audio({ codec: "ac3", index: 2 })],
  });
  expect(output?.video).toMatchObject({ codec: "h264", pixelFormat: "yuv420p", gopFrames: 60 });
  expect(output?.audio).toHaveLength(1);
  expect(output?.audio[0]).toMatchObject({ codec: "aac", channels: 2, bitRate: 128_000 });
  expect(output?.subtitles).toEqual([]);
  expect(expectation.video).toMatchObject({ width: 1280, height: 720 });
  const upright = video({ width: 1080, height: 1920, displayWidth: 1080, displayHeight: 1920 });
  expect(proxyOf({ video: upright }).expectation.video).toMatchObject({ width: 720, height: 1280 });
  const small = video({ width: 320, height: 240, displayWidth: 320, displayHeight: 240 });
  expect(proxyOf({ video: small }).expectation.video).toMatchObject({ width: 320, height: 240 });
});

test("HDR is shown as SDR, and sound alone stays sound", () => {
  expect(JSON.stringify(proxyOf({ video: hdr10Video }).graph)).toContain("tonemap");
  const { output, expectation } = proxyOf({ kind: "audio", video: null });
  expect([output?.video, expectation.kind]).toEqual([null, "audio"]);
});

test("what has none is refused", () => {
  const silent = media({ audio: [] });
  expect(() => planCompanion("peaks", silent, context)).toThrow("There is no sound in it.");
  const deaf = media({ kind: "audio", video: null });
  expect(() => planCompanion("sprite", deaf, context)).toThrow("There is no picture in it.");
  const endless = media({ durationSeconds: null });
  expect(() => planCompanion("sprite", endless, context)).toThrow("how long it is");
  expect(() => planCompanion("peaks", endless, context)).toThrow("how long it is");
});

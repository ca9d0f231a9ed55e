import { describe, expect, test } from "bun:test";
import { audio, everything, media, video } from "../../tests/operations/specimen.ts";
import type { MediaInfo } from "../media/media.ts";
import { findOperation, parseParams, planFor } from "./index.ts";
import type { PlanContext } from "./operation.ts";

/** The room that the last run of a plan keeps; undefined where it keeps none. */
function roomOf(
  name: string,
  params: unknown,
  source: MediaInfo,
  context: PlanContext = everything,
): number | undefined {
  const operation = findOperation(name);
  const inputs = [{ name: "film.mp4", media: source }];
  const { steps } = planFor(operation, parseParams(operation, params), inputs, context);
  const work = steps.map((step) => step.work).findLast((each) => "description" in each);
  if (work === undefined || !("description" in work)) throw new Error("a step runs ffmpeg");
  return work.description.outputs[0]?.indexBytes;
}

/** An hour at so many bits a second. */
const film = (bitRate: number, more: Partial<MediaInfo> = {}) =>
  media({
    ...{ durationSeconds: 3600, bitRate, video: video({ bitRate }), audio: [audio()] },
    ...more,
  });

const megabits = 1_000_000;

describe("room for the index of a large copy", () => {
  test("is for what an hour of packets can take at most", () => {
    const room = roomOf("transcode", {}, film(20 * megabits)) ?? 0;
    // 30 frames and 50 packets of sound a second, a megabyte in a chunk.
    const [frames, sounds, chunks] = [3600 * 30, 3600 * 50, 2 * 3600 * 30 + 8600];
    const packets = frames * 29 + sounds * 12 + chunks * 20;
    expect(room / packets).toBeWithin(1, 1.05);
  });

  test.each([
    ["QuickTime", "transcode", { container: "mov" }],
    ["what is cut without encoding it", "clip", { ranges: [{ from: 10, to: 3000 }], cut: "fast" }],
    [
      "a film whose sound alone is encoded",
      "transcode",
      { audio: { codec: "aac", bitRate: 64_000 } },
    ],
  ])("of %s", (_, name, params) => {
    expect(roomOf(name, params, film(20 * megabits))).toBeGreaterThan(1_000_000);
  });

  test("of the parts of a film that are joined", () => {
    const chunks = { seconds: 60, cores: 8 };
    const params = { video: { quality: 80 } };
    const room = roomOf("transcode", params, film(20 * megabits), { ...everything, chunks });
    expect(room).toBeGreaterThan(1_000_000);
  });

  test.each([
    ["a small film", {}, film(20 * megabits, { durationSeconds: 10 })],
    ["a film whose index is more than a hundredth of it", {}, film(megabits)],
    ["a film without a length", {}, film(20 * megabits, { durationSeconds: null })],
    ["an encode", { video: { quality: 80 } }, film(20 * megabits)],
    ["Matroska", { container: "mkv" }, film(20 * megabits)],
  ])("is not kept in %s", (_, params, source) => {
    expect(roomOf("transcode", params, source)).toBeUndefined();
  });

  test("grows with tracks, chapters and subtitles", () => {
    const [plain, rich] = [film(40 * megabits), film(40 * megabits)];
    rich.audio = [1, 2, 3, 4].map((index) => audio({ index }));
    rich.chapters = Array.from({ length: 500 }, (_, index) => ({
      ...{ startSeconds: index, endSeconds: index + 1, title: "Chapter" },
    }));
    const [less = 0, more = 0] = [roomOf("transcode", {}, plain), roomOf("transcode", {}, rich)];
    expect(more - less).toBeGreaterThan(3 * 3600 * 50 * 12 + 500 * 1024);
  });
});

/** Outputs that leave a part of their source out: each is as long as what it is made of, and no fault is seen in that. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { ffprobe } from "../clips.ts";
import { picture, Rehearsal, sine, x264 } from "./rehearsal.ts";
import { work } from "./workshop.ts";

setDefaultTimeout(60_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

const film = (name: string, pictureSeconds: number, soundSeconds: number) =>
  stage.make(name, ...picture("64x48", pictureSeconds), ...sine(soundSeconds), ...x264);
const longSound = film("long-sound.mp4", 2, 3);
const longPicture = film("long-picture.mp4", 3, 2);

async function seconds(operation: string, params: object, source: string): Promise<number> {
  const { paths } = await work(stage.folder, operation, params, [source]);
  return Number(ffprobe(paths[0] ?? "").format["duration"]);
}

describe("a film whose sound goes on behind its picture", () => {
  const silent: [operation: string, params: object, lasts: number][] = [
    ["transcode", { audio: { codec: "none" }, speed: "fast" }, 2],
    ["transcode", { audio: { codec: "none" }, speed: "fast", from: 0.6 }, 1.4],
    ["clip", { ranges: [{ from: 0.5, to: 2.8 }], audio: "none", effort: "fast" }, 1.5],
    ["animate", { format: "gif", width: 64, from: 0.6, to: 2.8 }, 1.4],
  ];
  test.each(silent)("is made silent by %s %j", async (operation, params, lasts) => {
    expect(await seconds(operation, params, longSound)).toBeCloseTo(lasts, 1);
  });
});

describe("a film whose sound ends before its picture", () => {
  test.each([
    ["audio", { do: "extract", format: "flac" }],
    ["audio", { do: "extract", format: "aac" }],
    ["transcode", { video: { codec: "none" } }],
  ])("gives its sound alone by %s %j", async (operation, params) => {
    expect(await seconds(operation, params, longPicture)).toBeCloseTo(2, 1);
  });
});

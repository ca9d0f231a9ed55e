/** `thumbnails` with the real ffmpeg: every picture shows what its place or its cue says. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { turnedCopy } from "../clips.ts";
import { clockSource, secondOf } from "./clock-source.ts";
import { type Performed, pixelAt, Rehearsal, x264 } from "./rehearsal.ts";

setDefaultTimeout(60_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

const clock = (name: string, seconds: number, gop: number) =>
  clockSource(stage, name, seconds, gop);

/** The cues of the index: times, the sheet's file and the tile. */
function cuesOf({ plan, outputs }: Performed) {
  const work = plan.steps.at(-1)?.work;
  if (work?.kind !== "write") throw new Error("the last step writes the index");
  const pattern = /([\d:.]+) --> ([\d:.]+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)/g;
  const at = (text = "") => {
    const [hours = 0, minutes = 0, seconds = 0] = text.split(":").map(Number);
    return hours * 3600 + minutes * 60 + seconds;
  };
  return [...work.text.matchAll(pattern)].map(([, from, to, name = "", x, y, w, h]) => ({
    from: at(from),
    to: at(to),
    sheet: outputs.find(({ declared }) => declared.name === decodeURIComponent(name))?.path ?? "",
    x: Number(x),
    y: Number(y),
    width: Number(w),
    height: Number(h),
  }));
}

function everyCueShowsItsTime(performed: Performed, toleranceSeconds: number) {
  const cues = cuesOf(performed);
  for (const { from, to, sheet, x, y, width, height } of cues) {
    const pixel = pixelAt(sheet, x + Math.floor(width / 2), y + Math.floor(height / 2));
    expect(secondOf(pixel)).toBeGreaterThanOrEqual(from - toleranceSeconds);
    expect(secondOf(pixel)).toBeLessThanOrEqual(to + toleranceSeconds);
  }
  return cues;
}

describe("a sprite", () => {
  for (const format of ["jpeg", "png", "webp"]) {
    test(`has in every cue a ${format} picture of its time, on several sheets`, async () => {
      const source = clock("clock-30.mp4", 30, 250);
      const sprite = { every: 2, width: 32, columns: 3 };
      const performed = await stage.perform("thumbnails", { format, sprite }, source);
      const cues = everyCueShowsItsTime(performed, 1.2);
      expect(cues).toHaveLength(15);
      expect(cues.at(-1)).toMatchObject({ from: 28, to: 30, x: 64, y: 18, width: 32, height: 18 });
      const names = performed.outputs.map(({ declared }) => declared.name);
      const ending = format === "jpeg" ? "jpg" : format;
      expect(names).toEqual([
        `clock-30 sprite 1.${ending}`,
        `clock-30 sprite 2.${ending}`,
        "clock-30 sprite.vtt",
      ]);
      expect(performed.argvs[0]).not.toContain("nokey");
    });
  }

  test("decodes keyframes alone where they are dense enough, and still shows each time", async () => {
    const source = clock("clock-100.mp4", 100, 125);
    const performed = await stage.perform(
      "thumbnails",
      { sprite: { every: 20, width: 32 } },
      source,
    );
    expect(performed.argvs[0]).toContain("nokey");
    expect(everyCueShowsItsTime(performed, 1.2)).toHaveLength(5);
  });

  test("is complete where the source ends inside a slot or has one frame only", async () => {
    const source = clock("clock-5.mp4", 5, 250);
    for (const [every, count] of [
      [3, 2],
      [4.8, 2],
      [5, 1],
      [60, 1],
    ] as const) {
      const performed = await stage.perform("thumbnails", { sprite: { every, width: 32 } }, source);
      expect(everyCueShowsItsTime(performed, 1.2)).toHaveLength(count);
    }
    const still = ["-f", "lavfi", "-i", "color=red:size=64x36:rate=1:duration=1"];
    const single = stage.make("single.mp4", ...still, ...x264);
    const one = await stage.perform("thumbnails", { sprite: {} }, single);
    expect(cuesOf(one)).toHaveLength(1);
  });

  test("of a sound alone is refused, with what to choose", async () => {
    const sine = ["-f", "lavfi", "-i", "sine=duration=1"];
    const source = stage.make("sound.flac", ...sine);
    expect(stage.perform("thumbnails", { sprite: {} }, source)).rejects.toThrow("sound alone");
  });
});

describe("a poster", () => {
  test("at a time is the frame of that time, the very last too", async () => {
    const source = clock("clock-12.mp4", 12, 250);
    for (const at of [0, 3, 7.5, 11.99, 12]) {
      const { outputs } = await stage.perform("thumbnails", { poster: { at } }, source);
      const second = secondOf(pixelAt(outputs[0]?.path ?? "", 32, 18));
      expect(Math.abs(second - Math.min(11, Math.floor(at)))).toBeLessThan(0.6);
    }
    const late = stage.perform("thumbnails", { poster: { at: 13 } }, source);
    expect(late).rejects.toThrow("The source ends at 12 s");
  });

  test("at best is not the black at the start", async () => {
    const black = "color=black:size=64x36:rate=25:duration=1[a]";
    const scene = "color=0x3080f0:size=64x36:rate=25:duration=3[b]";
    const source = stage.make(
      "fade.mp4",
      ...["-f", "lavfi", "-i", `${black};${scene};[a][b]concat`, ...x264],
    );
    const { outputs } = await stage.perform("thumbnails", {}, source);
    expect(outputs.map(({ declared }) => declared.role)).toEqual(["poster"]);
    expect(pixelAt(outputs[0]?.path ?? "", 32, 18)[2]).toBeGreaterThan(150);
  });

  test("at best of a long film is chosen among its keyframes, past much black", async () => {
    const black = "color=black:size=64x36:rate=25:duration=40[a]";
    const scene = "color=0x3080f0:size=64x36:rate=25:duration=100[b]";
    const source = stage.make(
      "long.mp4",
      ...["-f", "lavfi", "-i", `${black};${scene};[a][b]concat`, ...x264],
    );
    const { outputs } = await stage.perform("thumbnails", {}, source);
    expect(pixelAt(outputs[0]?.path ?? "", 32, 18)[2]).toBeGreaterThan(150);
  });

  test("has true colours in every format, upright and within its width", async () => {
    const red = ["-f", "lavfi", "-i", "color=0xc03020:size=128x72:rate=25:duration=0.4"];
    const flat = stage.make("flat.mp4", ...red, "-vf", "scale=out_color_matrix=bt709", ...x264);
    // Said afterwards: the encoder would have written what it had been told, not what is true.
    const tags =
      "h264_metadata=colour_primaries=1:transfer_characteristics=1:matrix_coefficients=1";
    const source = stage.make("turned.mp4", ...turnedCopy(flat, 90), "-bsf:v", tags);
    for (const format of ["jpeg", "png", "webp"]) {
      const wish = { format, quality: 95, poster: { at: 0, width: 36 } };
      const { outputs } = await stage.perform("thumbnails", wish, source);
      expect([outputs[0]?.media?.video?.width, outputs[0]?.media?.video?.height]).toEqual([36, 64]);
      const pixel = pixelAt(outputs[0]?.path ?? "", 18, 32);
      for (const [index, level] of [0xc0, 0x30, 0x20].entries()) {
        expect(Math.abs((pixel[index] ?? -99) - level)).toBeLessThan(9);
      }
    }
  });

  test("of a file that does not say its colours has those that players assume for its size", async () => {
    const red = ["-f", "lavfi", "-i", "color=0xc03020:size=1280x720:rate=25:duration=0.08"];
    const source = stage.make(
      "untagged.mp4",
      ...red,
      "-vf",
      "scale=out_color_matrix=bt709",
      ...x264,
    );
    const { outputs } = await stage.perform("thumbnails", { poster: { width: 64 } }, source);
    const pixel = pixelAt(outputs[0]?.path ?? "", 18, 18);
    for (const [index, level] of [0xc0, 0x30, 0x20].entries()) {
      expect(Math.abs((pixel[index] ?? -99) - level)).toBeLessThan(9);
    }
  });

  test("of an HDR video is tone-mapped", async () => {
    const tags = "log-level=0:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:hdr10=1";
    const source = stage.make(
      "hdr.mkv",
      ...["-f", "lavfi", "-i", "color=0x808080:size=64x64:rate=25:duration=0.4"],
      ...["-pix_fmt", "yuv420p10le", "-c:v", "libx265", "-x265-params", tags],
    );
    const { outputs } = await stage.perform("thumbnails", { poster: { at: 0 } }, source);
    // Half of the PQ scale is about 92 nits: nearly SDR's white. Untouched it would stay a middle grey.
    expect(pixelAt(outputs[0]?.path ?? "", 32, 32)[0]).toBeGreaterThan(150);
  });

  test("is made of a still picture too, of a transparent one as well", async () => {
    const source = stage.make(
      "still.png",
      ...["-f", "lavfi", "-i", "color=0x20c040@0.5:size=101x75,format=rgba", "-frames:v", "1"],
      ...["-update", "1"],
    );
    for (const format of ["jpeg", "webp", "png"]) {
      const { outputs } = await stage.perform("thumbnails", { format, poster: {} }, source);
      expect(outputs[0]?.media?.video?.width).toBe(100);
    }
    expect(stage.perform("thumbnails", { sprite: {} }, source)).rejects.toThrow("still picture");
  });
});

import { describe, expect, test } from "bun:test";
import { Failure } from "../../trouble.ts";
import { ascii, box, fullBox, join, u32 } from "./boxes.ts";
import { streamFacts } from "./sample-entry.ts";

/** A `moov` with nothing but a sample description. */
function moov(entry: Uint8Array): Uint8Array {
  const stsd = fullBox("stsd", {}, u32(1), entry);
  return box("trak", box("mdia", box("minf", box("stbl", stsd))));
}

function picture(type: string, ...boxes: Uint8Array[]): Uint8Array {
  const fixed = new Uint8Array(78);
  fixed.set([0x07, 0x80, 0x04, 0x38], 24);
  return moov(box(type, fixed, ...boxes));
}

const nclx = (...points: number[]) =>
  box(
    "colr",
    ascii("nclx"),
    Uint8Array.from(points.flatMap((point) => [0, point])),
    Uint8Array.of(0),
  );

/** Main 10, high tier off, level 5.1, as x265 writes it. */
const hvcC = [1, 0x02, 0x20, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 153];

describe("a codec is said in the words of RFC 6381", () => {
  const cases: [words: string, range: string, source: Uint8Array][] = [
    ["avc1.640028", "SDR", picture("avc1", box("avcC", Uint8Array.of(1, 0x64, 0, 0x28)))],
    ["avc1.4d401f", "SDR", picture("avc1", box("avcC", Uint8Array.of(1, 0x4d, 0x40, 0x1f)))],
    // Level 1b, which Chromium refuses by its own number.
    ["avc1.64000b", "SDR", picture("avc1", box("avcC", Uint8Array.of(1, 0x64, 0, 9)))],
    [
      ...(["hvc1.2.4.L153.90", "PQ"] as const),
      picture("hvc1", box("hvcC", Uint8Array.from(hvcC)), nclx(9, 16, 9)),
    ],
    [
      ...(["hvc1.2.4.H153.90", "HLG"] as const),
      picture("hvc1", box("hvcC", Uint8Array.from(hvcC.with(1, 0x22))), nclx(9, 18, 9)),
    ],
    ["av01.0.08M.08", "SDR", picture("av01", box("av1C", Uint8Array.of(0x81, 0x08, 0x0c, 0)))],
    [
      ...(["av01.0.12M.10.0.110.09.16.09.0", "PQ"] as const),
      picture("av01", box("av1C", Uint8Array.of(0x81, 0x0c, 0x4c, 0)), nclx(9, 16, 9)),
    ],
  ];
  for (const [words, range, source] of cases) {
    test(words, () => {
      const facts = streamFacts(source);
      expect([facts.codec, facts.picture?.range]).toEqual([words, range]);
      expect([facts.picture?.width, facts.picture?.height]).toEqual([1920, 1080]);
    });
  }

  test("sound by the decoder's own settings, not by what the container says", () => {
    const settings = Uint8Array.of(0x05, 2, 0x11, 0xb0);
    const decoder = join([Uint8Array.of(0x04, 17, 0x40), new Uint8Array(12), settings]);
    const esds = fullBox("esds", {}, Uint8Array.of(0x03, 22, 0, 1, 0), decoder);
    const fixed = new Uint8Array(28);
    fixed.set([0, 2], 16);
    fixed.set([0xbb, 0x80], 24);
    const facts = streamFacts(moov(box("mp4a", fixed, esds)));
    expect(facts).toMatchObject({ codec: "mp4a.40.2", sound: { channels: 6, sampleRate: 48_000 } });
  });

  test("what is not streamed is refused, and so is what is cut off", () => {
    expect(() => streamFacts(picture("mp4v"))).toThrow(Failure);
    expect(() => streamFacts(picture("avc1"))).toThrow("has no avcC");
    expect(() => streamFacts(new Uint8Array(5))).toThrow(Failure);
  });
});

import { describe, expect, test } from "bun:test";
import { nativeSound } from "./filters-sound.ts";
import { firstGain, type LoudnessMeasure, settledGain } from "./loudness.ts";
import { readMeter, readPeaks } from "./readings/sound.ts";

const wish = { targetLufs: -16, truePeakDbtp: -1 };
const measure = (integratedLufs: number, truePeakDbtp: number): LoudnessMeasure => ({
  ...{ integratedLufs, truePeakDbtp, rangeLu: 5 },
});

describe("the gain", () => {
  test("is the distance to the target while the peaks allow it", () => {
    expect(firstGain(wish, measure(-24, -10))).toEqual({ gainDb: 8, limited: false });
    expect(firstGain(wish, measure(-10, 0.5))).toEqual({ gainDb: -6, limited: false });
    expect(settledGain(wish, measure(-24, -10), measure(-20, -1))).toMatchObject({ gainDb: 8 });
  });

  test("grows by what a limiter took away, and more where each dB brings less", () => {
    const source = measure(-24, -3);
    expect(firstGain(wish, source)).toEqual({ gainDb: 8, limited: true });
    // 2 dB are free and reach −22; 6 more brought it to −17 alone.
    const { gainDb } = settledGain(wish, source, measure(-17, -1));
    expect(gainDb).toBeCloseTo(8 + 1 / (5 / 6), 6);
    // Nothing was brought at all: no guess runs away.
    expect(settledGain(wish, source, measure(-22, -1)).gainDb).toBeCloseTo(26, 6);
  });

  test("leaves silence alone, whatever noise there is in it", () => {
    for (const lufs of [-70, -99]) {
      expect(firstGain(wish, measure(lufs, -60))).toEqual({ gainDb: 0, limited: false });
    }
  });

  test("becomes a limiter where it must, and one filter where not", () => {
    const names = (source: LoudnessMeasure) =>
      nativeSound({ filter: "normalise", ...wish, sampleRate: 48_000, source }).map(
        ({ name }) => name,
      );
    expect(names(measure(-24, -10))).toEqual(["volume"]);
    expect(names(measure(-24, -3))).toEqual(["volume", "aresample", "alimiter", "aresample"]);
  });
});

describe("readings", () => {
  const summary = (loudness: string, peak: string) => `
[Parsed_ebur128_0 @ 0x5] Summary:

  Integrated loudness:
    I:         ${loudness} LUFS
    Threshold: -33.0 LUFS

  Loudness range:
    LRA:         4.2 LU
    Threshold: -43.0 LUFS
    LRA low:   -27.1 LUFS
    LRA high:  -22.9 LUFS

  True peak:
    Peak:       ${peak} dBFS
`;

  test("the meter's last summary counts", () => {
    expect(readMeter(`${summary("-30.0", "-9.0")}${summary("-23.1", "-1.5")}`)).toEqual({
      ...{ integratedLufs: -23.1, truePeakDbtp: -1.5, rangeLu: 4.2 },
    });
  });

  test("silence is a number, and nothing said is a failure", () => {
    expect(readMeter(summary("-70.0", "-inf"))).toMatchObject({ truePeakDbtp: -99 });
    expect(() => readMeter("frame= 3")).toThrow("did not say the loudness");
    expect(() => readPeaks("", {})).toThrow("did not say the peaks");
  });

  test("peaks are the least and the greatest, in the bits that were asked for", () => {
    const text = ["frame:0 pts:0", "lavfi.astats.1.Min_level=-300.000000"];
    text.push("lavfi.astats.1.Max_level=32767.000000", "");
    const facts = { channels: 1, sampleRate: 8000, samplesPerPixel: 400 };
    expect(readPeaks(text.join("\n"), { ...facts, bits: 8 })).toEqual({
      ...{ version: 2, channels: 1, sample_rate: 8000, samples_per_pixel: 400, bits: 8 },
      ...{ length: 1, data: [-1, 127] },
    });
    expect(readPeaks(text.join("\n"), { ...facts, bits: 16 }).data).toEqual([-300, 32_767]);
  });
});

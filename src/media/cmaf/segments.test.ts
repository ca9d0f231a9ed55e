import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Failure } from "../../trouble.ts";
import { cutInto, sampleSpan, segmentStarts } from "./segments.ts";
import type { SourceTrack } from "./source-track.ts";

interface Shape {
  kind: SourceTrack["kind"];
  count: number;
  /** Ticks that each sample lasts, and ticks per second. */
  lasts: number;
  timescale: number;
  /** Whether a sample is a keyframe. */
  key?: (index: number) => boolean;
  shownAfter?: (index: number) => number;
}

function track({ kind, count, lasts, timescale, key = () => true, ...shape }: Shape): SourceTrack {
  const indexes = Array.from({ length: count }, (_, index) => index);
  const samples = {
    count,
    sizes: Uint32Array.from(indexes, () => 10),
    offsets: Float64Array.from(indexes, (index) => index * 10),
    decodeTicks: Float64Array.from(indexes, (index) => index * lasts),
    durations: Uint32Array.from(indexes, () => lasts),
    shownAfter: Int32Array.from(indexes, (index) => shape.shownAfter?.(index) ?? 0),
    sync: Uint8Array.from(indexes, (index) => Number(key(index))),
  };
  return { kind, timescale, samples, moov: new Uint8Array() };
}

const film = (count: number, distance = 50) =>
  track({
    ...{ kind: "video", count, lasts: 512, timescale: 12_800 },
    key: (index) => index % distance === 0,
  });
const sound = (count: number) => track({ kind: "audio", count, lasts: 1024, timescale: 48_000 });

describe("segments of a picture", () => {
  test("begin with a keyframe at each multiple, and hold those between as fragments", () => {
    const starts = segmentStarts(film(250), 4);
    expect(starts).toEqual([0, 4, 8]);
    const segments = cutInto(film(250), starts);
    expect(segments.map(({ fragments }) => fragments.map(({ count }) => count))).toEqual([
      ...[[50, 50], [50, 50], [50]],
    ]);
    expect(segments.map(({ durationTicks }) => durationTicks / 12_800)).toEqual([4, 4, 2]);
  });

  test("a rest of some frames belongs to the last segment", () => {
    const starts = segmentStarts(film(205), 4);
    expect(starts).toEqual([0, 4]);
    expect(cutInto(film(205), starts).at(-1)?.durationTicks).toBe(105 * 512);
  });

  test("a rung without a keyframe where the others have one does not fit to them", () => {
    expect(() => cutInto(film(250, 60), [0, 4, 8])).toThrow(Failure);
  });

  test("frames that are shown before their keyframe cannot be left behind", () => {
    const open = track({
      ...{ kind: "video", count: 100, lasts: 512, timescale: 12_800 },
      key: (index) => index % 50 === 0,
      shownAfter: (index) => (index === 51 ? -1024 : 0),
    });
    expect(() => cutInto(open, [0, 2])).toThrow("shown before the keyframe");
  });
});

describe("segments of a sound", () => {
  test("begin at the nearest frame, and do not drift away over two hours", () => {
    const starts = Array.from({ length: 1800 }, (_, index) => index * 4);
    const segments = cutInto(sound(337_500), starts);
    expect(segments).toHaveLength(1800);
    for (const [index, { startTicks }] of segments.entries()) {
      expect(Math.abs(startTicks - index * 4 * 48_000)).toBeLessThanOrEqual(512);
    }
  });

  test("hold every frame once, however long sound and picture are", () => {
    const count = fc.integer({ min: 1, max: 2_000 });
    fc.assert(
      fc.property(count, fc.integer({ min: 1, max: 1_000 }), (frames, pictures) => {
        const segments = cutInto(sound(frames), segmentStarts(film(pictures), 2));
        let next = 0;
        for (const segment of segments) {
          const span = sampleSpan(segment);
          expect(span.first).toBe(next);
          expect(span.count).toBeGreaterThan(0);
          next += span.count;
        }
        expect(next).toBe(frames);
      }),
      { numRuns: 300 },
    );
  });
});

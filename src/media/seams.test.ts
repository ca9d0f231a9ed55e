import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Seam, type Seams, type SeamWish, seamsOf } from "./seams.ts";
import { fractionOf, microsecond, rescale } from "./ticks.ts";
import type { PictureTimes } from "./timeline.ts";

const wish: SeamWish = {
  ...{ from: { asset: 0 }, stream: 0, uses: [0], broadcast: false, intra: false },
  ...{ clock: "1/25", constantRate: false, chunks: 4, neighbours: 0, leadOut: 0 },
};

/** Frames at 25 a second on MP4's clock, a keyframe every so many. */
function film(count: number, every: number, about: Partial<PictureTimes> = {}): PictureTimes {
  const pts = Array.from({ length: count }, (_, index) => index * 512);
  return {
    ...{ timeBase: { num: 1, den: 12_800 }, startMicroseconds: 0, streamStarts: new Map([[0, 0]]) },
    ...{ pts, dts: pts.map((tick) => tick - 1024) },
    keys: pts.map((_, index) => index % every === 0),
    hidden: pts.map(() => false),
    ...about,
  };
}

const used = ({ chunks }: Seams) => chunks.filter(({ frames }) => frames > 0);

/** Ticks that a chunk shows: what comes into its window and is not thrown away behind it. */
function shownIn(times: PictureTimes, asked: SeamWish, seam: Seam): number[] {
  const clock = fractionOf(asked.clock);
  const { fromTick, untilTick, firstSlot, endSlot } = seam;
  return times.pts.flatMap((tick) => {
    if (tick === null) return [];
    const slot = rescale(tick, times.timeBase, clock);
    const inWindow = tick >= (fromTick ?? -Infinity) && tick < (untilTick ?? Infinity);
    return inWindow && slot >= firstSlot && slot < (endSlot ?? Infinity) ? [tick] : [];
  });
}

describe("a film is cut", () => {
  test("at keyframes that lie near, and decoding begins with them", () => {
    const { chunks, because } = seamsOf(film(1000, 48), wish);
    expect(because).toBeNull();
    expect(chunks.map(({ firstSlot, endSlot }) => [firstSlot, endSlot])).toEqual([
      [0, 240],
      [240, 480],
      [480, 768],
      [768, null],
    ]);
    expect(chunks[0]).toMatchObject({ seekSeconds: null, addTicks: 0, fromTick: null });
    // A little behind the keyframe, for ffmpeg seeks too early in some containers.
    expect(chunks[1]).toMatchObject({
      seekSeconds: 9.8,
      addTicks: 125_440,
      fromTick: 122_880,
    });
  });

  test("at exact frames where no keyframe is near, and decoding begins with the last one before", () => {
    const times = film(1000, 440);
    const { chunks } = seamsOf(times, wish);
    expect(chunks.map(({ firstSlot }) => firstSlot)).toEqual([0, 250, 500, 750]);
    expect(chunks.map(({ seekSeconds }) => seekSeconds)).toEqual([null, null, 17.8, 17.8]);
  });

  test("no more often than decoding from the one keyframe again is worth it", () => {
    const { chunks, because } = seamsOf(film(4000, 5000), { ...wish, chunks: 20 });
    expect(chunks).toHaveLength(20);
    expect(chunks.map(({ frames }) => frames).filter((frames) => frames > 0)).toEqual([
      ...[200, 200, 200, 200, 200, 200, 200, 200, 2400],
    ]);
    expect(because).toContain("too few keyframes");
  });

  test("into as many frames of an uneven film, and as many slots of a rate that is made constant", () => {
    const uneven = film(1000, 1, {
      pts: Array.from({ length: 1000 }, (_, index) =>
        index < 500 ? index * 512 : index * 2048 - 768_000,
      ),
    });
    const byFrames = seamsOf(uneven, { ...wish, clock: "1/90000" });
    expect(byFrames.chunks.map(({ frames }) => frames)).toEqual([250, 250, 250, 250]);
    const bySlots = seamsOf(uneven, { ...wish, constantRate: true });
    expect(bySlots.chunks.map(({ firstSlot }) => firstSlot)).toEqual([0, 624, 1248, 1872]);
  });

  test("with neighbours for filters, and frames behind the end for the encoder", () => {
    const asked = { ...wish, neighbours: 2, leadOut: 12 };
    const { chunks } = seamsOf(film(1000, 250), asked);
    expect(chunks[1]).toMatchObject({
      ...{ fromTick: 248 * 512, untilTick: 515 * 512, firstSlot: 250, endSlot: 500, leadSlot: 512 },
      // The keyframe at 250 comes too late for them.
      seekSeconds: null,
    });
    expect(chunks[3]).toMatchObject({ untilTick: null, endSlot: null, leadSlot: null });
  });

  test("as it is cut out of its source: what lies before is not shown, and the end counts from the first frame", () => {
    const asked = { ...wish, seekSeconds: 10.01, durationSeconds: 8, chunks: 2 };
    const { chunks } = seamsOf(film(1000, 50), asked);
    const [first, last] = chunks;
    expect(first).toMatchObject({ seekSeconds: 10.01, addTicks: 0, fromTick: null, frames: 99 });
    // The first frame shown is number 251, three quarters of a slot behind the seek.
    expect(first?.firstSlot).toBe(1);
    expect(last?.seekSeconds).toBe(14.2);
    expect(last?.frames).toBe(101);
    expect(last?.endSlot).toBe(null);
  });

  test("never where two frames share a slot", () => {
    const pts = Array.from(
      { length: 400 },
      (_, index) => Math.floor(index / 2) * 512 + (index % 2) * 100,
    );
    const { chunks } = seamsOf(film(400, 1, { pts }), { ...wish, constantRate: true });
    for (const { fromTick } of used({ chunks } as Seams).slice(1))
      expect((fromTick ?? 1) % 512).toBe(0);
  });

  test("into nothing missing and nothing doubled, whatever its times, rate and keyframes are", () => {
    const clocks = ["1/25", "1001/30000", "1/90000", "1/12", "1001/24000"];
    const bases = [12_800, 90_000, 1000, 24_000, 600];
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 300 }),
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom(...clocks),
        fc.constantFrom(...bases),
        fc.record({
          chunks: fc.integer({ min: 1, max: 12 }),
          leadOut: fc.integer({ min: 0, max: 9 }),
        }),
        (gaps, every, clock, den, about) => {
          // No two frames in one slot: what becomes of those is another test's.
          const least = Math.ceil((den * fractionOf(clock).num * 2) / fractionOf(clock).den) + 1;
          let tick = 0;
          const pts = gaps.map((gap) => (tick += least * gap));
          const times = film(pts.length, every, { timeBase: { num: 1, den }, pts, dts: pts });
          const asked = { ...wish, ...about, clock };
          const found = seamsOf(times, asked);
          expect(found.chunks).toHaveLength(about.chunks);
          expect(used(found).flatMap((seam) => shownIn(times, asked, seam))).toEqual(pts);
          for (const { seekSeconds, addTicks } of used(found)) {
            const moved = rescale(
              Math.round((seekSeconds ?? 0) * 1e6),
              microsecond,
              times.timeBase,
            );
            expect(addTicks).toBe(moved);
          }
        },
      ),
    );
  });
});

describe("a film that is made into segments is cut", () => {
  const segments: SeamWish = { ...wish, constantRate: true, fromZero: true, everySlots: 100 };

  test("where segments begin alone, wherever its keyframes are, and is decoded from the one before", () => {
    const { chunks, because } = seamsOf(film(1000, 37), { ...segments, chunks: 3 });
    expect(because).toBeNull();
    expect(chunks.map(({ firstSlot, endSlot }) => [firstSlot, endSlot])).toEqual([
      [0, 300],
      [300, 700],
      [700, null],
    ]);
    // Keyframes 296 and 666.
    expect(chunks.map(({ seekSeconds }) => seekSeconds)).toEqual([null, 12.04, 26.84]);
    expect(chunks.map(({ fromTick }) => fromTick)).toEqual([null, 300 * 512, 700 * 512]);
  });

  test("no more often than it has segments, and says so", () => {
    const { chunks, because } = seamsOf(film(250, 37), { ...segments, chunks: 5 });
    const begins = used({ chunks } as Seams).map(({ firstSlot }) => firstSlot);
    expect(begins).toEqual([0, 100, 200]);
    expect(because).toContain("too few");
  });

  test("from zero on, where its picture begins later, and not before that", () => {
    const pts = Array.from({ length: 300 }, (_, index) => (index + 150) * 512);
    const { chunks } = seamsOf(film(300, 50, { pts, dts: pts }), segments);
    const begins = used({ chunks } as Seams).map(({ firstSlot }) => firstSlot);
    expect(begins).toEqual([0, 200, 300]);
  });

  test("with the frame that still stands there, where nothing moves for longer than a segment", () => {
    const pts = [0, 512, 1024, 260 * 512, 261 * 512];
    const { chunks } = seamsOf(film(5, 1, { pts, dts: pts }), { ...segments, chunks: 2 });
    expect(chunks[1]).toMatchObject({ frames: 3, firstSlot: 100, fromTick: 1024, endSlot: null });
  });

  /** What `fps` makes of frames: in each slot the last that came by then, from the first one's on. */
  function filled(slots: readonly number[], from: number, end: number): number[] {
    return Array.from({ length: end - from }, (_, index) =>
      Math.max(
        0,
        slots.findLastIndex((slot) => slot <= from + index),
      ),
    );
  }

  test("into the very frames of one pass in every rung, whatever its times and keyframes are", () => {
    const bases = [12_800, 90_000, 1000, 30_000];
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 4000 }), { minLength: 30, maxLength: 200 }),
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom("1/50", "1001/30000", "1/25"),
        fc.constantFrom(...bases),
        fc.record({
          chunks: fc.integer({ min: 1, max: 8 }),
          everySlots: fc.constantFrom(8, 12, 48),
          neighbours: fc.constantFrom(0, 2),
        }),
        (gaps, every, clock, den, about) => {
          let tick = 0;
          const pts = gaps.map((gap) => (tick += Math.ceil((gap * den) / 30_000) + 1));
          const times = film(pts.length, every, { timeBase: { num: 1, den }, pts, dts: pts });
          const found = seamsOf(times, { ...segments, ...about, clock });
          const slotsOf = (ticks: readonly number[]) =>
            ticks.map((at) => rescale(at, times.timeBase, fractionOf(clock)));
          const all = slotsOf(pts);
          const end = (all.at(-1) ?? 0) + 1;
          for (const divisor of [1, 2, 4]) {
            const own = (slots: readonly number[]) =>
              slots.map((slot) => Math.round(slot / divisor));
            const lasts = Math.floor((end - 1) / divisor) + 1;
            const whole = filled(own(all), 0, lasts).map((at) => pts[at]);
            const joined = used(found).flatMap(({ fromTick, untilTick, firstSlot, endSlot }) => {
              expect(firstSlot % about.everySlots).toBe(0);
              const read = pts.filter(
                (at) => at >= (fromTick ?? -Infinity) && at < (untilTick ?? Infinity),
              );
              const first = fromTick === null ? 0 : (slotsOf(read)[0] ?? Infinity);
              expect(first).toBeLessThanOrEqual(firstSlot);
              const until = endSlot === null ? lasts : endSlot / divisor;
              return filled(own(slotsOf(read)), firstSlot / divisor, until).map((at) => read[at]);
            });
            expect(joined).toEqual(whole);
          }
        },
      ),
    );
  });
});

describe("a film is left in one piece, with the reason,", () => {
  test("when frames have no time", () => {
    const times = film(1000, 50);
    times.pts[500] = null;
    const { chunks, because } = seamsOf(times, wish);
    expect(because).toContain("does not say when");
    expect(chunks.map(({ frames }) => frames > 0)).toEqual([true, false, false, false]);
    expect(chunks[0]).toMatchObject({ fromTick: null, untilTick: null, endSlot: null });
  });

  test("when its times jump", () => {
    const times = film(1000, 50);
    for (let index = 500; index < 1000; index += 1) times.dts[index] = index;
    expect(seamsOf(times, wish).because).toContain("jump");
    const leaping = film(1000, 50);
    leaping.dts[999] = 10_000_000;
    expect(seamsOf(leaping, wish).because).toBeNull();
    expect(seamsOf(leaping, { ...wish, broadcast: true }).because).toContain("jump");
  });
});

describe("a transport stream", () => {
  const asked = { ...wish, broadcast: true, uses: [0, 1] };
  const late = {
    startMicroseconds: 10_000_000,
    streamStarts: new Map([
      [0, 10_700_000],
      [1, 10_500_000],
    ]),
  };
  const times = film(1000, 50, { timeBase: { num: 1, den: 90_000 }, ...late });
  for (const [index] of times.pts.entries()) times.pts[index] = 963_000 + index * 3600;

  test("counts from the first stream that is read, and alone the picture counts from itself", () => {
    const { chunks } = seamsOf(times, asked);
    expect(chunks[0]).toMatchObject({ firstSlot: 5, seekSeconds: null, addTicks: 18_000 });
  });

  test("is read from the keyframe before the last one on", () => {
    const { chunks } = seamsOf(times, asked);
    // Of the file, which begins 0.7 s before the picture: 250 frames, less 50, less half a second.
    expect(chunks[1]?.firstSlot).toBe(255);
    expect(chunks[1]?.seekSeconds).toBeCloseTo(8 + 0.2 - 0.5, 9);
  });
});

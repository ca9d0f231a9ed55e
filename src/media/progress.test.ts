import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Progress, ProgressReader } from "./progress.ts";

const recorded = [
  "frame=0\nfps=0.00\nstream_0_0_q=0.0\nbitrate=N/A\ntotal_size=48\nout_time_us=N/A\nout_time_ms=N/A\nout_time=N/A\ndup_frames=0\ndrop_frames=0\nspeed=N/A\nprogress=continue\n",
  "frame=30\nfps=25.5\nbitrate=  12.1kbits/s\ntotal_size=1500\nout_time_us=1200000\nout_time_ms=1200000\nout_time=00:00:01.200000\nspeed=   2x\nprogress=continue\n",
  "frame=75\nfps=26.00\ntotal_size=N/A\nout_time_ms=3000000\nspeed=3.00e+00x\nprogress=end\n",
].join("");

function read(text: string, cuts: number[], expectedSeconds: number | null = 4): Progress[] {
  const bytes = new TextEncoder().encode(text);
  const reader = new ProgressReader(expectedSeconds);
  const borders = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted(
    (a, b) => a - b,
  );
  let from = 0;
  return borders.flatMap((to) => {
    const piece = bytes.subarray(from, to);
    from = to;
    return reader.push(piece);
  });
}

describe("progress", () => {
  test("gives one reading per block, with null where ffmpeg says N/A", () => {
    expect(read(recorded, [])).toEqual([
      {
        percent: null,
        frame: 0,
        fps: 0,
        outputSeconds: null,
        speed: null,
        etaSeconds: null,
        sizeBytes: 48,
      },
      {
        percent: 30,
        frame: 30,
        fps: 25.5,
        outputSeconds: 1.2,
        speed: 2,
        etaSeconds: 1.4,
        sizeBytes: 1500,
      },
      {
        percent: 75,
        frame: 75,
        fps: 26,
        outputSeconds: 3,
        speed: 3,
        etaSeconds: 1 / 3,
        sizeBytes: null,
      },
    ]);
  });

  test("reads the same however the output is cut", () => {
    const whole = read(recorded, []);
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 30 }), (cuts) => {
        expect(read(recorded, cuts)).toEqual(whole);
      }),
    );
  });

  test("never says 100 percent, because an end that was printed is no end that was proven", () => {
    const [last] = read("out_time_us=9000000\nprogress=end\n", []);
    expect(last?.percent).toBe(99.9);
    expect(last?.outputSeconds).toBe(9);
  });

  test("takes the negative time before the first packet for zero", () => {
    const [first] = read("out_time_us=-577014032256001024\nprogress=continue\n", []);
    expect(first?.outputSeconds).toBe(0);
    expect(first?.percent).toBe(0);
  });

  test("knows no percent and no end when the length of the output is unknown", () => {
    const [reading] = read("out_time_us=1000000\nspeed=1x\nprogress=continue\n", [], null);
    expect(reading?.percent).toBeNull();
    expect(reading?.etaSeconds).toBeNull();
  });

  test("drops a line without end and goes on with the next block", () => {
    const text = `junk=${"x".repeat(100_000)}\nframe=7\nprogress=continue\n`;
    const cuts = Array.from({ length: 200 }, (_, index) => index * 500);
    expect(read(text, cuts).map(({ frame }) => frame)).toEqual([7]);
  });
});

/** Each filter of sound by what can be heard: samples that the real ffmpeg makes, measured. */
import { describe, expect, test } from "bun:test";
import { type AudioFilter, soundsTaken } from "./filters-sound.ts";
import { renderGraph, type SoundChain } from "./graph.ts";

const rate = 48_000;

/** A tone: an expression of ffmpeg's, mono. */
const tone = (hertz: number, seconds = 1, amplitude = 0.25) =>
  `aevalsrc=exprs=${amplitude}*sin(2*PI*${hertz}*t):s=${rate}:d=${seconds}`;

function run(argv: string[], how: { stderr?: boolean } = {}): Buffer {
  const level = how.stderr ? "info" : "error";
  const done = Bun.spawnSync(["ffmpeg", "-nostdin", "-hide_banner", "-v", level, ...argv], {
    timeout: 60_000,
  });
  if (done.exitCode !== 0) throw new Error(done.stderr.toString());
  return how.stderr ? done.stderr : done.stdout;
}

/** The samples of one pad, at the rate that comes out. */
function heard(sources: string[], sound: SoundChain[], pad = "out", channels = 1): Float32Array {
  const inputs = sources.flatMap((source) => ["-f", "lavfi", "-i", source]);
  const others = sound
    .flatMap(({ to }) => (typeof to === "string" ? [to] : [...to]))
    .filter((name) => name !== pad && !sound.some(({ from }) => uses(from, name)))
    .flatMap((name) => ["-map", `[${name}]`, "-f", "null", "-"]);
  const out = ["-map", `[${pad}]`, "-ac", String(channels), "-f", "f32le", "pipe:1"];
  const raw = run([...inputs, "-filter_complex", renderGraph([], sound), ...out, ...others]);
  return new Float32Array(new Uint8Array(raw).buffer);
}

function uses(from: SoundChain["from"], pad: string): boolean {
  return [from].flat().some((source) => "pad" in source && source.pad === pad);
}

const input = (index: number) => ({ input: index, stream: 0 });

/** One chain over all sources. */
function through(sources: string[], ...filters: AudioFilter[]): Float32Array {
  const from = sources.map((_, index) => input(index));
  return heard(sources, [{ from, filters, to: "out" }]);
}

const piece = (samples: Float32Array, from: number, to: number) =>
  samples.subarray(Math.round(from * rate), Math.round(to * rate));

function level(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / samples.length);
}

/** By counting how often it passes zero upwards. */
function hertz(samples: Float32Array): number {
  let crossings = 0;
  for (let at = 1; at < samples.length; at++) {
    if ((samples[at - 1] ?? 0) < 0 && (samples[at] ?? 0) >= 0) crossings++;
  }
  return (crossings * rate) / samples.length;
}

const decibels = (ratio: number) => 20 * Math.log10(ratio);

/** The strength of one tone among others. */
function strength(samples: Float32Array, frequency: number): number {
  let real = 0;
  let imaginary = 0;
  for (const [at, sample] of samples.entries()) {
    real += sample * Math.cos((2 * Math.PI * frequency * at) / rate);
    imaginary += sample * Math.sin((2 * Math.PI * frequency * at) / rate);
  }
  return (2 * Math.hypot(real, imaginary)) / samples.length;
}

/** 440 Hz for the first half, 880 Hz for the second. */
const twoTones = `aevalsrc=exprs=0.25*sin(2*PI*440*(1+gte(t\\,0.5))*t):s=${rate}:d=1`;

describe("pieces of sound", () => {
  test("a trim is exact to the sample, and its start becomes zero", () => {
    const trim: AudioFilter = { filter: "trim", startSeconds: 0.5, endSeconds: 0.75 };
    const samples = through([twoTones], trim);
    expect(samples).toHaveLength(rate / 4);
    expect(hertz(samples)).toBeCloseTo(880, -1);
    // From zero on: nothing is filled in before it.
    expect(through([twoTones], trim, { filter: "resample" })).toEqual(samples);
  });

  test("a delay is silence before", () => {
    const samples = through([tone(440)], { filter: "delay", seconds: 0.0125 });
    expect(samples).toHaveLength(rate + 600);
    expect(level(samples.subarray(0, 600))).toBe(0);
    expect(level(samples.subarray(600))).toBeCloseTo(0.25 / Math.SQRT2, 3);
  });

  test("a pad is silence behind, up to a length", () => {
    const samples = through([tone(440, 0.3)], { filter: "pad", toSeconds: 0.7 });
    expect(samples).toHaveLength(rate * 0.7);
    expect(level(piece(samples, 0, 0.3))).toBeGreaterThan(0.17);
    expect(level(piece(samples, 0.3, 0.7))).toBe(0);
    expect(through([tone(440, 1)], { filter: "pad", toSeconds: 0.7 })).toHaveLength(rate);
  });

  test("joined sound has every sample of its parts, and no other", () => {
    const sources = [tone(440, 0.33333), tone(880, 0.1), tone(220, 0.25)];
    const parts = sources.map((source) => through([source], { filter: "volume", gainDb: 0 }));
    const samples = through(sources, { filter: "concat", count: 3 });
    expect([...samples]).toEqual(parts.flatMap((part) => [...part]));
  });

  test("a crossfade is shorter by its own length and keeps the level", () => {
    const samples = through([tone(440), tone(660)], { filter: "crossfade", seconds: 0.5 });
    expect(samples).toHaveLength(rate * 1.5);
    const middle = piece(samples, 0.7, 0.8);
    expect(decibels(level(middle) / level(piece(samples, 0.1, 0.4)))).toBeCloseTo(0, 0);
    expect(strength(middle, 440)).toBeCloseTo(strength(middle, 660), 1);
    expect(strength(piece(samples, 1.1, 1.5), 440)).toBeLessThan(0.001);
  });
});

describe("levels", () => {
  test("a gain is in decibels", () => {
    const samples = through([tone(440)], { filter: "volume", gainDb: -6.5 });
    expect(decibels(level(samples) / (0.25 / Math.SQRT2))).toBeCloseTo(-6.5, 2);
  });

  test("a fade is linear", () => {
    const fades: AudioFilter[] = [
      { filter: "fade", direction: "in", startSeconds: 0, seconds: 0.4 },
      { filter: "fade", direction: "out", startSeconds: 0.6, seconds: 0.4 },
    ];
    const samples = through([tone(1000)], ...fades);
    const full = 0.25 / Math.SQRT2;
    expect(level(piece(samples, 0.195, 0.205)) / full).toBeCloseTo(0.5, 1);
    expect(level(piece(samples, 0.45, 0.55)) / full).toBeCloseTo(1, 2);
    expect(level(piece(samples, 0.895, 0.905)) / full).toBeCloseTo(0.25, 1);
    expect(level(piece(samples, 0.999, 1)) / full).toBeLessThan(0.01);
  });

  test("a mix is the weighted sum, as long as asked", () => {
    const sources = [tone(440, 1), tone(1000, 0.5)];
    for (const [duration, seconds] of [
      ["first", 1],
      ["longest", 1],
      ["shortest", 0.5],
    ] as const) {
      const samples = through(sources, { filter: "mix", weights: [1, 0.5], duration });
      expect(samples).toHaveLength(rate * seconds);
      expect(strength(piece(samples, 0, 0.5), 440)).toBeCloseTo(0.25, 2);
      expect(strength(piece(samples, 0, 0.5), 1000)).toBeCloseTo(0.125, 2);
      // Where the second is over the first is not turned up.
      if (seconds === 1) expect(strength(piece(samples, 0.5, 1), 440)).toBeCloseTo(0.25, 2);
    }
  });

  test("ducking turns the first down while the second is heard", () => {
    const speech = `aevalsrc=exprs=0.5*between(t\\,1\\,2)*sin(2*PI*1000*t):s=${rate}:d=3`;
    const duck: AudioFilter = {
      ...{ filter: "duck", thresholdDb: -30, ratio: 8, attackMs: 20, releaseMs: 200 },
    };
    const samples = through([tone(440, 3), speech], duck);
    const before = strength(piece(samples, 0.5, 0.9), 440);
    expect(before).toBeCloseTo(0.25, 2);
    expect(decibels(strength(piece(samples, 1.3, 1.9), 440) / before)).toBeLessThan(-12);
    expect(strength(piece(samples, 2.6, 3), 440)).toBeCloseTo(0.25, 1);
    expect(strength(piece(samples, 1.3, 1.9), 1000)).toBeLessThan(0.01);
  });
});

describe("speed and shape", () => {
  for (const finely of [false, true]) {
    for (const factor of [0.25, 0.5, 0.9, 2, 3, 8]) {
      const how = finely ? "finely" : "without rubberband";
      test(`tempo ${factor}, ${how}, changes the length and keeps the pitch`, () => {
        const samples = through([tone(440, 2)], { filter: "tempo", factor, finely });
        // What pushes the end out of rubberband is silence, and stays where it holds nothing back (ffmpeg 7.1's).
        const seconds = (samples.findLastIndex((sample) => Math.abs(sample) > 0.01) + 1) / rate;
        expect(Math.abs(seconds - 2 / factor)).toBeLessThan(0.12);
        expect(samples.length / rate - seconds).toBeLessThan(0.12 + 0.04 / factor);
        expect(hertz(piece(samples, seconds * 0.2, seconds * 0.8))).toBeCloseTo(440, -1);
      });
    }

    test(`slow motion keeps onsets in their place, ${finely ? "finely" : "without rubberband"}`, () => {
      for (const at of [0.2, 0.207, 0.31, 0.4]) {
        const beep = `aevalsrc=exprs='0.6*sin(2*PI*1000*t)*between(t,${at},${at + 0.08})':s=${rate}:d=1`;
        const samples = through([beep], { filter: "tempo", factor: 0.5, finely });
        const onset = samples.findIndex((sample) => Math.abs(sample) > 0.08) / rate;
        expect(Math.abs(onset - at * 2)).toBeLessThan(finely ? 0.01 : 0.04);
      }
    });
  }

  test("a tempo beyond the range is a bug of ours", () => {
    expect(() => through([tone(440)], { filter: "tempo", factor: 11 })).toThrow("11 is a tempo");
  });

  test("a layout mixes and resamples", () => {
    const stereo = `aevalsrc=exprs=0.25*sin(2*PI*440*t)|0:s=${rate}:d=1`;
    const layout: AudioFilter = { filter: "layout", channels: 1, sampleRate: 24_000 };
    const samples = through([stereo], layout);
    expect(samples).toHaveLength(24_000);
    // At equal power: each side 3 dB down.
    expect(level(samples)).toBeCloseTo((0.25 * Math.SQRT1_2) / Math.SQRT2, 2);
  });

  test("a hole in the sound becomes silence", () => {
    const gap = `${tone(440)},aselect='not(between(t,0.4,0.6))'`;
    const holed = through([gap], { filter: "volume", gainDb: 0 });
    expect(holed.length / rate).toBeLessThan(0.85);
    const samples = through([gap], { filter: "resample" });
    expect(samples).toHaveLength(rate);
    expect(level(piece(samples, 0.45, 0.58))).toBeLessThan(0.001);
    expect(level(piece(samples, 0.8, 1))).toBeGreaterThan(0.17);
  });

  test("pieces of pieces start at zero too", () => {
    const late: SoundChain[] = [
      {
        from: input(0),
        filters: [
          { filter: "delay", seconds: 0.5 },
          { filter: "trim", startSeconds: 0.5 },
        ],
        to: "late",
      },
      {
        from: { pad: "late" },
        filters: [{ filter: "trim", startSeconds: 0.25 }, { filter: "resample" }],
        to: "out",
      },
    ];
    expect(heard([tone(440)], late)).toHaveLength(rate * 0.75);
  });

  test("a split gives every branch the same", () => {
    const sound: SoundChain[] = [
      { from: input(0), filters: [{ filter: "split", count: 2 }], to: ["a", "b"] },
      { from: { pad: "b" }, filters: [{ filter: "volume", gainDb: -6 }], to: "quiet" },
      {
        from: [{ pad: "a" }, { pad: "quiet" }],
        filters: [{ filter: "mix", weights: [1, 1], duration: "first" }],
        to: "out",
      },
    ];
    const samples = heard([tone(440)], sound);
    expect(level(samples) / (0.25 / Math.SQRT2)).toBeCloseTo(1 + 10 ** (-6 / 20), 2);
  });

  test("sources are counted by the filter that takes them", () => {
    expect(soundsTaken({ filter: "mix", weights: [1, 1, 1], duration: "first" })).toBe(3);
    const sound: SoundChain = {
      from: input(0),
      filters: [{ filter: "concat", count: 2 }],
      to: "out",
    };
    expect(() => renderGraph([], [sound])).toThrow("takes 1 pad");
  });
});

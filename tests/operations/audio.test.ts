/** `audio` with the real ffmpeg: what is heard afterwards, by its samples. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  beeps,
  bursts,
  exact,
  levelDb,
  meter,
  onsets,
  picture,
  pictureHash,
  rate,
  samples,
  sound,
  soundShop,
  x264,
} from "./hearing.ts";
import { work } from "./workshop.ts";

// Each makes sound, renders it and decodes all of it, on a machine that others use too.
setDefaultTimeout(60_000);
const root = mkdtempSync(join(tmpdir(), "audio-test-"));
afterAll(() => rmSync(root, { recursive: true }));

const { make, ...shop } = soundShop(root);
const film = shop.film();
const speech = shop.speech();
const music = shop.music();

describe("extract", () => {
  for (const format of ["wav", "flac"] as const) {
    test(`${format} has every sample of the source`, async () => {
      for (const [name, layout, codec] of [
        ["mono.wav", "1", "pcm_s16le"],
        ["deep.wav", "2", "pcm_s24le"],
        ["round.mkv", "6", "flac"],
      ] as const) {
        const graph = `anoisesrc=d=1.017:r=44100:seed=7:a=0.4`;
        const source = make(`${format}-${name}`, ...sound(graph), "-ac", layout, "-c:a", codec);
        const { paths, media } = await work(root, "audio", { format }, [source]);
        const [path = ""] = paths;
        expect(media[0]?.audio[0]?.channels).toBe(Number(layout));
        expect(media[0]?.container).toBe(format);
        expect(Buffer.compare(exact(path), exact(source))).toBe(0);
      }
    });
  }

  test("WAV of a lossy track is what its decoder gives", async () => {
    const { paths } = await work(root, "audio", { format: "wav" }, [film]);
    const [path = ""] = paths;
    expect(samples(path, { channels: 2 })).toEqual(samples(film, { channels: 2 }));
  });

  test("a track is chosen by number or language", async () => {
    for (const track of [2, "deu"]) {
      const wish = { track, format: "flac" };
      const { paths } = await work(root, "audio", wish, [film]);
      expect(onsets(samples(paths[0] ?? "")).map(Math.round)).toEqual([0, 1, 2, 3]);
    }
    const first = await work(root, "audio", { format: "flac" }, [film]);
    expect(onsets(samples(first.paths[0] ?? ""))[0]).toBeCloseTo(0.5, 1);
  });

  test("what is in the format already is copied", async () => {
    const { plan, media, paths } = await work(root, "audio", {}, [film]);
    expect(plan.notes[0]).toContain("copied");
    expect([media[0]?.kind, media[0]?.audio[0]?.codec]).toEqual(["audio", "aac"]);
    expect(paths[0]).toEndWith("output.m4a");
    expect(samples(paths[0] ?? "")).toEqual(samples(film));
  });

  for (const format of ["aac", "mp3", "opus"] as const) {
    test(`${format} is as long, as loud and where it was`, async () => {
      const wish = { format, bitRate: 96_000, channels: 1, track: 2 };
      const { paths, media } = await work(root, "audio", wish, [film]);
      const [path = ""] = paths;
      expect(media[0]?.audio.map(({ codec, channels }) => [codec, channels])).toEqual([
        [format, 1],
      ]);
      const found = onsets(samples(path));
      expect(found).toHaveLength(4);
      for (const [index, time] of found.entries())
        expect(Math.abs(time - index)).toBeLessThan(0.005);
      expect(levelDb(samples(path), 1, 1.05)).toBeCloseTo(
        levelDb(samples(film, { stream: "a:1" }), 1, 1.05),
        0,
      );
    });
  }
});

describe("replace", () => {
  test("the new sound is where it should be, as long as the picture, in place of all tracks", async () => {
    const clicks = make("clicks.flac", ...sound(beeps(2)), "-ac", "1");
    for (const [wish, wanted] of [
      [{}, [0, 1]],
      [{ offset: 1.25 }, [1.25, 2.25]],
      [{ offset: -0.75 }, [0.25]],
      [{ loop: true }, [0, 1, 2, 3]],
      [{ loop: true, offset: 0.5 }, [0.5, 1.5, 2.5, 3.5]],
    ] as const) {
      const made = await work(root, "audio", { do: "replace", replace: wish }, [film, clicks]);
      const [out = ""] = made.paths;
      const found = onsets(samples(out));
      expect(found).toHaveLength(wanted.length);
      for (const [index, time] of wanted.entries()) {
        expect(Math.abs((found[index] ?? -1) - time)).toBeLessThan(0.005);
      }
      expect(made.media[0]?.audio).toHaveLength(1);
      expect(Math.abs((made.media[0]?.durationSeconds ?? 0) - 4)).toBeLessThan(0.05);
      expect(pictureHash(out)).toBe(pictureHash(film));
    }
  });

  test("a silent video gets a sound, and a longer one ends with the picture", async () => {
    const silent = make("silent.mkv", ...picture(2), ...x264);
    const wish = { do: "replace", format: "wav", replace: { fadeOut: 1 } };
    const made = await work(root, "audio", wish, [silent, music]);
    const heard = samples(made.paths[0] ?? "");
    expect(heard.length / rate).toBeCloseTo(2, 2);
    expect(levelDb(heard, 0.2, 0.8)).toBeCloseTo(levelDb(samples(music), 0.2, 0.8), 1);
    expect(levelDb(heard, 1.9, 2)).toBeLessThan(levelDb(heard, 0.2, 0.8) - 20);
    expect(made.media[0]?.container).toBe("mkv");
  });
});

describe("mix", () => {
  const bed = { do: "mix", format: "wav" } as const;

  test("the second sound is where, as loud and as long as asked, and the first is untouched", async () => {
    const clicks = make("bed.flac", ...sound(beeps(2)), "-ac", "2");
    const quiet = make("quiet.wav", ...sound(`anullsrc=r=${rate}:cl=stereo,atrim=end=5`));
    for (const [wish, wanted] of [
      [{ from: 1.5, levelDb: -6 }, [1.5, 2.5]],
      [{ from: 0.25, to: 1.75, loop: true, levelDb: -6 }, [0.25, 1.25]],
      [{ loop: true, levelDb: -6 }, [0, 1, 2, 3, 4]],
    ] as const) {
      const { paths } = await work(root, "audio", { ...bed, mix: wish }, [quiet, clicks]);
      const heard = samples(paths[0] ?? "");
      const found = onsets(heard, 1500);
      expect(found).toHaveLength(wanted.length);
      for (const [index, time] of wanted.entries()) {
        expect(Math.abs((found[index] ?? -1) - time)).toBeLessThan(0.005);
      }
      const at = wanted[1] ?? 0;
      const before = levelDb(samples(clicks), 1, 1.04);
      expect(levelDb(heard, at, at + 0.04)).toBeCloseTo(before - 6, 1);
      expect(heard).toHaveLength(5 * rate);
    }
  });

  test("fades begin and end where the second sound does", async () => {
    const quiet = make("still.wav", ...sound(`anullsrc=r=${rate}:cl=stereo,atrim=end=5`));
    const mix = { from: 1, to: 4, fadeIn: 1, fadeOut: 1, levelDb: 0 };
    const { paths } = await work(root, "audio", { ...bed, mix }, [quiet, music]);
    const heard = samples(paths[0] ?? "");
    const full = levelDb(heard, 2.2, 2.8);
    // Linear: half the amplitude in the middle.
    expect(levelDb(heard, 1.48, 1.52)).toBeCloseTo(full - 6, 0);
    expect(levelDb(heard, 3.48, 3.52)).toBeCloseTo(full - 6, 0);
    expect(levelDb(heard, 0, 0.99)).toBeLessThan(-90);
    expect(levelDb(heard, 4.01, 5)).toBeLessThan(-90);
  });

  for (const amountDb of [3, 12, 24]) {
    for (const speechDb of [0, -18]) {
      test(`ducking lowers the bed by ${amountDb} dB under speech at ${speechDb} dB, and no more between`, async () => {
        const voice = make(
          `voice${speechDb}.wav`,
          ...sound(`${bursts(4)},volume=${speechDb}dB`),
          "-ac",
          "2",
        );
        const ducking = { amountDb, attack: 10, release: 150, thresholdDb: -40 };
        const wish = { ...bed, mix: { levelDb: 0, ducking } };
        const { paths } = await work(root, "audio", wish, [voice, music]);
        // The bed alone: what is at 1500 Hz.
        const more = [
          "-af",
          "bandpass=f=1500:width_type=h:w=100,bandpass=f=1500:width_type=h:w=100",
        ];
        const heard = samples(paths[0] ?? "", { more });
        const plain = levelDb(samples(music, { more }), 1, 2);
        for (const second of [1, 2]) {
          expect(
            Math.abs(levelDb(heard, second + 0.65, second + 0.95) - (plain - amountDb)),
          ).toBeLessThan(1);
          expect(Math.abs(levelDb(heard, second + 0.4, second + 0.48) - plain)).toBeLessThan(0.5);
        }
      });
    }
  }

  test("into a video: in sync, loud as asked, the other track and the picture as they were", async () => {
    const silence = make(
      "bare.mp4",
      ...picture(4),
      ...sound(`anullsrc=r=${rate}:cl=stereo`),
      "-shortest",
      ...x264,
      "-c:a",
      "aac",
    );
    const clicks = make("over.flac", ...sound(beeps(3)), "-ac", "1");
    const wish = { do: "mix", mix: { from: 0.5, levelDb: 0 }, loudness: { lufs: -18 } };
    const { paths } = await work(root, "audio", wish, [silence, clicks]);
    const [out = ""] = paths;
    const found = onsets(samples(out));
    expect(found).toHaveLength(3);
    for (const [index, time] of found.entries())
      expect(Math.abs(time - index - 0.5)).toBeLessThan(0.005);
    expect(Math.abs(meter(out).lufs + 18)).toBeLessThanOrEqual(0.5);
    expect(pictureHash(out)).toBe(pictureHash(silence));
    const both = await work(root, "audio", { do: "mix" }, [film, clicks]);
    expect(samples(both.paths[0] ?? "", { stream: "a:1" })).toEqual(
      samples(film, { stream: "a:1" }),
    );
  });
});

describe("waveform", () => {
  test("the peaks are those of the samples, mixed and split, in 16 bits and in 8", async () => {
    const noise = `anoisesrc=d=1.3:r=${rate}:seed=5:a=0.6`;
    const quieter = `anoisesrc=d=1.3:r=${rate}:seed=6:a=0.3`;
    const source = make(
      "noise.wav",
      ...sound(noise),
      ...sound(quieter),
      "-filter_complex",
      "join=inputs=2",
    );
    for (const channels of ["mixed", "split"] as const) {
      for (const bits of [16, 8] as const) {
        const waveform = { output: "json", pointsPerSecond: 50, bits, channels };
        const { paths } = await work(root, "audio", { do: "waveform", waveform }, [source]);
        const count = channels === "mixed" ? 1 : 2;
        const all = samples(source, { channels: count });
        const data: number[] = [];
        const per = rate / 50;
        for (let start = 0; start < all.length / count; start += per) {
          for (let channel = 0; channel < count; channel += 1) {
            const piece = all
              .subarray(start * count, (start + per) * count)
              .filter((_, index) => index % count === channel);
            const [least, greatest] = [Math.min(...piece), Math.max(...piece)];
            data.push(
              ...[least, greatest].map((peak) => (bits === 16 ? peak : Math.trunc(peak / 256))),
            );
          }
        }
        const length = Math.ceil(all.length / count / per);
        expect(JSON.parse(await Bun.file(paths[0] ?? "").text())).toEqual({
          ...{ version: 2, channels: count, sample_rate: rate, samples_per_pixel: per },
          ...{ bits, length, data },
        });
      }
    }
  });

  test("the picture has its size and shows where it is loud", async () => {
    const waveform = { output: "png", width: 400, height: 100, colour: "#ff8000" };
    const { paths, media } = await work(root, "audio", { do: "waveform", waveform }, [speech]);
    expect([media[0]?.video?.width, media[0]?.video?.height]).toEqual([400, 100]);
    const argv = ["-v", "error", "-i", paths[0] ?? "", "-f", "rawvideo", "-pix_fmt", "rgba", "-"];
    const { stdout } = Bun.spawnSync(["ffmpeg", ...argv]);
    const filled = (column: number) =>
      Array.from({ length: 100 }, (_, row) =>
        stdout.subarray((row * 400 + column) * 4).subarray(0, 4),
      )
        .map(([red, green, blue, alpha]) => (alpha === 255 ? [red, green, blue].join(" ") : null))
        .filter((pixel) => pixel !== null);
    // Half a second of silence, then half a second of voice; its peak is 0.3 of full scale.
    for (const column of [5, 45, 110, 340]) expect(filled(column).length).toBeLessThanOrEqual(1);
    // Its mean over both channels is 3 dB below the one that was spread over them.
    for (const [column, height] of [
      ...[[70, 15] as const, [180, 15] as const, [280, 15] as const, [395, 8] as const],
    ]) {
      expect(Math.abs(filled(column).length - height)).toBeLessThanOrEqual(1);
      expect(new Set(filled(column))).toEqual(new Set(["255 128 0"]));
    }
  });
});

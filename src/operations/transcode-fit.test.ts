import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { audio, everything, media, video } from "../../tests/operations/specimen.ts";
import type { AudioEncode, VideoEncode } from "../media/description.ts";
import type { MediaInfo } from "../media/media.ts";
import { Refusal } from "../trouble.ts";
import { findOperation, parseParams, planFor } from "./index.ts";

const transcode = findOperation("transcode");
/** No copy of it is small enough for anything. */
const large = { bitRate: 80_000_000_000 };

function plan(params: object, source: MediaInfo = media(large)) {
  return planFor(
    transcode,
    parseParams(transcode, params),
    [{ name: "a.mov", media: source }],
    everything,
  );
}

/** What each try would encode. */
function triesOf(params: object, source?: MediaInfo) {
  const work = plan(params, source).steps.at(-1)?.work;
  if (work?.kind !== "search") throw new Error("it tries");
  return work.candidates.map(({ title, description }) => {
    const [output] = description.outputs;
    const sounds = (output?.audio ?? []).filter(
      (track): track is AudioEncode => track.kind === "encode",
    );
    return { title, limit: output?.limitBytes, video: output?.video as VideoEncode, sounds };
  });
}

const email = { maxBytes: 25_000_000, video: { maxHeight: 1080 } };

describe("a size to fit", () => {
  test("takes the quality where that may do, and rates that make sure of it", () => {
    const tries = triesOf(email, media({ ...large, durationSeconds: 20 }));
    expect(tries.map(({ title }) => title)).toEqual([
      "1920×1080, quality 65",
      "1920×1080, 9061 kbit/s",
      "1920×1080, 8155 kbit/s",
      "1920×1080, 6796 kbit/s",
      "960×540, 4984 kbit/s",
    ]);
    expect(new Set(tries.map(({ limit }) => limit))).toEqual(new Set([25_000_001]));
  });

  test("makes longer films smaller, then slower, and their sound narrower", () => {
    const looks = [1, 5, 15, 40, 55].map((minutes) => {
      const [first] = triesOf(email, media({ ...large, durationSeconds: minutes * 60 }));
      const { width, height } = first?.video ?? {};
      return `${minutes} min: ${first?.title}, ${first?.sounds[0]?.bitRate} ${first?.sounds[0]?.channels} (${width}×${height})`;
    });
    expect(looks).toMatchSnapshot();
  });

  test("is planned below it, or refused with what to change, whatever is asked for", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.2, max: 40_000, noNaN: true }),
        fc.integer({ min: 50_000, max: 200_000_000 }),
        fc.integer({ min: 16, max: 4320 }),
        fc.integer({ min: 16, max: 4320 }),
        fc.constantFrom("h264", "hevc", "av1", "vp9"),
        fc.integer({ min: 0, max: 3 }),
        (durationSeconds, maxBytes, width, height, codec, tracks) => {
          const source = media({
            ...{ ...large, durationSeconds, video: video({ width, height }) },
            audio: Array.from({ length: tracks }, (_, index) => audio({ index: index + 1 })),
          });
          const params = {
            maxBytes,
            video: { codec },
            container: codec === "vp9" ? "webm" : "mp4",
          };
          let tries: ReturnType<typeof triesOf>;
          try {
            tries = triesOf(params, source);
          } catch (trouble) {
            expect(trouble).toBeInstanceOf(Refusal);
            expect(String(trouble)).toContain("Set from and to for a shorter piece");
            return;
          }
          let before = Number.POSITIVE_INFINITY;
          for (const { video: encode, sounds } of tries) {
            if (!("bitRate" in encode.rate)) continue;
            const sound = sounds.reduce((sum, each) => sum + (each.bitRate ?? 0), 0);
            expect(((encode.rate.bitRate + sound) * durationSeconds) / 8).toBeLessThan(maxBytes);
            expect(encode.rate.bitRate).toBeLessThanOrEqual(before);
            before = encode.rate.bitRate;
          }
          expect(tries.length).toBeGreaterThanOrEqual(4);
        },
      ),
    );
  });

  test("that a conforming source has already is a copy", () => {
    const small = media({ bitRate: 1_000_000 });
    const work = plan({ maxBytes: 25_000_000 }, small).steps.at(-1)?.work;
    if (work?.kind !== "search") throw new Error("its size is looked at");
    expect(work.candidates).toHaveLength(1);
    expect(work.candidates[0]?.description.outputs[0]?.video?.kind).toBe("copy");
    expect(triesOf({ maxBytes: 5_000_000 }, small).length).toBeGreaterThan(3);
  });

  test("names the file by it, and may end in any of its sizes", () => {
    const output = plan(email).steps.at(-1)?.outputs[0];
    expect(output?.name).toBe("a 25 MB.mp4");
    expect(output?.expectation.video?.otherSizes?.length).toBeGreaterThan(2);
  });

  test("keeps what was asked for of rate, channels and frames", () => {
    const asked = { ...email, audio: { bitRate: 96_000, channels: 1 } };
    const [first] = triesOf({
      ...asked,
      video: { frameRate: 12, quality: 20, fit: "pad", maxWidth: 640, maxHeight: 640 },
    });
    expect(first?.sounds[0]).toMatchObject({ bitRate: 96_000, channels: 1 });
    expect(first?.video).toMatchObject({ width: 640, height: 640, rate: { quality: 20 } });
    expect(first?.title).toContain("12 frames per second");
  });

  test("of sound alone is its rate", () => {
    const sound = { maxBytes: 1_000_000, video: { codec: "none" } };
    expect(triesOf(sound)[0]?.sounds[0]).toMatchObject({ bitRate: 24_000, channels: 1 });
  });
});

describe("refused with a sentence", () => {
  const long = media({ ...large, durationSeconds: 7200 });
  for (const [params, source, words] of [
    [email, long, "2 h 0 min of video cannot fit 25 MB"],
    [email, long, "about 59 min 38 s can. Set from and to"],
    [
      { maxBytes: 1_000_000, video: { codec: "none" } },
      long,
      "of sound at 24 kbit/s take more than 1 MB; about 4 min",
    ],
    [email, media({ durationSeconds: null }), "does not say how long it is, which maxBytes needs"],
    [
      { ...email, video: { bitRate: 1_000_000 } },
      long,
      "video.bitRate beside maxBytes has no place",
    ],
    [{ ...email, video: { codec: "copy" } }, long, "video.codec beside maxBytes is copy"],
    [
      { ...email, container: "mov", video: { codec: "prores" } },
      long,
      "video.codec beside maxBytes is prores",
    ],
    [
      { ...email, container: "mov", audio: { codec: "pcm" } },
      long,
      "audio.codec beside maxBytes is pcm",
    ],
  ] as const) {
    test(words, () => expect(() => plan(params, source)).toThrow(words));
  }
});

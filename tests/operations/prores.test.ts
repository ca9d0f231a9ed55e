/** `transcode` to ProRes 422 with the real ffmpeg: each profile is what editing programs take it for. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { findOperation, parseParams, planFor } from "../../src/operations/index.ts";
import { builtInPresets } from "../../src/operations/presets.ts";
import { toolchain } from "../support/toolchain.ts";
import { packetHashes, picture, pixelAt, Rehearsal, sine, x264 } from "./rehearsal.ts";
import { hdr10Video, media as specimen, video } from "./specimen.ts";

setDefaultTimeout(60_000);
const stage = new Rehearsal();
afterAll(() => stage.close());

const source = stage.make(
  "film.mp4",
  ...[...picture("160x90", 0.6), ...sine(0.6), ...x264, "-c:a", "aac", "-ac", "2"],
);
const transcode = findOperation("transcode");
const wish = (profile: string) => ({ container: "mov", video: { codec: "prores", profile } });

describe("ProRes", () => {
  test("has four profiles, each larger than the one before, all 10-bit 4:2:2 with the source's colours", async () => {
    const sizes: number[] = [];
    for (const [profile, title] of [
      ["proxy", "Proxy"],
      ["lt", "LT"],
      ["standard", "Standard"],
      ["hq", "HQ"],
    ] as const) {
      const { media, path } = await stage.transcode(wish(profile), source);
      expect(media).toMatchObject({
        container: "mov",
        video: { codec: "prores", profile: title, pixelFormat: "yuv422p10le", bitDepth: 10 },
      });
      const [a, b] = [pixelAt(source, 40, 60), pixelAt(path, 40, 60)];
      for (const [index, level] of a.entries()) {
        expect(Math.abs(level - (b[index] ?? 0))).toBeLessThan(25);
      }
      sizes.push(Bun.file(path).size);
    }
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    expect((sizes[3] ?? 0) / (sizes[0] ?? 1)).toBeGreaterThan(1.5);
  });

  test("by its preset comes with PCM; what conforms already is copied, another profile is not", async () => {
    const params = builtInPresets.find(({ id }) => id === "ps_prores-proxy")?.params;
    const made = await stage.transcode(params, source);
    expect(made.media.audio.map(({ codec }) => codec)).toEqual(["pcm_s16le"]);
    expect(made.media.video?.profile).toBe("Proxy");
    const again = await stage.transcode(params, made.path);
    expect(again.plan.notes[0]).toStartWith("The source already conforms");
    expect(packetHashes(again.path, "0:v")).toBe(packetHashes(made.path, "0:v"));
    const other = await stage.transcode(wish("lt"), made.path);
    expect(other.media.video?.profile).toBe("LT");
  });
});

describe("the plan", () => {
  const planOf = (params: unknown, about = specimen()) =>
    planFor(
      transcode,
      parseParams(transcode, params),
      [{ name: "a.mov", media: about }],
      toolchain,
    );

  test("keeps HDR in ten bits", () => {
    const work = planOf(wish("hq"), specimen({ video: hdr10Video })).steps[0]?.work;
    if (work?.kind !== "render") throw new Error("it renders");
    expect(work.description.outputs[0]?.video).toMatchObject({
      color: { transfer: "smpte2084" },
      pixelFormat: "yuv422p10le",
    });
  });

  test("takes standard where no profile is said, and ProRes 4444 for none of the four", () => {
    const alpha = video({ codec: "prores", profile: "4444", pixelFormat: "yuva444p10le" });
    const plan = planOf(
      { container: "mov", video: { codec: "prores" } },
      specimen({ video: alpha }),
    );
    expect(plan.steps[0]?.title).toStartWith("Encode ProRes");
  });

  for (const [params, words] of [
    [{ container: "mp4", video: { codec: "prores" } }, "MP4 cannot hold ProRes video"],
    [{ container: "webm", video: { codec: "prores" } }, "WebM cannot hold ProRes video"],
    [{ video: { codec: "prores", quality: 50 } }, "video.quality cannot stand beside codec prores"],
    [
      { video: { codec: "prores", bitRate: 5e6 } },
      "video.bitRate cannot stand beside codec prores",
    ],
    [{ video: { codec: "prores", pixelFormat: "yuv420p" } }, "video.pixelFormat must be auto"],
    [{ video: { codec: "h264", profile: "hq" } }, "video.profile belongs to codec prores"],
    [{ audio: { codec: "pcm", bitRate: 128_000 } }, "audio.bitRate cannot stand beside codec pcm"],
    [{ audio: { codec: "pcm" } }, "MP4 cannot hold PCM sound"],
  ] as const) {
    test(`refuses ${JSON.stringify(params)}`, () => expect(() => planOf(params)).toThrow(words));
  }
});

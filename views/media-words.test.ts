import { describe, expect, test } from "bun:test";
import { media, sampleAsset } from "../tests/preview-samples.ts";
import { assetFacts } from "./facts.ts";
import { choiceTitle, codecTitle, languageTitle, resolutionTitle } from "./media-words.ts";

function resolution(width: number, height: number): string {
  const { video } = media({}, { displayWidth: width, displayHeight: height });
  return video === null ? "" : resolutionTitle(video);
}

describe("words", () => {
  test("resolutions have the name that people use, upright and wide-screen too", () => {
    expect(resolution(1920, 1080)).toBe("1080p");
    expect(resolution(1080, 1920)).toBe("1080p");
    expect(resolution(1920, 804)).toBe("1080p");
    expect(resolution(3840, 2160)).toBe("4K");
    expect(resolution(640, 360)).toBe("640 × 360");
  });
  test("codecs, languages and choices", () => {
    expect(codecTitle("hevc")).toBe("HEVC");
    expect(codecTitle("pcm_s24le")).toBe("PCM");
    expect(codecTitle("cinepak")).toBe("CINEPAK");
    expect(languageTitle("hrv")).toBe("Croatian");
    expect(languageTitle("not a code")).toBe("not a code");
    expect(choiceTitle("h264")).toBe("H.264");
    expect(choiceTitle("first-frame")).toBe("First frame");
    expect(choiceTitle("constructor")).toBe("Constructor");
  });
});

describe("the facts say in words", () => {
  const facts = (asset: ReturnType<typeof sampleAsset>) => assetFacts(asset).toString();
  test("rotation, HDR, a varying rate and pixels that are not square", () => {
    const text = facts(
      sampleAsset(1, "a", {
        media: media(
          {},
          {
            rotation: 90,
            hdr: "hlg",
            bitDepth: 10,
            variableFrameRate: true,
            sampleAspectRatio: "4:3",
          },
        ),
      }),
    );
    expect(text).toContain("stored 90° turned");
    expect(text).toContain("high dynamic range (HLG), 10 bit");
    expect(text).toContain("varies, 29.97 fps on average");
    expect(text).toContain("not square (4:3)");
  });
  test("nothing of what is ordinary", () => {
    const text = facts(sampleAsset(1, "a"));
    expect(text).not.toMatch(/Rotation|interlaced|not square|varies|Transparency/);
  });
  test("that a video is silent", () => {
    expect(facts(sampleAsset(1, "a", { media: media({ audio: [] }) }))).toContain("none");
  });
});

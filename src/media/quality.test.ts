import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  crfAtAnchors,
  crfFor,
  defaultQuality,
  jpegScale,
  qualityAnchors,
  type RatedEncoder,
} from "./quality.ts";

const encoders = Object.keys(crfAtAnchors) as RatedEncoder[];
/** What the encoders accept: x264, x265 and their codecs in NVENC 0–51, the others 0–63. */
const highest: Record<RatedEncoder, number> = {
  libx264: 51,
  libx265: 51,
  libsvtav1: 63,
  "libaom-av1": 63,
  "libvpx-vp9": 63,
  h264_nvenc: 51,
  hevc_nvenc: 51,
  av1_nvenc: 63,
};

describe("the quality scale", () => {
  for (const encoder of encoders) {
    test(`never falls in ${encoder} when quality rises, and moves over the whole scale`, () => {
      const crfs = Array.from({ length: 101 }, (_, quality) => crfFor(encoder, quality));
      for (const [quality, crf] of crfs.entries()) {
        expect(crf).toBeGreaterThan(0);
        expect(crf).toBeLessThanOrEqual(highest[encoder]);
        if (quality > 0) expect(crf).toBeLessThanOrEqual(crfs[quality - 1] ?? 0);
        // Ten points always mean a better picture.
        if (quality >= 10) expect(crf).toBeLessThan(crfs[quality - 10] ?? 0);
      }
    });

    test(`has ${encoder}'s table in the documentation`, () => {
      const page = readFileSync(join(import.meta.dir, "../../docs/quality.md"), "utf8");
      // The formatter aligns the columns of tables.
      const rows = page.replaceAll(/ +/g, " ");
      expect(rows).toContain(`| \`${encoder}\` | ${crfAtAnchors[encoder].join(" | ")} |`);
    });
  }

  test("gives the anchors their numbers", () => {
    for (const [index, quality] of qualityAnchors.entries()) {
      expect(crfFor("libx264", quality)).toBe(crfAtAnchors.libx264[index] ?? -1);
    }
  });

  test("puts the default where x264's is fine for the web", () => {
    const crf = crfFor("libx264", defaultQuality);
    expect(crf).toBeGreaterThanOrEqual(22);
    expect(crf).toBeLessThanOrEqual(23);
  });

  test("refuses what is no quality", () => {
    expect(() => crfFor("libx264", 101)).toThrow("0–100");
    expect(() => crfFor("libx264", Number.NaN)).toThrow("0–100");
  });

  test("runs from 31 to 2 for JPEG", () => {
    expect([jpegScale(0), jpegScale(100)]).toEqual([31, 2]);
  });
});

/** Decodes frames of an animated WebP as stills, all of them or three, in one run. */
import { appendFile, rm } from "node:fs/promises";
import { type AnimatedWebp, frameAsStill, type WebpFrame } from "./animated-webp.ts";
import { type DecodeOutcome, decodeStills } from "./decode-check.ts";
import type { VerifyTools } from "./verify.ts";

/** @param request.path absolute, in a folder of ours, where a file beside it is made and removed again */
export async function decodeWebp(
  { path, animation }: { path: string; animation: AnimatedWebp },
  mode: "quick" | "full",
  tools: VerifyTools,
): Promise<DecodeOutcome> {
  const { frames } = animation;
  const chosen = mode === "full" ? frames : threeOf(frames);
  const stills = `${path}.stills`;
  try {
    await rm(stills, { force: true });
    for (const frame of chosen) await appendFile(stills, await frameAsStill(path, frame));
    const which = chosen.length === frames.length ? "all" : "the first, middle and last of";
    const words = `${which} ${frames.length} frames`;
    return await decodeStills({ path: stills, count: chosen.length, words }, tools);
  } finally {
    await rm(stills, { force: true });
  }
}

function threeOf(frames: WebpFrame[]): WebpFrame[] {
  const indexes = new Set([0, Math.floor(frames.length / 2), frames.length - 1]);
  return frames.filter((_, index) => indexes.has(index));
}

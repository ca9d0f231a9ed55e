/**
 * How what is kept beside an asset is made: the sheet of small pictures, the peaks of its sound, and a small copy that
 * every browser plays. No operations that people ask for, but made of those. Pure.
 */

import type { OutputDescription, StepWork } from "../media/description.ts";
import type { Expectation } from "../media/expectation.ts";
import type { MediaInfo, VideoStream } from "../media/media.ts";
import type { SpriteGrid } from "../media/sprite-grid.ts";
import { assert } from "../trouble.ts";
import { unsuitable } from "./audio-tracks.ts";
import { defaultWaveform, planWaveform } from "./audio-waveform.ts";
import type { PlanContext, Step } from "./operation.ts";
import { rateNumber, shownFrame } from "./picture.ts";
import { spriteSteps } from "./thumbnails-sprite.ts";
import { transcode } from "./transcode.ts";
import { requireTonemap } from "./transcode-picture.ts";
import { transcodeSchema } from "./transcode-schema.ts";

/** One step that leaves one file, and what a reader must know of that. */
export interface CompanionStep {
  work: StepWork;
  expectation: Expectation;
  facts: SpriteGrid | null;
}

/** No argv ever holds it. */
const name = "companion";

/** @throws Refusal 422 `unsuitable_input` when this media has none */
export function planCompanion(
  kind: "sprite" | "peaks" | "proxy",
  media: MediaInfo,
  context: PlanContext,
): CompanionStep {
  switch (kind) {
    case "sprite":
      return planSprite(media, context);
    case "peaks":
      return { ...only(planPeaks(media)), facts: null };
    case "proxy":
      return { ...planProxy(media, context), facts: null };
  }
}

/** About a hundred pictures, and one sheet that a phone decodes: as wide as a card of the library has use for. */
const spritePictures = 100;
const spriteEveryLeast = 0.5;
const spriteTile = { width: 160, height: 284 };
const spriteQuality = 60;

function planSprite(media: MediaInfo, context: PlanContext): CompanionStep {
  const { video } = media;
  if (video === null) throw unsuitable("There is no picture in it.");
  if (video.hdr !== null) requireTonemap(context);
  const seconds = media.durationSeconds ?? 0;
  const every = Math.max(spriteEveryLeast, Math.ceil((seconds / spritePictures) * 1000) / 1000);
  const shown = shownFrame(video);
  const widest = Math.floor((spriteTile.height * shown.width) / shown.height);
  const width = Math.max(2, Math.min(spriteTile.width, widest));
  const wish = { every, width, columns: 10 };
  const params = { format: "jpeg", quality: spriteQuality } as const;
  const { steps, layout } = spriteSteps(params, wish, { name, media, video });
  const [sheet] = steps;
  assert(sheet !== undefined && layout.sheets.length === 1, "the pictures fit one sheet");
  const { columns, rows, count, tile } = layout;
  return {
    ...only([sheet]),
    facts: { every, count, columns, rows, tileWidth: tile.width, tileHeight: tile.height },
  };
}

/** Twice the columns of a wide screen; where a sound is short, what an eye can still tell apart. */
const peaksMost = 8_000;
const peaksPerSecondMost = 100;

function planPeaks(media: MediaInfo): Step[] {
  const track = media.audio[0];
  if (track === undefined) throw unsuitable("There is no sound in it.");
  const seconds = media.durationSeconds;
  if (seconds === null || seconds <= 0) throw unsuitable("It does not say how long it is.");
  const pointsPerSecond = Math.min(peaksPerSecondMost, peaksMost / seconds);
  const wish = { ...defaultWaveform, output: "json", pointsPerSecond } as const;
  return planWaveform(wish, { name, media }, track).steps;
}

/** 720 lines: what the page shows, on a dense screen too, at a tenth of what the source takes. */
const proxyLines = 720;
const proxyQuality = 50;
const proxySoundRate = 128_000;
/** Steps and jumps land at once where a picture is never farther from a keyframe than a second. */
const proxyKeyframeSeconds = 1;
/** Where a source does not say its rate. */
const assumedRate = 25;

function planProxy(media: MediaInfo, context: PlanContext): Omit<CompanionStep, "facts"> {
  const { chunks: _, ...whole } = context;
  const params = transcodeSchema.parse({
    container: "mp4",
    speed: "fast",
    video: { codec: "h264", quality: proxyQuality, ...proxySize(media.video) },
    audio: { codec: "aac", channels: 2, bitRate: proxySoundRate },
    ...{ tracks: "first", metadata: "strip", hdr: "sdr" },
  });
  const { steps } = transcode.plan(params, [{ name, media }], whole);
  const { work, expectation } = only(steps);
  assert(work.kind === "render", "a small copy is one render");
  const outputs = work.description.outputs.map((output) => watchable(output, media.video));
  return {
    work: { ...work, description: { ...work.description, outputs } },
    expectation: { ...expectation, subtitles: { least: 0, most: 0 } },
  };
}

/** By the short side, so that what was filmed upright is as sharp. */
function proxySize(video: VideoStream | null): { maxWidth: number } | { maxHeight: number } {
  if (video === null) return { maxHeight: proxyLines };
  const { width, height } = shownFrame(video);
  return width < height ? { maxWidth: proxyLines } : { maxHeight: proxyLines };
}

function watchable(output: OutputDescription, source: VideoStream | null): OutputDescription {
  const { video } = output;
  if (video?.kind !== "encode") return { ...output, subtitles: [] };
  const rate = rateNumber(source?.frameRate ?? null) ?? assumedRate;
  const gopFrames = Math.max(1, Math.round(rate * proxyKeyframeSeconds));
  return { ...output, subtitles: [], video: { ...video, gopFrames } };
}

function only(steps: readonly Step[]): Pick<CompanionStep, "work" | "expectation"> {
  const [step, second] = steps;
  const output = step?.outputs[0];
  assert(step !== undefined && second === undefined, "a companion is made in one step");
  assert(output !== undefined && step.outputs.length === 1, "a companion is one file");
  return { work: step.work, expectation: output.expectation };
}

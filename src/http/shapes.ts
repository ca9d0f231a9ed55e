/** The forms of the API's answers as schemas, for the OpenAPI document and for tests that hold answers to it. */
import { z } from "zod";
import { type Asset, assetKinds, assetStates } from "../assets/asset.ts";
import { type Job, jobStates, stepStates, waitsFor } from "../jobs/job.ts";
import type { MediaInfo } from "../media/media.ts";
import { failureCodes } from "../trouble.ts";

const time = z.iso.datetime().describe("ISO 8601 UTC");
const text = z.string().nullable();
const count = z.int().min(0);

const videoShape = z.strictObject({
  codec: z.string(),
  profile: text,
  width: count.describe("Coded width in pixels"),
  height: count.describe("Coded height in pixels"),
  displayWidth: count,
  displayHeight: count,
  frameRate: text.describe('Rational, for example "30000/1001"; null for a still'),
  variableFrameRate: z.boolean(),
  pixelFormat: z.string(),
  bitDepth: z.int(),
  rotation: z.union([z.literal(0), z.literal(90), z.literal(180), z.literal(270)]),
  hdr: z.enum(["hdr10", "hdr10plus", "hlg", "dolby-vision"]).nullable(),
  colorPrimaries: text,
  colorTransfer: text,
  colorSpace: text,
  colorRange: z.enum(["tv", "pc"]).nullable(),
  sampleAspectRatio: z.string(),
  interlaced: z.boolean(),
  alpha: z.boolean(),
  bitRate: z.number().nullable(),
  index: count,
});

const audioShape = z.strictObject({
  codec: z.string(),
  profile: text,
  channels: count,
  channelLayout: text,
  sampleRate: count,
  language: text,
  title: text,
  bitRate: z.number().nullable(),
  default: z.boolean(),
  index: count,
});

const subtitleShape = z.strictObject({
  codec: z.string(),
  language: text,
  title: text,
  default: z.boolean(),
  forced: z.boolean(),
  index: count,
});

const chapterShape = z.strictObject({
  startSeconds: z.number(),
  endSeconds: z.number(),
  title: text,
});

export const mediaShape = z
  .strictObject({
    container: z.string(),
    kind: z.enum(["video", "audio", "image"]),
    durationSeconds: z.number().nullable(),
    bitRate: z.number().nullable(),
    video: videoShape.nullable(),
    audio: z.array(audioShape),
    subtitles: z.array(subtitleShape),
    chapters: z.array(chapterShape),
  })
  .meta({ id: "Media" });

export const assetShape = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    state: z.enum(assetStates),
    kind: z.enum(assetKinds),
    sizeBytes: count,
    sha256: z.string(),
    mimeType: z.string(),
    media: mediaShape.nullable(),
    origin: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("upload") }),
      z.strictObject({ kind: z.literal("job"), jobId: z.string(), role: z.string() }),
    ]),
    thumbnail: z.enum(["wanted", "ready", "none"]),
    createdAt: time,
    expiresAt: time.nullable(),
  })
  .meta({ id: "Asset" });

const failureShape = z
  .strictObject({
    code: z.enum(failureCodes),
    message: z.string(),
    hint: z.string(),
    retryable: z.boolean(),
    log: z.string().describe("Last lines of ffmpeg"),
  })
  .meta({ id: "Failure" });

const proofShape = z
  .strictObject({
    decoder: text.describe('"NVDEC" or "CPU"; null when no picture was decoded'),
    filters: text.describe('"CUDA" or "CPU"; null when nothing was filtered'),
    encoder: text.describe("In the words of ffmpeg; null when no picture was encoded"),
    device: z.string(),
    averageFps: z.number().nullable().describe("Frames of the output per second of work"),
    realtimeFactor: z.number().nullable().describe("Seconds of output per second of work"),
    fenceLayers: z.array(z.string()).describe("What kept ffmpeg in its place"),
    sentence: z.string().describe("All of it for a person"),
  })
  .meta({ id: "Proof" });

/** What really ran. Jobs of before it was kept have none. */
const proof = proofShape.nullable().optional().describe("What really ran; null when not known");

const range = (unit: string) =>
  z
    .strictObject({ low: z.number().min(0), high: z.number().min(0) })
    .describe(`${unit}: four times in five it lies in here`);

/** What is expected of a step or of all of them. */
export const predictedFields = {
  predictedSeconds: z
    .number()
    .min(0)
    .describe(
      "From its start to its end, without waiting for others; parts that run side by side count once",
    ),
  predictedSecondsRange: range("Seconds"),
  predictedBytes: count.describe("Of all outputs"),
  predictedBytesRange: range("Bytes"),
  basis: z
    .string()
    .describe('What it rests on: "from 14 jobs like it on this box", or that it is a first guess'),
};

const stepShape = z.strictObject({
  name: z.string(),
  title: z.string(),
  state: z.enum(stepStates),
  needs: z.array(z.string()).optional().describe("Steps that must be done before it"),
  attempts: count.optional().describe("How many times it was begun"),
  device: text,
  deviceReason: text,
  encoder: text,
  proof,
  checks: z.array(z.string()).describe("What was proven of its outputs"),
  startedAt: time.nullable().optional(),
  finishedAt: time.nullable().optional(),
});

const attemptShape = z.strictObject({
  fence: count,
  startedAt: time,
  finishedAt: time.nullable(),
  outcome: z.enum(["running", "succeeded", "failed", "cancelled", "interrupted"]),
  device: z.string(),
  deviceReason: text.optional(),
  proof,
  error: failureShape.nullable(),
  notes: z.array(z.string()).optional().describe("What of earlier attempts it could use"),
});

const historyShape = z.strictObject({
  at: time,
  what: z.string().describe("The move, or what else was done: `submit`, `claim`, `priority`"),
  state: z.enum(jobStates).describe("Afterwards"),
  who: z.string().describe('A person, with the token of a program; "" for Kinomill itself'),
  sentence: z.string(),
});

export const jobShape = z
  .strictObject({
    id: z.string(),
    operation: z.string(),
    title: z.string(),
    state: z.enum(jobStates),
    params: z.record(z.string(), z.unknown()),
    inputs: z.array(z.string()),
    outputs: z.array(z.string()),
    progressPercent: z.number(),
    speed: z.number().nullable().describe("Seconds of media per second"),
    etaSeconds: z.number().nullable(),
    priority: z.int(),
    attempt: count,
    device: text,
    deviceReason: text,
    error: failureShape.nullable(),
    notes: z.array(z.string()),
    labels: z.record(z.string(), z.string()),
    verify: z
      .enum(["quick", "full"])
      .nullable()
      .optional()
      .describe("How its outputs are proven; null: as the setting jobs.verify says"),
    steps: z.array(stepShape),
    attempts: z.array(attemptShape),
    waitsFor: z
      .enum(waitsFor)
      .nullable()
      .describe("What it waits for besides its turn; null when that is all"),
    waitReason: text.describe("The same for a person"),
    after: z.array(z.string()).describe("Jobs that must have succeeded before it"),
    notBefore: time.nullable(),
    pausedAt: time
      .nullable()
      .describe("A running job that is paused stands still and keeps its memory"),
    batch: text.describe("The call for many that it came with"),
    history: z
      .array(historyShape)
      .optional()
      .describe("What happened to it, the oldest first, as far as it is kept; of one job alone"),
    createdAt: time,
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
    predicted: z
      .strictObject(predictedFields)
      .nullable()
      .optional()
      .describe("What was expected of it when it first began; null before"),
  })
  .meta({ id: "Job" });

export const problemShape = z
  .strictObject({
    type: z.literal("about:blank"),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().describe("Stable word for programs"),
    errors: z
      .array(z.strictObject({ path: z.string(), message: z.string() }))
      .optional()
      .describe("Every fault of a 422"),
  })
  .meta({ id: "Problem" });

/** A page of a list: `next` goes into `after` of the next call and is null at the end. */
export function pageShape(item: z.ZodType): z.ZodType {
  return z.strictObject({ items: z.array(item), next: z.string().nullable() });
}

/** An asset as programs see it. Adding a field to `Asset` without its schema does not compile. */
export function assetJson(asset: Asset): z.input<typeof assetShape> {
  const { ownerId: _, ...shown } = asset;
  return shown satisfies Omit<Asset, "ownerId"> & { media: MediaInfo | null };
}

/** A job as programs see it. */
export function jobJson(job: Job): z.input<typeof jobShape> {
  const { ownerId: _, ...shown } = job;
  return shown;
}

/** Entries of one page: 50 fill a screen, 200 still answer within 20 ms. */
export const pageLimit = z.int().min(1).max(200).default(50).describe("Entries of a page");

/** Ids are 35 characters; the rest is room for what later ids may look like. */
export const idText = z.string().min(1).max(64);

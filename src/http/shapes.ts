/** The forms of the API's answers as schemas, for the OpenAPI document and for tests that hold answers to it. */
import { z } from "zod";
import { type Asset, assetKinds, assetStates } from "../assets/asset.ts";
import type { Library } from "../assets/library.ts";
import type { ImportView } from "../ingest/import.ts";
import { shownLink } from "../ingest/link.ts";
import { linkFaultCodes } from "../ingest/link-trouble.ts";
import { type Job, jobStates, onlyDevices, stepStates, waitsFor } from "../jobs/job.ts";
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

const importOrigin = z.strictObject({
  kind: z.literal("import"),
  url: z.string().describe("The link without what may be a secret: no name, password or query"),
});

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
      importOrigin,
      z.strictObject({ kind: z.literal("job"), jobId: z.string(), role: z.string() }),
    ]),
    thumbnail: z.enum(["wanted", "ready", "none"]),
    createdAt: time,
    duplicateOf: text
      .optional()
      .describe(
        "Your oldest other asset with the same bytes, null when there is none; told of one asset, not in lists",
      ),
    expiresAt: time.nullable().describe("When it goes into the bin by itself; null for never"),
    labels: z.array(z.string()).describe("In the order in which they were given"),
    binnedAt: time
      .optional()
      .describe("When it went into the bin; absent while it is not in there"),
  })
  .meta({ id: "Asset" });

/** An asset that is not there yet. */
export const importShape = z
  .strictObject({
    id: z.string().describe("Of the asset that it will be"),
    name: z.string(),
    state: z
      .enum(["importing", "failed", "reused"])
      .describe("`reused`: you had an equal file and asked to have that one"),
    sizeBytes: count
      .nullable()
      .describe("As the server of the link declares it; null when it does not"),
    origin: importOrigin,
    phase: z
      .enum(["waiting", "receiving", "pausing", "checking"])
      .nullable()
      .describe("What it does: `pausing` before another attempt, `checking` the whole file"),
    receivedBytes: count,
    progressPercent: z.number().nullable(),
    bytesPerSecond: count.nullable(),
    etaSeconds: count.nullable(),
    error: z
      .strictObject({
        code: z.enum(linkFaultCodes),
        message: z.string(),
        hint: z.string().describe("What to do"),
        retryable: z.boolean().describe("It may pass by itself, and was tried again some times"),
      })
      .nullable(),
    assetId: text.describe("Of `reused`: the equal file that you had"),
    createdAt: time,
    finishedAt: time.nullable(),
  })
  .meta({ id: "Import" });

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
    command: z
      .string()
      .optional()
      .describe(
        "The command of ffmpeg, quoted for a shell, its files by their names; of the parts of a long encode the first has it",
      ),
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
    onlyOn: z
      .enum(onlyDevices)
      .nullable()
      .optional()
      .describe("Where a person wants it since they retried it; null: wherever it fits"),
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
    requestId: z.string().describe("By which the log of the server names the request"),
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
  const { ownerId: _, labels = [], ...shown } = asset;
  const typed = shown satisfies Omit<Asset, "ownerId" | "labels"> & { media: MediaInfo | null };
  return { ...typed, labels: [...labels] };
}

/** One asset, with the equal one that its owner has. */
export function assetAloneJson(
  library: Pick<Library, "equalOf">,
  asset: Asset,
): z.input<typeof assetShape> {
  const equal = library.equalOf(asset.ownerId, asset.sha256, asset.id);
  return { ...assetJson(asset), duplicateOf: equal?.id ?? null };
}

/** An import as programs see it. */
export function importJson({ item, progress }: ImportView): z.input<typeof importShape> {
  const { id, name, state, error, assetId, createdAt, finishedAt } = item;
  const totalBytes = progress?.totalBytes ?? item.totalBytes;
  const receivedBytes = progress?.receivedBytes ?? item.durableBytes;
  const speed = progress?.bytesPerSecond ?? null;
  const known = totalBytes !== null && totalBytes > 0;
  const open = state === "waiting" || state === "receiving";
  return {
    ...{ id, name },
    state: open ? "importing" : state,
    sizeBytes: totalBytes,
    origin: { kind: "import", url: shownLink(new URL(item.url)) },
    phase: open ? (progress?.phase ?? "waiting") : null,
    receivedBytes,
    progressPercent: known
      ? Math.min(100, Math.round((receivedBytes / totalBytes) * 1000) / 10)
      : null,
    bytesPerSecond: speed,
    etaSeconds: known && speed ? Math.ceil(Math.max(0, totalBytes - receivedBytes) / speed) : null,
    ...{ error, assetId, createdAt, finishedAt },
  };
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

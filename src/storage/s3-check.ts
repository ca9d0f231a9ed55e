/**
 * Whether a bucket is fit to keep what Kinomill stores: tried by doing it, with a small object that is gone afterwards.
 * What is wrong comes with what to do about it.
 */
import type {
  GetBucketCorsCommandOutput,
  GetBucketLifecycleConfigurationCommandOutput,
  LifecycleRule,
} from "@aws-sdk/client-s3";
import { newId } from "../identity.ts";
import { Refusal } from "../trouble.ts";
import { Bucket, CHECK_KEY_START } from "./s3-bucket.ts";
import type { S3Settings, Sdk } from "./s3-calls.ts";
import type { S3Fault } from "./s3-trouble.ts";

/** Whoever asks waits: silence is told sooner than in the work itself. */
const CHECK_SILENCE_SECONDS = 2;

/** S3 refuses requests that are 15 minutes off; the SDK mends its own, but not the URLs of others. */
const SKEW_WARNING_MS = 60_000;

export interface BucketAspect {
  aspect: "reach" | "rights" | "clock" | "cors" | "lifecycle";
  level: "ok" | "warning" | "fault";
  /** What is so and what it means. */
  meaning: string;
  /** Null where nothing needs doing. */
  remedy: string | null;
}

/** Looks at everything; takes some seconds at most. Never rejects for trouble with the server. */
export async function checkBucket(settings: S3Settings): Promise<BucketAspect[]> {
  const timeoutSeconds = Math.min(CHECK_SILENCE_SECONDS, settings.timeoutSeconds);
  const bucket = new Bucket({ ...settings, timeoutSeconds });
  const reach = await tried("reach", `The bucket ${settings.bucket} answers.`, async () => {
    await bucket.list(null);
  });
  if (reach.level === "fault") return [reach];
  return [
    reach,
    ...(await Promise.all([
      rightsOf(bucket),
      clockOf(bucket),
      corsOf(bucket),
      lifecycleOf(bucket),
    ])),
  ];
}

async function tried(
  aspect: BucketAspect["aspect"],
  meaning: string,
  work: () => Promise<void>,
): Promise<BucketAspect> {
  try {
    await work();
    return { aspect, level: "ok", meaning, remedy: null };
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    const [sentence = "", ...rest] = cause.message.split(/(?<=[.)]) (?=[A-Z])/);
    return { aspect, level: "fault", meaning: sentence, remedy: rest.join(" ") || null };
  }
}

/** Each right by using it, so that the one that is missing can be named. */
async function rightsOf(bucket: Bucket): Promise<BucketAspect> {
  const aspect = "rights";
  const key = `${CHECK_KEY_START}${newId("asset")}`;
  const bytes = crypto.getRandomValues(new Uint8Array(1_000));
  const steps: [string, () => Promise<void>][] = [
    ["s3:PutObject", () => bucket.put(key, new Blob([bytes]), null)],
    ["s3:GetObject", () => readBack(bucket, key, bytes)],
    ["s3:PutObject in parts", () => beginAndDrop(bucket, key)],
    ["s3:DeleteObject", () => bucket.remove(key)],
  ];
  const missing: string[] = [];
  for (const [right, step] of steps) {
    const done = await tried(aspect, "", step);
    if (done.level === "ok") continue;
    missing.push(`${right}: ${done.meaning} ${done.remedy ?? ""}`.trim());
    // Nothing is there to be read or deleted.
    if (right === "s3:PutObject") break;
  }
  if (missing.length === 0) {
    const meaning = "The key may write, read and delete objects, and send them in parts.";
    return { aspect, level: "ok", meaning, remedy: null };
  }
  return {
    ...{ aspect, level: "fault" },
    meaning: `The bucket does not take everything that Kinomill does: ${missing.join(" ")}`,
    remedy:
      "Give the key s3:PutObject, s3:GetObject, s3:DeleteObject, s3:ListBucket, s3:AbortMultipartUpload, s3:ListBucketMultipartUploads and s3:ListMultipartUploadParts (docs/storage.md).",
  };
}

async function readBack(bucket: Bucket, key: string, bytes: Uint8Array): Promise<void> {
  const answer = await bucket.get(key, null);
  const read = answer === null ? null : await answer.head.bytes();
  answer?.close();
  if (read !== null && Buffer.compare(read, bytes) === 0) return;
  const sentence =
    "What is read is not what was written. Look at the server, and at caches before it.";
  throw new Refusal(503, "storage_denied", sentence);
}

async function beginAndDrop(bucket: Bucket, key: string): Promise<void> {
  const uploadId = await bucket.beginParts(key);
  await bucket.dropUpload({ key, uploadId, initiatedMs: 0 });
}

async function clockOf(bucket: Bucket): Promise<BucketAspect> {
  const aspect = "clock";
  const askedMs = Date.now();
  const skewMs = await bucket.serverTimeMs().then(
    (timeMs) => (timeMs === null ? null : timeMs - (askedMs + Date.now()) / 2),
    () => null,
  );
  if (skewMs === null || Math.abs(skewMs) < SKEW_WARNING_MS) {
    const meaning = "The clocks of this machine and of the S3 server agree.";
    return { aspect, level: "ok", meaning, remedy: null };
  }
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  const side = skewMs > 0 ? "behind" : "ahead of";
  return {
    ...{ aspect, level: "warning" },
    meaning: `The clock of this machine is ${seconds} seconds ${side} that of the S3 server: signed addresses expire at the wrong time.`,
    remedy: "Let both follow a time server: sudo timedatectl set-ntp true",
  };
}

/** Rules can only be read by who may; that nobody may is no fault. */
async function rulesOf<Output>(
  bucket: Bucket,
  ask: (sdk: Sdk) => object,
  none: string,
): Promise<Output | "none" | "unknown"> {
  let missing = false;
  const isMissing = ({ code }: S3Fault) => {
    missing = code === none;
    return missing;
  };
  try {
    const rules = await bucket.calls.send<Output>("read its rules", ask, undefined, isMissing);
    return rules ?? (missing ? "none" : "unknown");
  } catch (cause) {
    if (cause instanceof Refusal) return "unknown";
    throw cause;
  }
}

async function corsOf(bucket: Bucket): Promise<BucketAspect> {
  const aspect = "cors";
  const ask = (sdk: Sdk) => new sdk.GetBucketCorsCommand({ Bucket: bucket.settings.bucket });
  const rules = await rulesOf<GetBucketCorsCommandOutput>(bucket, ask, "NoSuchCORSConfiguration");
  if (rules === "unknown") {
    const meaning =
      "The bucket's CORS rules may not be read; whether a page may read from it is asked for each page.";
    return { aspect, level: "ok", meaning, remedy: null };
  }
  const reading = (rules === "none" ? [] : (rules.CORSRules ?? [])).filter(
    ({ AllowedMethods = [] }) => AllowedMethods.includes("GET"),
  );
  if (reading.length > 0) {
    const origins = reading.flatMap(({ AllowedOrigins = [] }) => AllowedOrigins).join(", ");
    const meaning = `Pages of ${origins} may read from the bucket by script.`;
    return { aspect, level: "ok", meaning, remedy: null };
  }
  return {
    ...{ aspect, level: "warning" },
    meaning:
      "The bucket has no CORS rule for reading: what players fetch by script (HLS, DASH) passes through Kinomill instead.",
    remedy: "Set the rule that docs/storage.md shows, with the address of the page.",
  };
}

async function lifecycleOf(bucket: Bucket): Promise<BucketAspect> {
  const aspect = "lifecycle";
  const { bucket: Name, prefix } = bucket.settings;
  const ask = (sdk: Sdk) => new sdk.GetBucketLifecycleConfigurationCommand({ Bucket: Name });
  const rules = await rulesOf<GetBucketLifecycleConfigurationCommandOutput>(
    ...[bucket, ask, "NoSuchLifecycleConfiguration"],
  );
  if (rules === "unknown") {
    const meaning =
      "The bucket's lifecycle rules may not be read. Kinomill drops old parts itself.";
    return { aspect, level: "ok", meaning, remedy: null };
  }
  const ours = (rules === "none" ? [] : (rules.Rules ?? [])).filter((rule) => {
    return rule.Status === "Enabled" && concerns(rule, prefix);
  });
  const deleting = ours.find(
    ({ Expiration }) => (Expiration?.Days ?? Expiration?.Date) !== undefined,
  );
  if (deleting !== undefined) {
    return {
      ...{ aspect, level: "fault" },
      meaning: `The lifecycle rule "${deleting.ID ?? ""}" of the bucket deletes objects by age: assets would lose their bytes.`,
      remedy: "Take the rule away, or limit it to other prefixes than storage.s3.prefix.",
    };
  }
  if (ours.some(({ AbortIncompleteMultipartUpload: abort }) => abort !== undefined)) {
    const meaning = "The bucket drops the parts of uploads that were never finished.";
    return { aspect, level: "ok", meaning, remedy: null };
  }
  return {
    ...{ aspect, level: "warning" },
    meaning:
      "The bucket has no lifecycle rule that drops parts of unfinished uploads: Kinomill does it while it runs, and nobody does when it is gone.",
    remedy: "Set AbortIncompleteMultipartUpload after 2 days (docs/storage.md).",
  };
}

function concerns({ Filter, Prefix }: LifecycleRule, prefix: string): boolean {
  const start = Filter?.Prefix ?? Filter?.And?.Prefix ?? Prefix ?? "";
  return start.startsWith(prefix) || prefix.startsWith(start);
}

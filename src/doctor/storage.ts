/** Where the bytes of assets live, and whether a bucket is fit for that. */
import { type BucketAspect, checkBucket } from "../storage/s3-check.ts";
import { withSecret } from "../storage/s3-secret.ts";
import type { Box, Finding } from "./finding.ts";

const titles: Record<BucketAspect["aspect"], string> = {
  reach: "Bucket",
  rights: "Rights in the bucket",
  clock: "Clock of the S3 server",
  cors: "CORS of the bucket",
  lifecycle: "Lifecycle of the bucket",
};

/** A command asks the bucket; the server says what it found at its last look. */
export async function storageFindings({ config, asker, bucket }: Box): Promise<Finding[]> {
  const { kind, s3 } = config.storage;
  const where = kind === "disk" ? "on the disk of the data folder" : `in the bucket ${s3.bucket}`;
  const meaning = `The bytes of assets live ${where} (storage.kind = "${kind}").`;
  const title = "Storage";
  const place: Finding = { id: "storage", level: "ok", title, meaning, remedy: null };
  if (kind === "disk") return [place];
  // What is wrong with the secrets says the look at them.
  if (s3.secretAccessKey.startsWith("secret:")) return [place];
  const aspects = asker === "command" ? await checkBucket(withSecret(s3)) : (bucket ?? []);
  return [place, ...aspects.map(bucketFinding)];
}

function bucketFinding({ aspect, ...rest }: BucketAspect): Finding {
  return { id: `storage.${aspect}`, title: titles[aspect], ...rest };
}

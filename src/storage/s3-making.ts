/** Makes the bucket of the settings, for whoever sets up a server of their own. */
import { S3Calls, type S3Settings, type Sdk } from "./s3-calls.ts";
import type { S3Fault } from "./s3-trouble.ts";

/** False when it is there already. @throws Refusal */
export async function makeBucket(settings: S3Settings): Promise<boolean> {
  const calls = new S3Calls(settings);
  const named = { Bucket: settings.bucket };
  const look = (sdk: Sdk) => new sdk.ListObjectsV2Command({ ...named, MaxKeys: 1 });
  const missing = ({ code }: S3Fault) => code === "NoSuchBucket";
  const found = await calls.send("look for the bucket", look, undefined, missing);
  if (found !== null) return false;
  await calls.must("make the bucket", (sdk) => new sdk.CreateBucketCommand(named), undefined);
  return true;
}

/** `kinomill storage create-bucket`: makes the bucket of the settings where it is not there. */
import { makeBucket } from "../storage/s3-making.ts";
import { withSecret } from "../storage/s3-secret.ts";
import { Refusal } from "../trouble.ts";
import { exitCodes } from "./exit.ts";
import type { CommonOptions } from "./program.ts";
import { configOf } from "./settings.ts";

export async function createBucket(options: CommonOptions): Promise<number> {
  const { s3 } = (await configOf(options)).storage;
  if (s3.bucket === "") {
    const sentence = "storage.s3.bucket names no bucket. Set it, and where its server is.";
    throw new Refusal(400, "bad_config", sentence);
  }
  const made = await makeBucket(withSecret(s3));
  console.log(made ? `Made the bucket ${s3.bucket}.` : `The bucket ${s3.bucket} is there already.`);
  return exitCodes.done;
}

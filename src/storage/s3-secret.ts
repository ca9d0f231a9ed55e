/** The secret key, which may stand in a file of its own. */
import { readFileSync } from "node:fs";
import { Refusal } from "../trouble.ts";
import type { S3Settings } from "./s3-calls.ts";

/** The settings with the secret key in them. @throws Refusal 400 `bad_config` when its file cannot be read */
export function withSecret(settings: S3Settings): S3Settings {
  const { secretAccessKeyFile: path, secretAccessKey } = settings;
  if (secretAccessKey.startsWith("secret:")) {
    const name = secretAccessKey.slice("secret:".length);
    const sentence = `storage.s3.secretAccessKey names the secret ${name}, which is not there or cannot be opened. Set it: kinomill secret set ${name}`;
    throw new Refusal(400, "bad_config", sentence);
  }
  if (path === "") return settings;
  try {
    return { ...settings, secretAccessKey: readFileSync(path, "utf8").trim() };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const sentence = `storage.s3.secretAccessKeyFile cannot be read: ${reason}`;
    throw new Refusal(400, "bad_config", sentence);
  }
}

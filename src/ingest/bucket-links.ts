/**
 * Links like s3://bucket/key: objects of the S3 account that keeps this server's own. The keys of the server open them,
 * so that the admin says which ones anybody may import, and nobody reads what other people have stored here.
 */
import { readFileSync } from "node:fs";
import type { Clock } from "../clock.ts";
import type { Bucket } from "../storage/s3-bucket.ts";
import { Refusal } from "../trouble.ts";
import { allowedFrom } from "./addresses.ts";
import { Gate } from "./gate.ts";

/** One attempt reads through one address; a longer one goes on with the next. */
const ADDRESS_SECONDS = 6 * 3600;

/** Where an attempt asks for the object. */
export interface Place {
  url: URL;
  gate: Gate;
  /** PEM of the authority that signed the server's certificate, when it is private. */
  authorities?: string;
}

export class BucketLinks {
  private readonly bucket: Bucket;
  private readonly opened: readonly string[];
  private readonly clock: Clock;

  /** @param opened `bucket` or `bucket/start/of/keys`, as in `imports.buckets` */
  constructor(bucket: Bucket, opened: readonly string[], clock: Clock) {
    this.bucket = bucket;
    this.opened = opened;
    this.clock = clock;
  }

  /**
   * Whether an object may be imported, before anybody is asked for it.
   * @throws Refusal 422 `bad_link`, `link_refused`
   */
  judge(link: URL): void {
    const { bucket, key } = objectOf(link);
    const own = this.bucket.settings;
    const isOwn = bucket === own.bucket && key.startsWith(own.prefix);
    const isOpened = this.opened.some((entry) => {
      const [name, ...start] = entry.replace(/\/$/, "").split("/");
      return name === bucket && (start.length === 0 || key.startsWith(`${start.join("/")}/`));
    });
    if (isOpened && !isOwn) return;
    const why = isOwn
      ? "Kinomill keeps its own files there, and those of others."
      : "It is not opened for imports.";
    throw new Refusal(
      422,
      "link_refused",
      `Kinomill does not fetch from s3://${bucket}/. ${why} The admin opens buckets, or parts of them, by imports.buckets.`,
    );
  }

  /** An address that is signed for the object; it goes to the S3 server of the settings and nowhere else. */
  async placeOf(link: URL): Promise<Place> {
    this.judge(link);
    const { bucket: Bucket, key: Key } = objectOf(link);
    const { calls, settings } = this.bucket;
    const signed = await calls.sign(
      (sdk) => new sdk.GetObjectCommand({ Bucket, Key }),
      "inner",
      ADDRESS_SECONDS,
      this.clock.nowMs(),
    );
    const url = new URL(signed);
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    // An S3 server is mostly inside: this one host, which the settings name.
    const gate = new Gate({ allowed: allowedFrom([host]) });
    if (settings.caFile === "") return { url, gate };
    return { url, gate, authorities: readFileSync(settings.caFile, "utf8") };
  }
}

function objectOf(link: URL): { bucket: string; key: string } {
  const key = decoded(link.pathname.replace(/^\//, ""));
  const odd = link.search !== "" || link.username !== "" || link.port !== "";
  if (link.hostname !== "" && key !== null && key !== "" && !odd) {
    return { bucket: link.hostname, key };
  }
  const sentence =
    "A link to a bucket is like s3://bucket/path/file.mov, with %3F for a question mark.";
  throw new Refusal(422, "bad_link", sentence);
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

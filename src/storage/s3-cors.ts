/** Whether scripts of a page may read from the bucket: asked as a browser would ask. */
import type { Bucket } from "./s3-bucket.ts";

/** Rules of a bucket change rarely; who has just set some does not want to wait. */
const REMEMBERED_MS = 60_000;

/** One server is reached by a handful of names. */
const ORIGINS_MAX = 64;

/** An object that need not be there: rules are the bucket's. */
const SAMPLE_KEY = "cors-check";

export type CorsMethod = "GET" | "PUT";

export class CorsRules {
  private readonly bucket: Bucket;
  private readonly nowMs: () => number;
  private readonly known = new Map<string, { allowed: boolean; askedMs: number }>();

  constructor(bucket: Bucket, nowMs: () => number) {
    this.bucket = bucket;
    this.nowMs = nowMs;
  }

  /** Never rejects: where the server cannot be asked, the answer is no. */
  async allows(origin: string, method: CorsMethod): Promise<boolean> {
    const name = `${method} ${origin}`;
    const known = this.known.get(name);
    if (known !== undefined && this.nowMs() - known.askedMs < REMEMBERED_MS) return known.allowed;
    const allowed = await this.ask(origin, method).catch(() => false);
    if (this.known.size >= ORIGINS_MAX) this.known.clear();
    this.known.set(name, { allowed, askedMs: this.nowMs() });
    return allowed;
  }

  private async ask(origin: string, method: CorsMethod): Promise<boolean> {
    const grant = { method, expiresSeconds: 60 };
    const url = new URL(await this.bucket.urlFor(SAMPLE_KEY, grant, this.nowMs()));
    url.search = "";
    const { head } = await this.bucket.calls.wire.ask({
      method: "OPTIONS",
      url: url.href,
      headers: {
        origin,
        "access-control-request-method": method,
        ...(method === "GET" ? { "access-control-request-headers": "range" } : {}),
      },
    });
    const allowed = head.headers.get("access-control-allow-origin");
    return head.ok && (allowed === "*" || allowed === origin);
  }
}

/** One bucket: each thing that Kinomill asks of it. Nothing here knows what objects are for. */
import type {
  CreateMultipartUploadCommandOutput,
  HeadObjectCommandOutput,
  ListMultipartUploadsCommandOutput,
  ListObjectsV2CommandOutput,
  ListPartsCommandOutput,
  Part,
  UploadPartCopyCommandOutput,
} from "@aws-sdk/client-s3";
import { pause, S3Calls, type S3Settings, type Sdk } from "./s3-calls.ts";
import { isMissing, S3Answer, type S3Fault } from "./s3-trouble.ts";
import type { OpenAnswer, WireRequest } from "./s3-wire.ts";

/** The signed URLs that we use ourselves: longer than the slowest part of the largest object takes. */
const OWN_URL_SECONDS = 3_600;

/** How long after each drop it is looked again. */
const AFTER_DROP_MS = [100, 400, 1_200, 0];

/** One page of a list. */
const PAGE_KEYS = 1_000;

/** What the keys of objects begin with by which a bucket is tried. */
export const CHECK_KEY_START = "check-";

export interface Listed {
  key: string;
  sizeBytes: number;
  modifiedMs: number;
}

/** Parts that were sent and never became an object. */
export interface OpenUpload {
  key: string;
  uploadId: string;
  initiatedMs: number;
}

export interface PartReceipt {
  partNumber: number;
  etag: string;
}

/** What is signed into a URL for somebody else. */
export interface UrlGrant {
  method: "GET" | "PUT";
  expiresSeconds: number;
  contentType?: string;
  contentDisposition?: string;
  /** For PUT: one part of an upload in parts. */
  part?: { uploadId: string; partNumber: number };
}

export class Bucket {
  readonly settings: S3Settings;
  readonly calls: S3Calls;
  /** Keys under which there may be an upload too many. */
  private readonly begunTwice = new Set<string>();

  /** @throws Refusal 400 `bad_config` */
  constructor(settings: S3Settings) {
    this.settings = settings;
    this.calls = new S3Calls(settings);
  }

  /** Null when there is no such object. */
  async head(key: string, signal?: AbortSignal): Promise<{ sizeBytes: number } | null> {
    const ask = (sdk: Sdk) => new sdk.HeadObjectCommand(this.named(key));
    let unexplained = false;
    const expected = (fault: S3Fault) => {
      unexplained = !isMissing(fault) && fault.status >= 400 && fault.status < 500;
      return isMissing(fault) || (unexplained && !fault.passing);
    };
    const doing = "look at an object";
    const answer = await this.calls.send<HeadObjectCommandOutput>(doing, ask, signal, expected);
    if (answer !== null) return { sizeBytes: answer.ContentLength ?? 0 };
    if (unexplained) await this.explain(key, signal);
    return null;
  }

  /** An answer without a body does not say what is wrong: the same is asked in a way that has one. */
  private async explain(key: string, signal?: AbortSignal): Promise<void> {
    const answer = await this.get(key, { start: 0, end: 1 }, signal);
    answer?.abandon(new Error("not wanted"));
    answer?.close();
    if (answer === null) return;
    const fault = { code: "AccessDenied", status: 403, message: "", passing: false, region: null };
    throw this.calls.refusal(fault, "look at an object");
  }

  /**
   * The answer with the bytes `start` to `end` (exclusive), its body still to be read; null when there is no such object
   * or the range lies outside.
   */
  async get(
    key: string,
    range: { start: number; end: number } | null,
    signal?: AbortSignal,
  ): Promise<OpenAnswer | null> {
    const outside = (fault: S3Fault) => isMissing(fault) || fault.status === 416;
    return await this.calls.tries("read an object", signal, outside, async () => {
      const url = await this.ownUrl("GetObjectCommand", this.named(key));
      const headers: Record<string, string> =
        range === null ? {} : { range: `bytes=${range.start}-${range.end - 1}` };
      const answer = await this.calls.wire.open({ method: "GET", url, headers, signal });
      const { head, close } = answer;
      if (head.status === (range === null ? 200 : 206)) return answer;
      try {
        throw new S3Answer(head, await shortText(head));
      } finally {
        close();
      }
    });
  }

  /** Writes an object with one request. @param md5 of the body in base64 */
  async put(key: string, body: Blob, md5: string | null, signal?: AbortSignal): Promise<void> {
    const command = this.named(key);
    await this.sendBody("store an object", "PutObjectCommand", command, body, md5, signal);
  }

  /** Begins an object that is sent in parts. */
  async beginParts(key: string, signal?: AbortSignal, contentType?: string): Promise<string> {
    let asked = 0;
    const ask = (sdk: Sdk) => {
      asked += 1;
      return new sdk.CreateMultipartUploadCommand({
        ...this.named(key),
        ...(contentType === undefined ? {} : { ContentType: contentType }),
      });
    };
    const doing = "begin an object";
    const begun = await this.calls.must<CreateMultipartUploadCommandOutput>(doing, ask, signal);
    // An answer that got lost may have begun one more, of which nobody knows.
    if (asked > 1) this.begunTwice.add(key);
    if (begun.UploadId !== undefined) return begun.UploadId;
    throw this.calls.refusal({ ...oddAnswer, message: "no upload id" }, "begin an object");
  }

  async putPart(
    key: string,
    part: { uploadId: string; partNumber: number },
    body: Blob,
    md5: string | null,
    signal?: AbortSignal,
  ): Promise<PartReceipt> {
    const command = { ...this.named(key), UploadId: part.uploadId, PartNumber: part.partNumber };
    const doing = "store a part of an object";
    const head = await this.sendBody(doing, "UploadPartCommand", command, body, md5, signal);
    const etag = head.headers.get("etag");
    if (etag !== null) return { partNumber: part.partNumber, etag };
    throw this.calls.refusal({ ...oddAnswer, message: "no ETag" }, doing);
  }

  /** Copies an object of at most 5 GiB. */
  async copy(from: string, to: string, signal?: AbortSignal): Promise<void> {
    const ask = (sdk: Sdk) =>
      new sdk.CopyObjectCommand({ ...this.named(to), CopySource: this.sourceOf(from) });
    await this.calls.must("copy an object", ask, signal);
  }

  /** Copies the bytes `start` to `end` (exclusive) of an object as a part of another. */
  async copyPart(
    from: string,
    to: string,
    part: { uploadId: string; partNumber: number },
    range: { start: number; end: number },
    signal?: AbortSignal,
  ): Promise<PartReceipt> {
    const { uploadId, partNumber } = part;
    const command = {
      ...this.named(to),
      ...{ UploadId: uploadId, PartNumber: partNumber, CopySource: this.sourceOf(from) },
      CopySourceRange: `bytes=${range.start}-${range.end - 1}`,
    };
    const ask = (sdk: Sdk) => new sdk.UploadPartCopyCommand(command);
    const doing = "copy a part of an object";
    const answer = await this.calls.must<UploadPartCopyCommandOutput>(doing, ask, signal);
    const etag = answer.CopyPartResult?.ETag;
    if (etag !== undefined) return { partNumber, etag };
    throw this.calls.refusal({ ...oddAnswer, message: "no ETag" }, doing);
  }

  /** Makes the object out of its parts, and looks that it is whole: some servers say 200 before they know. */
  async finishParts(
    key: string,
    uploadId: string,
    receipts: readonly PartReceipt[],
    sizeBytes: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const Parts = receipts.map(({ partNumber, etag }) => ({ PartNumber: partNumber, ETag: etag }));
    const ask = (sdk: Sdk) =>
      new sdk.CompleteMultipartUploadCommand({
        ...this.named(key),
        UploadId: uploadId,
        MultipartUpload: { Parts },
      });
    // After an answer that got lost the upload is gone, and the object there.
    const gone = ({ code }: S3Fault) => code === "NoSuchUpload";
    await this.calls.send("put an object together", ask, signal, gone);
    const found = await this.head(key, signal);
    if (found?.sizeBytes === sizeBytes) {
      // What cannot be dropped now, a sweep drops.
      if (this.begunTwice.has(key)) await this.dropParts(key, signal).catch(() => undefined);
      return;
    }
    const message = `the object has ${found?.sizeBytes ?? "no"} bytes instead of ${sizeBytes}`;
    throw this.calls.refusal({ ...oddAnswer, message }, "put an object together");
  }

  /**
   * Drops all parts that were sent for this key and never became an object. A part that was still on its way may come
   * after the drop (AWS says so of its own), so it is looked again.
   */
  async dropParts(key: string, signal?: AbortSignal): Promise<void> {
    this.begunTwice.delete(key);
    for (const pauseMs of AFTER_DROP_MS) {
      const ours = (await this.openUploads(key, signal)).filter((upload) => upload.key === key);
      if (ours.length === 0 && pauseMs === AFTER_DROP_MS[0]) return;
      for (const upload of ours) await this.dropUpload(upload, signal);
      await pause(pauseMs, signal);
    }
  }

  async dropUpload({ key, uploadId }: OpenUpload, signal?: AbortSignal): Promise<void> {
    const ask = (sdk: Sdk) =>
      new sdk.AbortMultipartUploadCommand({ ...this.named(key), UploadId: uploadId });
    const gone = ({ code }: S3Fault) => code === "NoSuchUpload";
    await this.calls.send("drop the parts of an object", ask, signal, gone);
  }

  /** Uploads in parts of keys that begin so: at most a thousand. */
  async openUploads(keyStart: string, signal?: AbortSignal): Promise<OpenUpload[]> {
    const { bucket, prefix } = this.settings;
    const Prefix = `${prefix}${keyStart}`;
    const ask = (sdk: Sdk) =>
      new sdk.ListMultipartUploadsCommand({ Bucket: bucket, Prefix, MaxUploads: PAGE_KEYS });
    const { Uploads = [] } = await this.calls.must<ListMultipartUploadsCommandOutput>(
      "list unfinished uploads",
      ask,
      signal,
    );
    return Uploads.flatMap(({ Key, UploadId, Initiated }) => {
      if (!Key?.startsWith(prefix) || UploadId === undefined) return [];
      const initiatedMs = Initiated?.getTime() ?? 0;
      return { key: Key.slice(prefix.length), uploadId: UploadId, initiatedMs };
    });
  }

  /** The parts that arrived of an upload, in order. */
  async partsOf(key: string, uploadId: string, signal?: AbortSignal): Promise<Part[]> {
    const parts: Part[] = [];
    let marker: string | undefined;
    do {
      const command = { ...this.named(key), UploadId: uploadId, PartNumberMarker: marker };
      const ask = (sdk: Sdk) => new sdk.ListPartsCommand(command);
      const page = await this.calls.must<ListPartsCommandOutput>("list the parts", ask, signal);
      parts.push(...(page.Parts ?? []));
      marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
    } while (marker !== undefined);
    return parts;
  }

  /** One page of the objects under our prefix, in the order of their keys. */
  async list(
    after: string | null,
    signal?: AbortSignal,
    keyStart = "",
  ): Promise<{ objects: Listed[]; next: string | null }> {
    const { bucket, prefix } = this.settings;
    const ask = (sdk: Sdk) =>
      new sdk.ListObjectsV2Command({
        ...{ Bucket: bucket, Prefix: `${prefix}${keyStart}`, MaxKeys: PAGE_KEYS },
        ...(after === null ? {} : { StartAfter: `${prefix}${after}` }),
      });
    const { Contents = [], IsTruncated } = await this.calls.must<ListObjectsV2CommandOutput>(
      "list objects",
      ask,
      signal,
    );
    const objects = Contents.flatMap(({ Key, Size, LastModified }) => {
      if (!Key?.startsWith(prefix)) return [];
      const modifiedMs = LastModified?.getTime() ?? 0;
      return { key: Key.slice(prefix.length), sizeBytes: Size ?? 0, modifiedMs };
    });
    const last = objects.at(-1)?.key ?? null;
    return { objects, next: IsTruncated === true ? last : null };
  }

  /** Removes the small objects that looks at the bucket left before that moment. */
  async removeChecks(beforeMs: number): Promise<void> {
    const { objects } = await this.list(null, undefined, CHECK_KEY_START);
    for (const { key, modifiedMs } of objects) {
      if (modifiedMs < beforeMs) await this.remove(key);
    }
    for (const upload of await this.openUploads(CHECK_KEY_START)) {
      if (upload.initiatedMs < beforeMs) await this.dropUpload(upload);
    }
  }

  async remove(key: string, signal?: AbortSignal): Promise<void> {
    const ask = (sdk: Sdk) => new sdk.DeleteObjectCommand(this.named(key));
    await this.calls.send("delete an object", ask, signal, isMissing);
  }

  /** The server's clock, in whole seconds; null when it does not tell. */
  async serverTimeMs(): Promise<number | null> {
    const url = new URL(await this.ownUrl("GetObjectCommand", this.named("clock")));
    url.search = "";
    const { head } = await this.calls.wire.ask({ method: "HEAD", url: url.href });
    const timeMs = Date.parse(head.headers.get("date") ?? "");
    return Number.isNaN(timeMs) ? null : timeMs;
  }

  /** A URL for somebody else, at the address under which others reach the server. */
  urlFor(key: string, grant: UrlGrant, nowMs: number): Promise<string> {
    const command = (sdk: Sdk) => grantedCommand(sdk, this.named(key), grant);
    return this.calls.sign(command, "public", grant.expiresSeconds, nowMs);
  }

  private ownUrl(
    name: "GetObjectCommand" | "PutObjectCommand" | "UploadPartCommand",
    input: NamedObject,
  ): Promise<string> {
    // The three differ in what else they may be told, and are told nothing else.
    const command = (sdk: Sdk) => new (sdk[name] as new (input: never) => object)(input as never);
    return this.calls.sign(command, "inner", OWN_URL_SECONDS, Date.now());
  }

  private async sendBody(
    doing: string,
    name: "PutObjectCommand" | "UploadPartCommand",
    input: NamedObject,
    body: Blob,
    md5: string | null,
    signal?: AbortSignal,
  ): Promise<Response> {
    const sent = await this.calls.tries(doing, signal, null, async () => {
      const url = await this.ownUrl(name, input);
      const headers: Record<string, string> = md5 === null ? {} : { "content-md5": md5 };
      const bodyBytes = body.size;
      const request: WireRequest = { method: "PUT", url, headers, body, bodyBytes, signal };
      const { head, body: text } = await this.calls.wire.ask(request);
      if (head.ok) return head;
      throw new S3Answer(head, Buffer.from(text).toString("utf8", 0, 8192));
    });
    return sent as Response;
  }

  private sourceOf(key: string): string {
    const { bucket, prefix } = this.settings;
    return `${bucket}/${prefix}${key}`;
  }

  private named(key: string): NamedObject {
    return { Bucket: this.settings.bucket, Key: `${this.settings.prefix}${key}` };
  }
}

interface NamedObject {
  Bucket: string;
  Key: string;
}

const oddAnswer = { code: "OddAnswer", status: 200, passing: true, region: null };

function grantedCommand(sdk: Sdk, named: NamedObject, grant: UrlGrant): object {
  const { method, contentType, contentDisposition, part } = grant;
  if (method === "GET") {
    return new sdk.GetObjectCommand({
      ...named,
      ...(contentType === undefined ? {} : { ResponseContentType: contentType }),
      ...(contentDisposition === undefined
        ? {}
        : { ResponseContentDisposition: contentDisposition }),
    });
  }
  if (part === undefined) return new sdk.PutObjectCommand(named);
  const { uploadId, partNumber } = part;
  return new sdk.UploadPartCommand({ ...named, UploadId: uploadId, PartNumber: partNumber });
}

async function shortText(head: Response): Promise<string> {
  const reader = head.body?.getReader();
  const first = await reader?.read();
  void reader?.cancel().catch(() => undefined);
  return Buffer.from(first?.value ?? new Uint8Array()).toString("utf8", 0, 8192);
}

/** What servers and networks do to storage in a bucket: each ends in time, with a sentence, and leaves nothing. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutBucketPolicyCommand } from "@aws-sdk/client-s3";
import { eventually } from "../../tests/appliance.ts";
import {
  type Bucket,
  type Ceph,
  clientOf,
  endSharedCeph,
  keysOf,
  sharedCeph,
} from "../../tests/ceph.ts";
import { type Fault, FaultProxy, type SeenRequest } from "../../tests/support/fault-proxy.ts";
import {
  contentsOf,
  incomingIn,
  openS3,
  removeCaches,
  type S3Rig,
} from "../../tests/support/s3-storage.ts";
import { readAll, refusalOf, sha256, someBytes, streamOf } from "./conformance-fixture.ts";
import type { S3Settings } from "./s3-calls.ts";

const MIB = 1024 ** 2;
const limitBytes = 1024 ** 3;

/** Silence of a second, each thing tried for a second: what takes this long on a busy machine hangs. */
const BOUND_MS = 30_000;

let ceph: Ceph;
let proxy: FaultProxy;
let bucket: Bucket;
let rig: S3Rig;

beforeAll(async () => {
  ceph = await sharedCeph();
  proxy = await FaultProxy.start(ceph.endpoint);
}, 120_000);
afterAll(async () => {
  removeCaches();
  await proxy.close();
});
afterAll(endSharedCeph);
beforeEach(async () => {
  bucket = await ceph.bucket();
  rig = await openThrough();
});
afterEach(() => {
  proxy.rule = () => null;
});

function openThrough(more: Partial<S3Settings> = {}): Promise<S3Rig> {
  return openS3({ ...bucket, endpoint: proxy.url }, { timeoutSeconds: 1, ...more });
}

const isPart = ({ target }: SeenRequest) => target.includes("partNumber=");
const isPut = ({ method, target }: SeenRequest) =>
  method === "PUT" && !target.includes("partNumber");
const isComplete = ({ method, target }: SeenRequest) =>
  method === "POST" && target.includes("uploadId=");

/** Applies the fault to requests of a kind, at most so many times. */
function spoil(kind: (request: SeenRequest) => boolean, fault: Fault, times = 1_000): void {
  let left = times;
  proxy.rule = (request) => {
    if (!kind(request) || left === 0) return null;
    left -= 1;
    return fault;
  };
}

const bytes = someBytes(12 * MIB);
const inParts = () => streamOf(bytes.slice(0, 7 * MIB), bytes.slice(7 * MIB));
const errorBody = (code: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>told so</Message></Error>`;

/** The put fails with this word and sentence in time, and nothing of it stays anywhere. */
async function expectRefused(code: string, sentence: RegExp, body = inParts(), of = rig) {
  const startedMs = performance.now();
  const refusal = await refusalOf(of.storage.put("as_refused", body, { limitBytes }));
  expect(performance.now() - startedMs).toBeLessThan(BOUND_MS);
  expect([refusal.code, refusal.message]).toEqual([code, expect.stringMatching(sentence)]);
  proxy.rule = () => null;
  expect(incomingIn(of.folder)).toEqual([]);
  // A part that was under way when the upload was dropped may be there for a moment.
  await eventually("nothing is left in the bucket", BOUND_MS, async () => {
    const { objects, parts } = await contentsOf(bucket);
    return objects.length === 0 && parts.length === 0;
  });
}

/** Where all must go well in the end: a server on a busy machine may be silent for more than a second. */
const patiently = () => openThrough({ timeoutSeconds: 4 });

/** The put goes well although something went wrong. */
async function expectStored(of?: S3Rig) {
  const { storage } = of ?? (await patiently());
  const startedMs = performance.now();
  const stored = await storage.put("as_stored", inParts(), { limitBytes });
  expect(performance.now() - startedMs).toBeLessThan(BOUND_MS);
  expect(stored).toEqual({ sizeBytes: bytes.byteLength, sha256: sha256(bytes) });
  storage.cache.drop("as_stored");
  const back = await readAll(storage, "as_stored");
  expect(sha256(back ?? new Uint8Array())).toBe(stored.sha256);
  expect(await contentsOf(bucket)).toEqual({ objects: ["as_stored"], parts: [] });
}

describe("a server in trouble:", () => {
  test("errors that pass are tried again", async () => {
    spoil(isPart, { kind: "answer", status: 503, body: errorBody("SlowDown") }, 2);
    await expectStored();
  });

  test.each([500, 502, 503, 504, 429])("a storm of %i ends", async (status) => {
    spoil(isPart, { kind: "answer", status, body: errorBody("InternalError") });
    await expectRefused("storage_unreachable", /answers with errors \(.*Look at its log/);
  });

  test("a storm of everything ends, also for a small object, and what it left is swept", async () => {
    spoil(() => true, { kind: "answer", status: 503, body: "" });
    await expectRefused("storage_unreachable", /answers with errors/, streamOf(someBytes(10)));
  });

  test("silence ends, for parts, for whole objects and for putting together", async () => {
    for (const kind of [isPart, isComplete]) {
      spoil(kind, { kind: "silence" });
      await expectRefused("storage_unreachable", /does not answer.*firewall/);
    }
    spoil(isPut, { kind: "silence" });
    await expectRefused("storage_unreachable", /does not answer/, streamOf(someBytes(10)));
  });

  test("silence ends for reading, looking and deleting, and for a file that is held", async () => {
    await rig.storage.put("as_there", streamOf(someBytes(10)), { limitBytes });
    rig.storage.cache.drop("as_there");
    spoil(() => true, { kind: "silence" });
    const startedMs = performance.now();
    for (const work of [
      () => rig.storage.stat("as_there"),
      () => rig.storage.hold("as_there"),
      () => readAll(rig.storage, "as_there"),
      () => rig.storage.delete("as_there"),
      () => rig.storage.copy("as_there", "as_copy"),
    ]) {
      expect((await refusalOf(work())).code).toBe("storage_unreachable");
    }
    expect(performance.now() - startedMs).toBeLessThan(2 * BOUND_MS);
  });

  test("200 with an error in its body is an error, and tried again", async () => {
    spoil(isComplete, { kind: "answer", status: 200, body: errorBody("InternalError") }, 1);
    await expectStored();
    spoil(isComplete, { kind: "answer", status: 200, body: errorBody("InternalError") });
    const { storage } = rig;
    await storage.delete("as_stored");
    await expectRefused("storage_unreachable", /answers with errors \(\d+ InternalError/);
  });

  test("200 for an object that is not there is not believed", async () => {
    const body =
      '<?xml version="1.0"?><CompleteMultipartUploadResult><ETag>"1-3"</ETag></CompleteMultipartUploadResult>';
    spoil(isComplete, { kind: "answer", status: 200, body });
    await expectRefused("storage_unreachable", /./);
  });

  test("a full server is 507", async () => {
    spoil(isPart, { kind: "answer", status: 507, body: errorBody("XMinioStorageFull") });
    await expectRefused("storage_full", /full or at its quota.*Delete/);
  });
});

describe("a bad network:", () => {
  test("a connection cut in the middle of a part is made again", async () => {
    spoil(isPart, { kind: "cut", afterBytes: 2 * MIB }, 2);
    await expectStored();
  });

  test("connections that are always cut end it", async () => {
    spoil(isPart, { kind: "cut", afterBytes: 2 * MIB });
    await expectRefused("storage_unreachable", /cannot be reached|does not answer/);
  });

  test.each(["begin", "part", "complete"])("the lost answer to %s costs nothing", async (what) => {
    const kinds: Record<string, (request: SeenRequest) => boolean> = {
      begin: ({ method, target }) => method === "POST" && target.includes("uploads"),
      part: isPart,
      complete: isComplete,
    };
    spoil(kinds[what] ?? isPart, { kind: "lose answer" }, 1);
    await expectStored();
  });

  test("a read goes on where it was cut or stood still", async () => {
    rig = await patiently();
    await rig.storage.put("as_stored", inParts(), { limitBytes });
    const isRead = ({ method }: SeenRequest) => method === "GET";
    for (const kind of ["cut answer", "stall answer"] as const) {
      rig.storage.cache.drop("as_stored");
      spoil(isRead, { kind, afterBytes: 3 * MIB }, 2);
      const back = await readAll(rig.storage, "as_stored");
      expect(sha256(back ?? new Uint8Array())).toBe(sha256(bytes));
      spoil(isRead, { kind, afterBytes: 3 * MIB }, 2);
      const held = await rig.storage.hold("as_stored");
      expect(sha256(await Bun.file(held?.path ?? "").bytes())).toBe(sha256(bytes));
      held?.release();
    }
  });

  test("a read that never brings anything ends, and half a copy is not kept", async () => {
    await rig.storage.put("as_stored", inParts(), { limitBytes });
    rig.storage.cache.drop("as_stored");
    spoil(({ method }) => method === "GET", { kind: "stall answer", afterBytes: 200 });
    const refusal = await refusalOf(rig.storage.hold("as_stored"));
    expect(refusal.code).toBe("storage_unreachable");
    expect(incomingIn(rig.folder)).toEqual([]);
    expect(rig.storage.isNear("as_stored")).toBe(false);
  });

  test("an abort ends what is under way at once, and drops its parts", async () => {
    spoil(isPart, { kind: "silence" });
    const slow = await openThrough({ timeoutSeconds: 60 });
    const aborting = new AbortController();
    const { signal } = aborting;
    const put = slow.storage.put("as_aborted", inParts(), { limitBytes, signal });
    await eventually("parts are under way", BOUND_MS, async () => proxy.seen.some(isPart));
    const startedMs = performance.now();
    aborting.abort(new Error("the client went away"));
    await expect(put).rejects.toThrow("the client went away");
    expect(performance.now() - startedMs).toBeLessThan(BOUND_MS);
    expect(await contentsOf(bucket)).toEqual({ objects: [], parts: [] });
    expect(incomingIn(slow.folder)).toEqual([]);
  });

  test("a server that is not there is told of", async () => {
    rig = await openS3({ ...bucket, endpoint: "http://127.0.0.1:9" }, { timeoutSeconds: 1 });
    await expectRefused("storage_unreachable", /cannot be reached.*storage\.s3\.endpoint/);
  });
});

describe("wrong settings:", () => {
  test.each([
    ["key", { accessKeyId: "nobody" }, /does not know the access key.*accessKeyId/],
    ["secret", { secretAccessKey: "wrong" }, /secret key is wrong.*secretAccessKey/],
    ["bucket", { bucket: "not-there" }, /no bucket not-there.*storage\.s3\.bucket/],
  ] as const)("a wrong %s is told of without a second try", async (_, more, sentence) => {
    const wrong = await openThrough(more);
    proxy.seen.length = 0;
    await expectRefused("storage_denied", sentence, streamOf(someBytes(10)), wrong);
    expect(proxy.seen.length).toBeLessThan(8);
  });

  test("a wrong region is told of with the right one", async () => {
    const body =
      "<Error><Code>AuthorizationHeaderMalformed</Code><Message>expecting eu-west-1</Message><Region>eu-west-1</Region></Error>";
    spoil(({ method }) => method !== "HEAD", { kind: "answer", status: 400, body });
    const refusal = await refusalOf(
      rig.storage.put("as_region", streamOf(someBytes(10)), { limitBytes }),
    );
    expect(refusal.message).toMatch(/not in the region us-east-1.*region to eu-west-1/);
    spoil(() => true, { kind: "answer", status: 301, body: errorBody("PermanentRedirect") });
    expect((await refusalOf(rig.storage.stat("as_region"))).message).toMatch(/not in the region/);
  });

  test("no right to write or to delete is told of", async () => {
    await ceph.user("reader").catch(() => undefined);
    const allowed = ["s3:GetObject", "s3:ListBucket", "s3:ListBucketMultipartUploads"];
    const resources = [`arn:aws:s3:::${bucket.bucket}`, `arn:aws:s3:::${bucket.bucket}/*`];
    const client = clientOf(bucket);
    const policy = (Action: string[]) => ({
      Version: "2012-10-17",
      Statement: [
        {
          ...{ Effect: "Allow", Principal: { AWS: ["arn:aws:iam:::user/reader"] } },
          ...{ Action, Resource: resources },
        },
      ],
    });
    const setPolicy = (actions: string[]) =>
      client.send(
        new PutBucketPolicyCommand({
          Bucket: bucket.bucket,
          Policy: JSON.stringify(policy(actions)),
        }),
      );
    await setPolicy(allowed);
    const reader = await openThrough(keysOf("reader"));
    const put = reader.storage.put("as_denied", streamOf(someBytes(10)), { limitBytes });
    const refusal = await refusalOf(put);
    expect([refusal.status, refusal.code]).toEqual([503, "storage_denied"]);
    expect(refusal.message).toMatch(/may not do this in the bucket.*rights to get, put, list/);
    await setPolicy([...allowed, "s3:PutObject"]);
    client.destroy();
    await reader.storage.put("as_kept", streamOf(someBytes(10)), { limitBytes });
    const denied = await refusalOf(reader.storage.delete("as_kept"));
    expect(denied.message).toMatch(/may not do this.*Tried to delete an object/);
  });

  test("a quota that is reached is 507, and nothing half is left", async () => {
    await ceph.user("small").catch(() => undefined);
    const small: Bucket = await ceph.bucket({ user: "small" });
    await ceph.admin(
      ...["quota", "set", "--quota-scope=user", "--uid=small", "--max-size=1M"],
      "--yes-i-really-mean-it",
    );
    await ceph.admin("quota", "enable", "--quota-scope=user", "--uid=small");
    bucket = small;
    rig = await openThrough();
    await expectRefused("storage_full", /full or at its quota \(QuotaExceeded\)/);
  });

  test("an authority that is not there is told of at the start", async () => {
    await expect(openThrough({ caFile: "/nowhere/ca.pem" })).rejects.toMatchObject({
      code: "bad_config",
      message: expect.stringContaining("storage.s3.caFile"),
    });
    const secret = { secretAccessKeyFile: "/nowhere/secret" };
    await expect(openThrough(secret)).rejects.toMatchObject({ code: "bad_config" });
  });

  test("the secret may stand in a file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kinomill-secret-"));
    const path = join(folder, "secret");
    await Bun.write(path, `${bucket.secretAccessKey}\n`);
    rig = await openThrough({ secretAccessKey: "", secretAccessKeyFile: path });
    rmSync(folder, { recursive: true });
    await expectStored(rig);
  });
});

describe("a crash", () => {
  test("leaves parts that a sweep drops when they are old, and no others", async () => {
    const { dropLeftovers } = await import("./s3-watch.ts");
    const { storage } = rig;
    const uploadId = await storage.bucket.beginParts("as_left");
    await storage.bucket.beginParts("as_wanted");
    const other = await openThrough({ prefix: "other/" });
    await other.storage.bucket.beginParts("as_others");
    expect(await dropLeftovers(other.storage.bucket, Date.now() - 60_000)).toBe(0);
    const isWanted = ({ key }: { key: string }) => key !== "as_left";
    expect(await dropLeftovers(storage.bucket, Date.now() + 60_000, isWanted)).toBe(1);
    expect((await contentsOf(bucket)).parts).toEqual(["as_wanted", "other/as_others"]);
    // Dropped twice is dropped.
    await storage.bucket.dropUpload({ key: "as_left", uploadId, initiatedMs: 0 });
  });
});

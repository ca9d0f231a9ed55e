import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  type LifecycleRule,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
} from "@aws-sdk/client-s3";
import {
  type Bucket,
  type Ceph,
  clientOf,
  endSharedCeph,
  keysOf,
  sharedCeph,
} from "../../tests/ceph.ts";
import { contentsOf, removeCaches, s3Settings } from "../../tests/support/s3-storage.ts";
import type { S3Settings } from "./s3-calls.ts";
import { type BucketAspect, checkBucket } from "./s3-check.ts";

let ceph: Ceph;
beforeAll(async () => {
  ceph = await sharedCeph();
}, 120_000);
afterAll(removeCaches);
afterAll(endSharedCeph);

async function check(bucket: Bucket, more: Partial<S3Settings> = {}): Promise<BucketAspect[]> {
  return await checkBucket(await s3Settings(bucket, more));
}

async function setRule(bucket: Bucket, rule: Partial<LifecycleRule>): Promise<void> {
  const client = clientOf(bucket);
  const whole: LifecycleRule = { ID: "rule", Status: "Enabled", Filter: { Prefix: "" }, ...rule };
  await client.send(
    new PutBucketLifecycleConfigurationCommand({
      Bucket: bucket.bucket,
      LifecycleConfiguration: { Rules: [whole] },
    }),
  );
  client.destroy();
}

const levels = (aspects: BucketAspect[]) =>
  Object.fromEntries(aspects.map(({ aspect, level }) => [aspect, level]));

test("a bucket that has all is well, and nothing of the check stays in it", async () => {
  const bucket = await ceph.bucket();
  await setRule(bucket, { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 } });
  const aspects = await check(bucket);
  expect(levels(aspects)).toEqual({
    ...{ reach: "ok", rights: "ok", clock: "ok", cors: "ok", lifecycle: "ok" },
  });
  expect(await contentsOf(bucket)).toEqual({ objects: [], parts: [] });
  for (const { meaning, remedy } of aspects) {
    expect(meaning).toMatch(/\.$/);
    expect(remedy).toBeNull();
  }
});

test("no rules for pages and for old parts are warnings, each with what to do", async () => {
  const aspects = await check(await ceph.bucket({ cors: false }));
  expect(levels(aspects)).toMatchObject({ rights: "ok", cors: "warning", lifecycle: "warning" });
  for (const { level, remedy } of aspects) {
    if (level === "warning") expect(remedy).toContain("docs/storage.md");
  }
});

test("a rule that deletes objects by age is a fault, unless it is for others", async () => {
  const bucket = await ceph.bucket();
  await setRule(bucket, { Filter: { Prefix: "logs/" }, Expiration: { Days: 30 } });
  expect(levels(await check(bucket, { prefix: "kinomill/" }))).toMatchObject({
    lifecycle: "warning",
  });
  await setRule(bucket, { Expiration: { Days: 30 } });
  const found = (await check(bucket)).find(({ aspect }) => aspect === "lifecycle");
  expect(found).toMatchObject({ level: "fault", remedy: expect.stringContaining("prefix") });
});

test.each([
  ["bucket", { bucket: "not-there" }, /no bucket not-there/, /storage\.s3\.bucket/],
  ["key", { accessKeyId: "nobody" }, /does not know the access key/, /accessKeyId/],
  ["secret", { secretAccessKey: "x" }, /does not accept the signature/, /secretAccessKey/],
  ["endpoint", { endpoint: "http://127.0.0.1:9" }, /cannot be reached/, /storage\.s3\.endpoint/],
] as const)("a wrong %s is the one fault that is told", async (_, more, meaning, remedy) => {
  const aspects = await check(await ceph.bucket(), more);
  expect(aspects).toHaveLength(1);
  expect(aspects[0]).toMatchObject({ aspect: "reach", level: "fault" });
  expect(`${aspects[0]?.meaning}`).toMatch(meaning);
  expect(`${aspects[0]?.meaning} ${aspects[0]?.remedy}`).toMatch(remedy);
});

test("a right that is missing is named, and the others are tried", async () => {
  const bucket = await ceph.bucket();
  await ceph.user("partly").catch(() => undefined);
  const client = clientOf(bucket);
  const resources = [`arn:aws:s3:::${bucket.bucket}`, `arn:aws:s3:::${bucket.bucket}/*`];
  const allow = (Action: string[]) => ({
    ...{ Effect: "Allow", Principal: { AWS: ["arn:aws:iam:::user/partly"] } },
    ...{ Action, Resource: resources },
  });
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [allow(["s3:ListBucket", "s3:GetObject", "s3:PutObject"])],
  });
  await client.send(new PutBucketPolicyCommand({ Bucket: bucket.bucket, Policy }));
  client.destroy();
  const rights = (await check({ ...bucket, ...keysOf("partly") })).find(
    ({ aspect }) => aspect === "rights",
  );
  expect(rights).toMatchObject({
    level: "fault",
    remedy: expect.stringContaining("s3:DeleteObject"),
  });
  expect(rights?.meaning).toContain("s3:DeleteObject: The key may not do this");
  expect(rights?.meaning).not.toContain("s3:GetObject:");
});

test("a server that says nothing is told of within seconds", async () => {
  const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const startedMs = performance.now();
  const endpoint = `http://127.0.0.1:${silent.port}`;
  const [reach] = await check(await ceph.bucket(), { endpoint, timeoutSeconds: 600 });
  silent.stop(true);
  expect(reach).toMatchObject({ level: "fault", meaning: expect.stringContaining("not answer") });
  expect(performance.now() - startedMs).toBeLessThan(20_000);
});

test("clocks that differ are told of", async () => {
  const late = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) =>
      new URL(request.url).search.includes("list-type")
        ? new Response("<ListBucketResult></ListBucketResult>")
        : new Response(null, {
            status: 403,
            headers: { date: new Date(Date.now() - 600_000).toUTCString() },
          }),
  });
  const endpoint = `http://127.0.0.1:${late.port}`;
  const clock = (await check(await ceph.bucket(), { endpoint })).find(
    ({ aspect }) => aspect === "clock",
  );
  late.stop(true);
  expect(clock).toMatchObject({
    level: "warning",
    meaning: expect.stringMatching(/6\d\d seconds ahead of/),
    remedy: expect.stringContaining("timedatectl"),
  });
});

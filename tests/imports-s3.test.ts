/** Links to buckets of the account that keeps the server's own files: Ceph's gateway, with cuts in between. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { Api, type Json } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import { type Bucket, Ceph, clientOf, settingsFor } from "./ceph.ts";
import { FaultProxy } from "./support/fault-proxy.ts";
import { largeClip } from "./support/large-clip.ts";

setDefaultTimeout(180_000);

const MIB = 1024 ** 2;
const key = "in/match 100% ä.mp4";

let ceph: Ceph;
let own: Bucket;
let footage: Bucket;
let proxy: FaultProxy;
let appliance: Appliance;
let api: Api;
let film: { path: string; sizeBytes: number; sha256: string };

beforeAll(async () => {
  ceph = await Ceph.start();
  own = await ceph.bucket();
  footage = await ceph.bucket();
  film = await largeClip(12 * MIB);
  const client = clientOf(footage);
  for (const Key of [key, "secret/x.mp4"]) {
    const Body = await Bun.file(film.path).bytes();
    await client.send(new PutObjectCommand({ Bucket: footage.bucket, Key, Body }));
  }
  client.destroy();
  proxy = await FaultProxy.start(ceph.endpoint);
  appliance = await Appliance.start({
    environment: {
      ...settingsFor({ ...own, endpoint: proxy.url }),
      KINOMILL_IMPORTS_BUCKETS: `${footage.bucket}/in`,
    },
  });
  api = new Api(appliance.url, await appliance.token("ann"));
});

afterAll(async () => {
  await appliance?.[Symbol.asyncDispose]();
  await proxy?.close();
  await ceph?.stop();
});

const link = (bucket: string, path: string) =>
  `s3://${bucket}/${path.split("/").map(encodeURIComponent).join("/")}`;

async function ended(url: string): Promise<Json> {
  const begun = await api.post("/api/v1/assets/import", { url });
  expect(begun.status).toBe(202);
  return await eventually(`${url} has ended`, 120_000, async () => {
    const { body } = await api.get(`/api/v1/assets/${begun.body.id}`);
    return body.state === "importing" ? null : body;
  });
}

test("an object of an opened bucket becomes an asset, and is taken up where the connection broke", async () => {
  proxy.seen.length = 0;
  let cuts = 0;
  proxy.rule = ({ method, target }) => {
    const isFilm = method === "GET" && target.includes(`/${footage.bucket}/in/`);
    if (!isFilm || cuts === 2) return null;
    cuts += 1;
    return { kind: "cut answer", afterBytes: 5 * MIB };
  };
  const asset = await ended(link(footage.bucket, key));
  proxy.rule = () => null;
  expect(asset).toMatchObject({
    state: "ready",
    name: "match 100% ä.mp4",
    sizeBytes: film.sizeBytes,
    sha256: film.sha256,
    origin: { kind: "import", url: link(footage.bucket, key) },
  });
  const asked = proxy.seen.filter(
    ({ method, target }) => method === "GET" && target.includes("/in/"),
  );
  // Five MiB, five more, and the rest: from the start it would never have come.
  expect(asked).toHaveLength(3);
});

test("what is not there says so", async () => {
  const gone = await ended(link(footage.bucket, "in/none.mp4"));
  expect(gone).toMatchObject({ state: "failed", error: { code: "link_not_found" } });
});

test.each([
  ["another part of the bucket", () => link(footage.bucket, "secret/x.mp4")],
  ["a name that only begins so", () => link(footage.bucket, "input/x.mp4")],
  ["up and out of the part", () => `s3://${footage.bucket}/in/../secret/x.mp4`],
  ["up and out, encoded", () => `s3://${footage.bucket}/in/%2e%2e/secret/x.mp4`],
  ["the server's own bucket", () => link(own.bucket, "as_0123")],
  ["another bucket", () => "s3://others/x.mp4"],
])("%s is refused at once", async (_what, url) => {
  proxy.seen.length = 0;
  const refused = await api.post("/api/v1/assets/import", { url: url() });
  expect([refused.status, refused.body.code]).toEqual([422, "link_refused"]);
  expect(refused.body.detail).toContain("imports.buckets");
  expect(proxy.seen).toEqual([]);
});

test.each(["s3://", "s3:///x", "s3://bucket", "s3://bucket/", "s3://bucket/a?versionId=1"])(
  "%s is no link to an object",
  async (url) => {
    const refused = await api.post("/api/v1/assets/import", { url });
    expect([refused.status, refused.body.code]).toEqual([422, "bad_link"]);
  },
);

/** The conformance suite on a server that somebody names (docs/storage.md); without one there is nothing to run. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { openS3, removeCaches, type S3Rig } from "../../tests/support/s3-storage.ts";
import { newId } from "../identity.ts";
import { storageConformance } from "./conformance.ts";
import { readAll, sha256, someBytes, streamOf } from "./conformance-fixture.ts";
import { checkBucket } from "./s3-check.ts";

const named = (name: string) => process.env[`KINOMILL_TEST_S3_${name}`];
const endpoint = named("ENDPOINT");
const prefix = `kinomill-test/${newId("asset")}/`;

afterAll(removeCaches);

function openNamed(cacheBytes: number): Promise<S3Rig> {
  const bucket = {
    endpoint: endpoint ?? "",
    region: named("REGION") ?? "us-east-1",
    bucket: named("BUCKET") ?? "",
    accessKeyId: named("ACCESS_KEY_ID") ?? "",
    secretAccessKey: named("SECRET_ACCESS_KEY") ?? "",
  };
  const pathStyle = named("PATH_STYLE") !== "false";
  return openS3(bucket, { prefix, pathStyle }, cacheBytes);
}

async function clear({ storage: { bucket } }: S3Rig): Promise<void> {
  for (
    let left = await bucket.list(null);
    left.objects.length > 0;
    left = await bucket.list(null)
  ) {
    for (const { key } of left.objects) await bucket.remove(key);
  }
}

test("docs/storage.md says how to name a server", async () => {
  const told = await Bun.file(join(import.meta.dir, "../../docs/storage.md")).text();
  const here = await Bun.file(import.meta.path).text();
  const asked = Array.from(here.matchAll(/named\("([A-Z_]+)"\)/g), ([, name = ""]) => name);
  expect(asked.length).toBeGreaterThan(4);
  for (const name of asked) expect(told).toContain(`KINOMILL_TEST_S3_${name}`);
});

if (endpoint !== undefined) {
  for (const cacheBytes of [0, 1024 ** 3]) {
    storageConformance(`${endpoint}, ${cacheBytes} bytes of cache`, async () => {
      const rig = await openNamed(cacheBytes);
      return {
        storage: rig.storage,
        request: (url, init) => fetch(url, init),
        // Clocks of two machines differ.
        elapse: (seconds) => Bun.sleep(seconds * 1000 + 2_000),
        close: () => clear(rig),
      };
    });
  }

  describe(endpoint, () => {
    let rig: S3Rig;
    beforeAll(async () => {
      rig = await openNamed(1024 ** 3);
    });
    afterAll(() => clear(rig));

    test("takes objects in parts", async () => {
      const { storage } = rig;
      const bytes = someBytes(12 * 1024 ** 2 + 7);
      const stored = await storage.put("as_parts", streamOf(bytes), { limitBytes: 1024 ** 3 });
      storage.cache.drop("as_parts");
      const back = await readAll(storage, "as_parts");
      expect(sha256(back ?? new Uint8Array())).toBe(stored.sha256);
      expect(await storage.bucket.openUploads("")).toEqual([]);
    });

    test("is fit", async () => {
      const aspects = await checkBucket(rig.storage.bucket.settings);
      const faults = aspects.filter(({ level }) => level === "fault");
      // The other aspects are shown with a failure; what they say is for whoever runs this.
      expect({ faults, aspects }).toEqual({ faults: [], aspects });
    });
  });
}

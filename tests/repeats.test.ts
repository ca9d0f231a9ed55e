/** A job that was done before, on the real server: at once, proven, and told in plain words. */
import { expect, test } from "bun:test";
import { Api } from "./api.ts";
import { Appliance } from "./appliance.ts";
import { plainClip } from "./clips.ts";

test("the same job again takes the proven outputs of the first, also after a restart", async () => {
  const environment = { KINOMILL_JOBS_REUSE: "true" };
  await using appliance = await Appliance.start({ environment });
  const api = new Api(appliance.url, await appliance.token("ann"));
  const asset = await api.add(plainClip());
  const params = { video: { quality: 30 } };
  const first = await api.run("transcode", [asset.id], params);
  expect(first.error).toBeNull();
  await appliance.end("SIGKILL");
  await using again = await Appliance.start({ environment, folder: appliance.folder });
  const later = new Api(again.url, api.token);
  const repeated = await later.run("transcode", [asset.id], params);
  expect(repeated.deviceReason).toContain(`Nothing had to run: job ${first.id}`);
  const [one, other] = await Promise.all(
    [first, repeated].map(
      async ({ outputs: [id] }) => (await later.get(`/api/v1/assets/${id}`)).body,
    ),
  );
  expect(other.sha256).toBe(one.sha256);
  expect(other.id).not.toBe(one.id);
  expect((await later.call("DELETE", `/api/v1/assets/${one.id}`)).status).toBe(204);
  const bytes = await later.download(other.id);
  expect(new Bun.CryptoHasher("sha256").update(bytes).digest("hex")).toBe(other.sha256);
  const anew = await later.post("/api/v1/jobs", {
    ...{ operation: "transcode", inputs: [asset.id], params, reuse: false },
  });
  const worked = await later.waitFor(anew.body.id, "succeeded", "failed");
  expect(worked.deviceReason).not.toContain("Nothing had to run");
  expect(worked.steps.length).toBeGreaterThan(0);
}, 120_000);

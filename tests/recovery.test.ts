/** What survives a power cut, and that nothing is left over: real signals on the compiled executable. */
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Api, type Json } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import { plainClip, slowClip } from "./clips.ts";
import { ffmpegsIn } from "./support/ffmpegs.ts";

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
}

async function startLongJob(api: Api, appliance: Appliance): Promise<Json> {
  const asset = await api.add(slowClip());
  const job = await api.start("transcode", [asset.id], {
    video: { codec: "h264", quality: 50 },
  });
  await eventually("ffmpeg encodes", 20_000, async () => {
    const { body } = await api.get(`/api/v1/jobs/${job.id}`);
    return body.progressPercent > 0 && (await ffmpegsIn(appliance.folder)).length > 0;
  });
  return job;
}

test("kill -9 of the server mid-job: no ffmpeg stays, the job runs again after a restart and succeeds", async () => {
  await using first = await Appliance.start();
  const token = await first.token("ann");
  const job = await startLongJob(new Api(first.url, token), first);
  await first.end("SIGKILL");
  await eventually(
    "ffmpeg is gone",
    5_000,
    async () => (await ffmpegsIn(first.folder)).length === 0,
  );

  await using second = await Appliance.start({ folder: first.folder });
  const api = new Api(second.url, token);
  const done = await api.waitFor(job.id, "succeeded", "failed");
  expect(done.error).toBeNull();
  expect(done.attempts.map(({ outcome }: Json) => outcome)).toEqual(["interrupted", "succeeded"]);
  expect(done.attempt).toBe(1);
  expect(done.outputs.length).toBe(1);
  expect(filesIn(join(second.dataFolder, "work"))).toEqual([]);
  await expectOnlyKnownObjects(api, second);
}, 120_000);

test("kill -9 during an upload leaves no bytes behind, and what was acknowledged is there", async () => {
  await using first = await Appliance.start();
  const token = await first.token("ann");
  const api = new Api(first.url, token);
  const kept = await api.add(plainClip());
  const endless = new ReadableStream({
    async pull(controller) {
      await Bun.sleep(1);
      controller.enqueue(new Uint8Array(256 * 1024));
    },
  });
  const upload = api
    .call("POST", "/api/v1/assets?name=endless.mp4", { body: endless })
    .catch(() => null);
  const incoming = join(first.dataFolder, "storage", "incoming");
  await eventually("bytes arrive", 10_000, async () => filesIn(incoming).length > 0);
  await first.end("SIGKILL");
  await upload;

  await using second = await Appliance.start({ folder: first.folder });
  const again = new Api(second.url, token);
  expect((await again.get("/api/v1/assets")).body.items.map(({ id }: Json) => id)).toEqual([
    kept.id,
  ]);
  expect(filesIn(incoming)).toEqual([]);
  await expectOnlyKnownObjects(again, second);
});

/** Every stored object belongs to an asset: by its bytes or as its picture. */
async function expectOnlyKnownObjects(api: Api, appliance: Appliance): Promise<void> {
  await eventually("pictures are made", 20_000, async () => {
    const { body } = await api.get("/api/v1/assets?limit=200");
    return body.items.every(({ thumbnail }: Json) => thumbnail !== "wanted");
  });
  const { body } = await api.get("/api/v1/assets?limit=200");
  const known = body.items.flatMap(({ id, thumbnail }: Json) =>
    thumbnail === "ready" ? [id, `${id}.thumbnail`] : [id],
  );
  expect(filesIn(join(appliance.dataFolder, "storage", "objects")).toSorted()).toEqual(
    known.toSorted(),
  );
}

test("SIGTERM puts the running job back, ends ffmpeg and exits with 0", async () => {
  await using first = await Appliance.start();
  const token = await first.token("ann");
  const job = await startLongJob(new Api(first.url, token), first);
  expect(await first.end("SIGTERM")).toBe(0);
  expect(await ffmpegsIn(first.folder)).toEqual([]);
  await using second = await Appliance.start({ folder: first.folder });
  const api = new Api(second.url, token);
  const { body } = await api.get(`/api/v1/jobs/${job.id}`);
  expect(["queued", "running"]).toContain(body.state);
  await api.post(`/api/v1/jobs/${job.id}/cancel`, {});
}, 60_000);

test("cancel ends ffmpeg within 5 s, keeps nothing, and a retry makes the output", async () => {
  await using appliance = await Appliance.start();
  const api = new Api(appliance.url, await appliance.token("ann"));
  const job = await startLongJob(api, appliance);
  const cancelled = await api.post(`/api/v1/jobs/${job.id}/cancel`, {});
  expect([cancelled.status, cancelled.body.state]).toEqual([200, "cancelled"]);
  await eventually(
    "ffmpeg is gone",
    5_000,
    async () => (await ffmpegsIn(appliance.folder)).length === 0,
  );
  const work = join(appliance.dataFolder, "work");
  await eventually("the work is cleared", 5_000, async () => filesIn(work).length === 0);
  expect((await api.get("/api/v1/assets")).body.items.length).toBe(1);
  const twice = await api.post(`/api/v1/jobs/${job.id}/cancel`, {});
  expect([twice.status, twice.body.code]).toEqual([409, "wrong_state"]);
  expect((await api.post(`/api/v1/jobs/${job.id}/retry`, {})).body.state).toMatch(/queued|running/);
  expect((await api.waitFor(job.id, "succeeded", "failed")).state).toBe("succeeded");
}, 120_000);

test("a second server on the same data folder exits and says who holds it", async () => {
  await using first = await Appliance.start();
  await expect(Appliance.start({ folder: first.folder })).rejects.toThrow(
    /in use by .*process \d+/s,
  );
  expect((await fetch(`${first.url}/health`)).status).toBe(200);
});

test("the same Idempotency-Key gives the same job, also after a restart; another body is refused", async () => {
  await using first = await Appliance.start();
  const token = await first.token("ann");
  const api = new Api(first.url, token);
  const asset = await api.add(plainClip());
  const request = { operation: "thumbnails", inputs: [asset.id], params: {} };
  const key = { "Idempotency-Key": "order-66" };
  const { body: job } = await api.post("/api/v1/jobs", request, key);
  await first.end("SIGKILL");
  await using second = await Appliance.start({ folder: first.folder });
  const again = new Api(second.url, token);
  const repeated = await again.post("/api/v1/jobs", request, key);
  expect([repeated.status, repeated.body.id]).toEqual([202, job.id]);
  const other = await again.post("/api/v1/jobs", { ...request, operation: "transcode" }, key);
  expect([other.status, other.body.code]).toEqual([409, "idempotency_mismatch"]);
});

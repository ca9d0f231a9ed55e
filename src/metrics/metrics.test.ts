import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { type AskOptions, openSite, type SiteRig } from "../../tests/http/site.ts";
import { samplesOf } from "../../tests/support/prometheus.ts";
import { ManualClock } from "../clock.ts";
import { deviceLabel, failureLabel, methodLabel, plainLabel, statusLabel } from "./labels.ts";
import { LoopLag } from "./loop-lag.ts";

let rig: SiteRig;
beforeAll(async () => {
  rig = await openSite();
});
afterAll(() => rig.close());

async function scrape(options: AskOptions = {}) {
  const response = await rig.ask("/metrics", options);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
  return samplesOf(await response.text());
}

const figure = (samples: ReturnType<typeof samplesOf>, name: string, labels = {}) =>
  samples.find((sample) => sample.name === name && Bun.deepMatch(labels, sample.labels))?.value;

async function newJob(operation = "transcode"): Promise<string> {
  const stored = await rig.ask(
    `/api/v1/assets?name=${encodeURIComponent('a"}\n{evil=1} 😀.mov')}`,
    {
      ...{ as: "ann" as const, method: "POST", body: "FILM" },
    },
  );
  const asset = (await stored.json()) as { id: string };
  const job = await rig.ask("/api/v1/jobs", {
    as: "ann",
    json: { operation, inputs: [asset.id], labels: { 'evil"}': "x\n{" } },
  });
  expect(job.status).toBe(202);
  return ((await job.json()) as { id: string }).id;
}

test("the door: this machine and tokens; nobody else, and no session", async () => {
  const status = async (options: AskOptions) => (await rig.ask("/metrics", options)).status;
  expect(await status({})).toBe(200);
  expect(await status({ as: "bob" })).toBe(200);
  expect(await status({ browser: "ann" })).toBe(401);
  expect(await status({ headers: { authorization: "Bearer kmt_00000000000000000000000" } })).toBe(
    401,
  );
  for (const name of ["x-forwarded-for", "forwarded", "x-real-ip", "via"]) {
    expect(await status({ headers: { [name]: "127.0.0.1" } })).toBe(401);
  }
  const from = async (peer: string) => {
    const request = new Request("http://localhost/metrics", { headers: { host: "localhost" } });
    const connection = { peer: () => peer, tls: false, allowSilence: () => undefined };
    return (await rig.site.handle(request, connection)).status;
  };
  expect(await from("127.4.5.6")).toBe(200);
  expect(await from("::1")).toBe(200);
  expect(await from("::ffff:127.0.0.1")).toBe(200);
  for (const peer of ["192.168.1.5", "10.0.0.1", "::2", "127.0.0.1.evil", "unknown", "fe80::1"]) {
    expect(await from(peer)).toBe(401);
  }
});

test("jobs are counted where they stand and once where they end", async () => {
  const before = await scrape();
  const first = await newJob();
  const second = await newJob();
  rig.clock.advance(90_000);
  const open = await scrape();
  const queued = { state: "queued", operation: "transcode", device: "none" };
  expect(figure(open, "kinomill_jobs", queued)).toBe(2);
  expect(figure(open, "kinomill_job_oldest_seconds", { state: "queued" })).toBeCloseTo(90, 0);
  const claim = rig.queue.claimNext({ id: "gpu:1" });
  expect(claim?.jobId).toBe(first);
  if (claim === null) throw new Error("there is a job");
  const running = await scrape();
  expect(figure(running, "kinomill_jobs", { state: "running", device: "gpu:1" })).toBe(1);
  rig.clock.advance(20_000);
  rig.database.run(
    `UPDATE job SET attempt_proof = '{"realtimeFactor": 7.5}' WHERE id = '${first}'`,
  );
  rig.queue.succeed(claim, () => undefined);
  await rig.ask(`/api/v1/jobs/${second}/cancel`, { as: "ann", method: "POST" });
  const third = await newJob();
  const again = rig.queue.claimNext({ id: "cpu" });
  expect(again?.jobId).toBe(third);
  if (again === null) throw new Error("there is a job");
  const report = { code: "media_undecodable" as const, message: "no", hint: "", retryable: false };
  rig.queue.failForGood(again, { ...report, log: "" });
  const done = await scrape();
  const ended = (samples: typeof done, state: string) =>
    figure(samples, "kinomill_jobs_ended_total", { state }) ?? 0;
  expect(ended(done, "succeeded") - ended(before, "succeeded")).toBe(1);
  expect(ended(done, "cancelled") - ended(before, "cancelled")).toBe(1);
  const where = { operation: "transcode", device: "gpu:1" };
  expect(figure(done, "kinomill_job_duration_seconds_sum", where)).toBeCloseTo(20, 1);
  expect(figure(done, "kinomill_job_wait_seconds_sum")).toBeCloseTo(90, 1);
  expect(figure(done, "kinomill_job_realtime_factor_sum", where)).toBeCloseTo(7.5, 3);
  const code = { operation: "transcode", code: "media_undecodable" };
  expect(figure(done, "kinomill_jobs_failed_total", code)).toBe(1);
  // Nobody is counted twice, and what is gone is gone.
  const later = await scrape();
  expect(ended(later, "succeeded")).toBe(ended(done, "succeeded"));
  expect(figure(later, "kinomill_jobs", queued)).toBeUndefined();
  expect(figure(later, "kinomill_job_oldest_seconds", { state: "queued" })).toBeUndefined();
});

test("requests are counted by the pattern of their route, with what was refused at the door", async () => {
  const count = async (labels: object) =>
    figure(await scrape(), "kinomill_http_request_duration_seconds_count", labels) ?? 0;
  const route = "/api/v1/jobs/:id";
  const [found, strange] = [
    { route, status: "4xx" },
    { route: "none", status: "4xx" },
  ];
  const before = [await count(found), await count(strange)];
  await rig.ask("/api/v1/jobs/jb_nothing", { as: "ann" });
  await rig.ask("/api/v1/nowhere/at/all", { as: "ann" });
  await rig.ask("/api/v1/jobs");
  expect([await count(found), await count(strange)]).toEqual([
    (before[0] ?? 0) + 1,
    (before[1] ?? 0) + 2,
  ]);
});

test("buckets rise to the count", async () => {
  const samples = await scrape();
  for (const name of ["kinomill_http_request_duration_seconds", "kinomill_job_duration_seconds"]) {
    const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
    expect(buckets.length).toBeGreaterThan(0);
    const bySeries = Map.groupBy(buckets, ({ labels: { le: _, ...rest } }) => JSON.stringify(rest));
    for (const [series, ladder] of bySeries) {
      const values = ladder.map(({ value }) => value);
      expect(values).toEqual(values.toSorted((a, b) => a - b));
      expect(ladder.at(-1)?.labels["le"]).toBe("+Inf");
      expect(values.at(-1)).toBe(figure(samples, `${name}_count`, JSON.parse(series)));
    }
  }
});

test("nobody can make a time series by naming something", async () => {
  await newJob();
  const series = async () =>
    new Set((await scrape()).map(({ name, labels }) => name + JSON.stringify(labels)));
  // Everything that can be there for such requests is there once.
  for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"]) {
    await rig.ask("/api/v1/none", { method, as: "ann" });
    await rig.ask("/none", { method });
  }
  await scrape();
  const before = await series();
  const hostile = fc.oneof(
    fc.string({ maxLength: 60, unit: "binary" }),
    fc.constantFrom('a"} 1\nkinomill_evil{x="', "../../etc/passwd", "%00", "{}", "le", "😀\n"),
  );
  await fc.assert(
    fc.asyncProperty(hostile, fc.stringMatching(/^[A-Z]{1,12}$/), async (text, method) => {
      const path = encodeURIComponent(text);
      const options = { as: "ann" as const, method };
      await rig.ask(`/api/v1/none/${path}`, options).catch(() => null);
      await rig.ask(`/${path}`, { method }).catch(() => null);
      await rig.ask(`/api/v1/none?${path}`, options).catch(() => null);
    }),
    { numRuns: 60 },
  );
  // Names of a database of another time, or of somebody who wrote into it.
  for (let number = 0; number < 50; number += 1) {
    rig.database.run(
      `UPDATE job SET operation = ?1, device = ?2 WHERE id = (SELECT id FROM job WHERE state = 'queued')`,
      [`evil${number}"} 1\n`, `gpu:${number}\n{`],
    );
    await scrape();
  }
  const after = await series();
  const added = [...after].filter((each) => !before.has(each));
  // The one job that was renamed is now of an operation that nobody knows.
  expect(added.filter((each) => !each.includes('"operation":"other"'))).toEqual([]);
  expect(added.length).toBeLessThanOrEqual(1);
  expect([...after].join("\n")).not.toContain("evil");
  expect([...after].join("\n")).not.toContain("passwd");
}, 60_000);

test("labels are words of closed lists", () => {
  expect(methodLabel("BREW")).toBe("other");
  expect(statusLabel(204)).toBe("2xx");
  expect(statusLabel(999)).toBe("other");
  expect(failureLabel("made_up")).toBe("other");
  const devices = ["cpu", "gpu:0", "gpu:63", "gpu:64", "gpu:00", "gpu:-1", "GPU-x", null];
  expect(devices.map(deviceLabel)).toEqual([
    ...["cpu", "gpu:0", "gpu:63", "other", "other", "other", "other", "none"],
  ]);
  expect(plainLabel(`N\n"VIDIA\u0000${"x".repeat(200)}`)).toHaveLength(64);
});

test("what is not known is absent, what is known stands there", async () => {
  const samples = await scrape();
  const names = new Set(samples.map(({ name }) => name));
  expect(names).not.toContain("kinomill_storage_free_bytes");
  expect(names).not.toContain("kinomill_backup_newest_timestamp_seconds");
  expect(names).not.toContain("kinomill_gpu_temperature_celsius");
  expect(figure(samples, "kinomill_device_busy", { device: "gpu:0" })).toBe(1);
  expect(figure(samples, "kinomill_uploads_unfinished")).toBe(2);
  expect(figure(samples, "kinomill_findings", { level: "warning" })).toBe(1);
  expect(figure(samples, "process_open_fds") ?? 0).toBeGreaterThan(3);
  expect(figure(samples, "process_cpu_seconds_total") ?? 0).toBeGreaterThan(0);
});

test("a loop that is held up is told of, a prompt one is not", async () => {
  const clock = new ManualClock();
  const lag = new LoopLag(clock);
  expect(lag.figures).toEqual({ max: 0, mean: 0 });
  lag.start();
  clock.advance(1_400);
  const deadline = performance.now() + 10_000;
  while (lag.figures.max === 0 && performance.now() < deadline) await Bun.sleep(20);
  lag.stop();
  expect(lag.figures.max).toBeCloseTo(0.4, 3);
});

test("errors of the storage are counted by call and reason", async () => {
  const { metrics } = rig.parts;
  (metrics as unknown as { noteStorageTrouble(trouble: object): void }).noteStorageTrouble({
    ...{ call: "open", reason: "EIO" },
  });
  const labels = { call: "open", reason: "EIO" };
  expect(figure(await scrape(), "kinomill_storage_errors_total", labels)).toBe(1);
});

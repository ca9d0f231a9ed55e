/** How long reads take at a steady rate while a job keeps the machine busy. */
import { Appliance, eventually } from "../tests/appliance.ts";
import { bearer, Connection, requestBytes } from "./connection.ts";
import { type Extent, type Figure, median, milliseconds, percentile } from "./figure.ts";
import { hdClip, jobOf, startJob, storeAsset } from "./material.ts";

const REQUESTS_PER_SECOND = 100;
/** Requests that may be under way at once: a stall of 0.6 s before the next has to wait for a connection. */
const CONNECTIONS = 64;

/** Open loop: a request is due every 10 ms whatever became of those before; its wait counts from then. */
async function steadily(urls: string[], headers: Record<string, string>, seconds: number) {
  const base = urls[0] ?? "";
  const idle = await Promise.all(Array.from({ length: CONNECTIONS }, () => Connection.open(base)));
  const requests = urls.map((url) => requestBytes(url, headers));
  const waits: number[] = [];
  const pending: Promise<void>[] = [];
  const started = performance.now();
  for (let index = 0; index < seconds * REQUESTS_PER_SECOND; index += 1) {
    const dueMs = started + (index * 1000) / REQUESTS_PER_SECOND;
    while (performance.now() < dueMs) await Bun.sleep(1);
    const connection = await eventually("a free connection", 10_000, async () => idle.pop());
    const bytes = requests[index % requests.length] ?? new Uint8Array();
    const one = connection.request(bytes).then(({ status }) => {
      if (status !== 200) throw new Error(`a read was answered ${status}`);
      waits.push(performance.now() - dueMs);
      idle.push(connection);
    });
    pending.push(one);
  }
  await Promise.all(pending);
  for (const connection of idle) connection.close();
  return waits;
}

export async function latency({ quick }: Extent): Promise<Figure[]> {
  await using appliance = await Appliance.start();
  const { url } = appliance;
  const headers = bearer(await appliance.token("bench"));
  const asset = await storeAsset(url, headers, await hdClip(quick ? 10 : 60));
  const { id } = await startJob(url, headers, {
    operation: "transcode",
    inputs: [asset.id],
    // Slow enough to last: the same codec would only be copied.
    params: { video: { codec: "hevc" }, speed: "best" },
  });
  const stateIs = async (state: string) => (await jobOf(url, headers, id)).state === state;
  await eventually("the job runs", 20_000, () => stateIs("running"));
  const reads = ["assets?limit=20", `assets/${asset.id}`, `jobs/${id}`, "jobs?limit=20", "system"];
  const urls = reads.map((path) => `${url}/api/v1/${path}`);
  const waits = await steadily(urls, headers, quick ? 2 : 15);
  if (!(await stateIs("running"))) throw new Error("the job ended before the reads did");
  await fetch(`${url}/api/v1/jobs/${id}/cancel`, { method: "POST", headers });
  const p99 = percentile(waits, 99);
  return [
    {
      what: `reads at ${REQUESTS_PER_SECOND} a second while a job runs, p99 in ms`,
      ours: `${milliseconds(p99)} (median ${milliseconds(median(waits))}, worst ${milliseconds(Math.max(...waits))})`,
      other: null,
      value: p99,
      target: { atMost: 20 },
    },
  ];
}

/** What a scrape of `/metrics` costs while ten thousand jobs wait. */

import { openDatabase } from "../src/database/open.ts";
import { Appliance } from "../tests/appliance.ts";
import { bearer } from "./connection.ts";
import { type Extent, type Figure, median, milliseconds } from "./figure.ts";
import { insert } from "./queue-scale.ts";
import { cpuSeconds } from "./usage.ts";

const QUEUED = 10_000;

export async function metrics({ quick }: Extent): Promise<Figure[]> {
  await using appliance = await Appliance.start();
  const headers = bearer(await appliance.token("bench", "admin"));
  const drained = await fetch(`${appliance.url}/api/v1/system/work`, {
    ...{ method: "PATCH", body: JSON.stringify({ mode: "draining" }) },
    headers: { ...headers, "content-type": "application/json" },
  });
  if (!drained.ok) throw new Error(`the work was not stopped: ${drained.status}`);
  fill(appliance.dataFolder);
  const waits: number[] = [];
  const scrapes = quick ? 10 : 100;
  let before = 0;
  // The first ones warm the compiler up and are left out.
  for (let scrape = -5; scrape < scrapes; scrape += 1) {
    if (scrape === 0) before = cpuSeconds(appliance.pid);
    const begunMs = performance.now();
    const text = await (await fetch(`${appliance.url}/metrics`, { headers })).text();
    if (scrape >= 0) waits.push(performance.now() - begunMs);
    if (!text.includes(`kinomill_jobs{state="queued"`)) throw new Error("nothing is queued");
  }
  const cpuMs = ((cpuSeconds(appliance.pid) - before) / scrapes) * 1000;
  const took = median(waits);
  return [
    {
      what: `a scrape with ${QUEUED} queued jobs, median in ms`,
      ours: `${milliseconds(took)} (processor ${milliseconds(cpuMs)})`,
      ...{ other: null, value: took, target: { atMost: 20 } },
    },
  ];
}

function fill(dataFolder: string): void {
  const database = openDatabase(dataFolder);
  const { id = "" } = database.query<{ id: string }, []>("SELECT id FROM user").get() ?? {};
  insert(database, id, { from: 1, count: QUEUED, values: {} });
  database.close();
}

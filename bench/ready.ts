/** A server with 100,000 files: from its start until all its parts work, and what it does while nobody wants anything. */
import { Appliance } from "../tests/appliance.ts";
import { bearer } from "./connection.ts";
import { type Extent, type Figure, median, milliseconds } from "./figure.ts";
import { ASSETS, multiply } from "./library.ts";
import { storeAsset } from "./material.ts";
import { cpuSeconds } from "./usage.ts";

const READY_LIMIT_MS = 20_000;
/** What a start leaves to be done is done by then. */
const SETTLE_MS = 10_000;

async function untilReady(folder: string): Promise<{ appliance: Appliance; readyMs: number }> {
  const started = performance.now();
  const appliance = await Appliance.start({ folder });
  while ((await fetch(`${appliance.url}/health/ready`)).status !== 200) {
    if (performance.now() - started > READY_LIMIT_MS) throw new Error("it does not become ready");
    await Bun.sleep(1);
  }
  return { appliance, readyMs: performance.now() - started };
}

export async function ready({ quick }: Extent): Promise<Figure[]> {
  const first = await Appliance.start();
  const { folder } = first;
  await multiply(
    first.dataFolder,
    await storeAsset(first.url, bearer(await first.token("bench", "admin"))),
  );
  await first.end();
  const times: number[] = [];
  for (let round = 0; round < (quick ? 2 : 9); round += 1) {
    const { appliance, readyMs } = await untilReady(folder);
    times.push(readyMs);
    await appliance.end();
  }
  const { appliance } = await untilReady(folder);
  await Bun.sleep(SETTLE_MS);
  const idleSeconds = quick ? 5 : 60;
  const before = cpuSeconds(appliance.pid);
  await Bun.sleep(idleSeconds * 1000);
  const share = ((cpuSeconds(appliance.pid) - before) / idleSeconds) * 100;
  await appliance[Symbol.asyncDispose]();
  return [
    {
      what: `start until all parts work, ${ASSETS.toLocaleString("en")} files, in ms`,
      ours: `${milliseconds(median(times))} (worst ${milliseconds(Math.max(...times))})`,
      other: null,
      value: median(times),
      target: { atMost: 300 },
    },
    {
      what: `CPU of one core while nobody wants anything, over ${idleSeconds} s, in percent`,
      ours: `${share.toFixed(2)} %`,
      other: null,
      value: share,
      target: { atMost: 0.5 },
    },
  ];
}

/** JSON reads: an asset by its id, with login, out of SQLite, next to the same JSON from a bare Bun.serve. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Appliance, eventually } from "../tests/appliance.ts";
import { bearer, flood } from "./connection.ts";
import { type Extent, type Figure, median, microseconds } from "./figure.ts";
import { storeAsset } from "./material.ts";
import { compileBareServer } from "./start.ts";
import { cpuSeconds } from "./usage.ts";

interface Round {
  requestsPerSecond: number;
  cpuMicroseconds: number;
}

const BARE_PORT = 17602;
/** Enough to keep the server busy all the time while the client is on another core. */
const CONNECTIONS = 8;

async function measure(
  pid: number,
  url: string,
  headers: Record<string, string>,
  requests: number,
): Promise<Round> {
  const before = cpuSeconds(pid);
  const seconds = await flood(url, headers, { connections: CONNECTIONS, requests });
  const cpu = cpuSeconds(pid) - before;
  return { requestsPerSecond: requests / seconds, cpuMicroseconds: (cpu / requests) * 1e6 };
}

export async function reads({ quick }: Extent): Promise<Figure[]> {
  await using appliance = await Appliance.start();
  const headers = bearer(await appliance.token("bench"));
  const asset = await storeAsset(appliance.url, headers);
  const file = join(tmpdir(), "asset.json");
  await Bun.write(file, JSON.stringify(asset));
  const stdio = ["ignore", "ignore", "inherit"] as const;
  const bare = Bun.spawn([await compileBareServer(), String(BARE_PORT), file], {
    stdio: [...stdio],
  });
  const bareUrl = `http://127.0.0.1:${BARE_PORT}/json`;
  await eventually("the bare server answers", 5_000, () => fetch(bareUrl).catch(() => null));
  const targets = [
    {
      what: "an asset by its id, with a token",
      url: `${appliance.url}/api/v1/assets/${asset.id}`,
      sent: headers,
    },
    { what: "/health", url: `${appliance.url}/health`, sent: {} },
  ];
  const requests = quick ? 4_000 : 40_000;
  const figures: Figure[] = [];
  for (const { what, url, sent } of targets) {
    const ours: Round[] = [];
    const theirs: Round[] = [];
    // The first round of each warms the compiler up and is left out.
    for (let round = 0; round < (quick ? 2 : 6); round += 1) {
      theirs.push(await measure(bare.pid, bareUrl, {}, requests));
      ours.push(await measure(appliance.pid, url, sent, requests));
    }
    const of = (rounds: Round[], key: keyof Round) => median(rounds.slice(1).map((r) => r[key]));
    const ourSpeed = of(ours, "requestsPerSecond");
    const bareSpeed = of(theirs, "requestsPerSecond");
    const ourCpu = of(ours, "cpuMicroseconds");
    const bareCpu = of(theirs, "cpuMicroseconds");
    figures.push(
      {
        what: `JSON reads per second: ${what}`,
        ours: ourSpeed.toFixed(0),
        other: `${bareSpeed.toFixed(0)}, bare Bun.serve`,
        value: ourSpeed / bareSpeed,
        target: null,
      },
      {
        // Held by CPU time, which is far steadier on a shared machine than requests per second.
        what: `the same by CPU time, the bare server's ÷ ours: ${what}`,
        ours: microseconds(ourCpu),
        other: `${microseconds(bareCpu)}, bare Bun.serve`,
        value: bareCpu / ourCpu,
        target: { atLeast: 0.7 },
      },
    );
  }
  bare.kill();
  await bare.exited;
  return figures;
}

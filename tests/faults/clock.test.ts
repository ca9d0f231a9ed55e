/** The wall clock jumps a day forward and back while jobs run and wait. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Appliance } from "../appliance.ts";
import { plainClip } from "../clips.ts";
import { Ledger } from "./acknowledged.ts";
import { note, roundsOf } from "./count.ts";

setDefaultTimeout(900_000);

const DAY_MS = 86_400_000;

function faketimeLibrary(): string {
  for (const folder of [
    "/usr/lib/x86_64-linux-gnu/faketime",
    "/usr/lib/aarch64-linux-gnu/faketime",
  ]) {
    try {
      const found = readdirSync(folder).find((name) => name.startsWith("libfaketimeMT.so"));
      if (found !== undefined) return join(folder, found);
    } catch {
      // The other architecture.
    }
  }
  throw new Error("libfaketime is not installed: run script/bootstrap --test");
}

test("jobs that run, wait and come while the clock jumps end well, once", async () => {
  const folder = mkdtempSync(join(tmpdir(), "clock-"));
  const offset = join(folder, "offset");
  await Bun.write(offset, "+0\n");
  await using appliance = await Appliance.start({
    environment: {
      LD_PRELOAD: faketimeLibrary(),
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_NO_CACHE: "1",
      DONT_FAKE_MONOTONIC: "1",
    },
  });
  const ledger = new Ledger(appliance.url, await appliance.token("ann"));
  await ledger.moveTo(appliance.url);
  await ledger.addFile(plainClip(), "first.mp4");
  const rounds = roundsOf(2, 20);
  for (let round = 0; round < rounds; round += 1) {
    for (const jump of ["+1d", "-1d"]) {
      expect(await ledger.addJob()).toBe(true);
      await Bun.write(offset, `${jump}\n`);
      const told = await toldTime(appliance);
      const moved = jump === "+1d" ? DAY_MS : -DAY_MS;
      expect(Math.abs(told - (Date.now() + moved))).toBeLessThan(60_000);
      expect(await ledger.addJob()).toBe(true);
    }
  }
  const { acknowledged, ...found } = await ledger.audit(appliance);
  expect(found).toEqual({ lost: [], doubled: [], falsified: [] });
  rmSync(folder, { recursive: true });
  note("clock-jump", {
    ...{ rounds: rounds * 2, acknowledged, lost: 0, doubled: 0, falsified: 0 },
    control: "the server told the moved time",
  });
});

/** What the server takes for now, in milliseconds. */
async function toldTime({ url }: Appliance): Promise<number> {
  const { timestamp } = (await (await fetch(`${url}/health`)).json()) as { timestamp: string };
  return Date.parse(timestamp);
}

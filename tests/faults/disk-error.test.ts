/** The disk fails to write for a stretch: what cannot be kept is refused, and the database stays whole. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { Appliance, eventually } from "../appliance.ts";
import { plainClip } from "../clips.ts";
import { Ledger } from "./acknowledged.ts";
import { note, roundsOf } from "./count.ts";

setDefaultTimeout(900_000);

/** Every sync of the server fails until it is called off. */
function failSyncs(pid: number): { end(): Promise<void> } {
  const inject = ["-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO"];
  const argv = ["strace", "-f", "-qq", "-o", "/dev/null", ...inject, "-p", String(pid)];
  const injector = Bun.spawn(argv, { stdio: ["ignore", "ignore", "ignore"] });
  return {
    end: async () => {
      injector.kill("SIGINT");
      await injector.exited;
    },
  };
}

/** Requests while the disk fails; the first one is refused as soon as the injector has its hold. */
const REQUESTS_MAX = 200;
const REFUSALS = 5;

test("writes that fail are refused with 507, and work goes on when the disk does", async () => {
  const rounds = roundsOf(2, 20);
  await using appliance = await Appliance.start();
  const ledger = new Ledger(appliance.url, await appliance.token("ann"));
  await ledger.moveTo(appliance.url);
  expect(await ledger.addFile(plainClip(), "first.mp4")).toBe(true);
  let refused = 0;
  for (let round = 0; round < rounds; round += 1) {
    expect(await ledger.addJob()).toBe(true);
    const failing = failSyncs(appliance.pid);
    const before = refused;
    for (let count = 0; count < REQUESTS_MAX && refused - before < REFUSALS; count += 1) {
      const status = await ledger.addJobStatus();
      if (status !== 202) {
        expect(status).toBe(507);
        refused += 1;
      }
    }
    expect(await ledger.addFile(plainClip(), "refused.mp4")).toBe(false);
    await failing.end();
    await eventually("a file is taken", 10_000, () => ledger.addFile(plainClip(), "later.mp4"));
    expect(await ledger.addJob()).toBe(true);
  }
  expect(refused).toBe(rounds * REFUSALS);
  await ledger.askAgain();
  // A job whose own files could not be kept says so; its owner has it run again.
  await ledger.retryWhatFailedOf("disk_failed", "disk_full");
  const { acknowledged, ...found } = await ledger.audit(appliance);
  expect(found).toEqual({ lost: [], doubled: [], falsified: [] });
  note("disk-error", {
    ...{ rounds, acknowledged, lost: 0, doubled: 0, falsified: 0 },
    control: `${refused} requests were refused while it failed`,
  });
});

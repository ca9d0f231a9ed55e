/** The plug is pulled while files and jobs come in: what was acknowledged is there, whole, once. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { Appliance } from "../appliance.ts";
import { plainClip } from "../clips.ts";
import { everything } from "../support/long-form.ts";
import { type Audit, Ledger } from "./acknowledged.ts";
import { note, roundsOf } from "./count.ts";
import { LosableDisk } from "./small-disk.ts";

/** Two hundred cuts take ten minutes, and what they leave in the queue half an hour on two cores. */
setDefaultTimeout(everything ? 3 * 3_600_000 : 1_800_000);

/** Moments between the first request and the cut, spread evenly with a fixed seed. */
function momentMs(round: number): number {
  return 60 + ((round * 379) % 1500);
}

/** The disk is smaller than what is kept free for the database by default. */
const small = { KINOMILL_STORAGE_RESERVE_BYTES: "1048576" };

/** Makes every fsync return at once: what a system without the protection does. */
const withoutSync = { ...small, LD_PRELOAD: "libeatmydata.so.1" };

/** Servers one after another on the same disk; the last one is ended with the test. */
class Plug {
  readonly ledger: Ledger;
  private readonly disk: LosableDisk;
  private appliance: Appliance;

  private constructor(disk: LosableDisk, appliance: Appliance, ledger: Ledger) {
    this.disk = disk;
    this.appliance = appliance;
    this.ledger = ledger;
  }

  /** A server that has a user and a file. */
  static async in(environment: Record<string, string>): Promise<Plug> {
    const disk = await LosableDisk.make();
    const appliance = await Appliance.start({ folder: disk.folder, environment });
    const ledger = new Ledger(appliance.url, await appliance.token("ann"));
    const plug = new Plug(disk, appliance, ledger);
    await ledger.moveTo(appliance.url);
    if (!(await ledger.addFile(plainClip(), "first.mp4"))) throw new Error(await appliance.log());
    return plug;
  }

  /** Work comes in until the disk is gone; then the server is too, and the power comes back. */
  async pull(afterMs: number): Promise<void> {
    const { ledger, disk } = this;
    let requests = 0;
    const flood = async (ask: () => Promise<boolean>) => {
      while (requests < REQUESTS_MAX && (await ask())) requests += 1;
    };
    const addFile = () => ledger.addFile(plainClip(), `file ${requests}.mp4`);
    const cut = async () => {
      await Bun.sleep(afterMs);
      // A plug has a moment, the ioctl takes milliseconds, and an fsync meanwhile may say that it wrote what it did not: a
      // bare loop of write and fsync (Python, Linux 6.18) was told so in 4 of 120 cuts, always while the ioctl ran.
      ledger.ignoreAnswers();
      disk.cut();
    };
    await Promise.all([cut(), flood(addFile), ...[1, 2].map(() => flood(() => ledger.addJob()))]);
    await this.appliance.end("SIGKILL");
    await this.disk.remount();
  }

  async startAgain(): Promise<void> {
    this.appliance = await Appliance.start({ folder: this.disk.folder, environment: small });
    await this.ledger.moveTo(this.appliance.url);
  }

  audit(): Promise<Audit> {
    return this.ledger.audit(this.appliance);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.appliance.end("SIGKILL");
    await this.disk[Symbol.asyncDispose]();
  }
}

/** Of one round: their jobs are all done at the end. */
const REQUESTS_MAX = 5;

test("acknowledged files and jobs survive a pulled plug", async () => {
  const rounds = roundsOf(10, 200);
  await using plug = await Plug.in(small);
  for (let round = 0; round < rounds; round += 1) {
    await plug.pull(momentMs(round));
    await plug.startAgain();
  }
  // After the last start as after each: work went on meanwhile.
  await plug.ledger.askAgain();
  // Whoever was there at three cuts in a row waits for a person, who has it run again.
  await plug.ledger.retryWhatFailedOf("worker_lost");
  const { acknowledged, ...found } = await plug.audit();
  expect(found).toEqual({ lost: [], doubled: [], falsified: [] });
  expect(acknowledged).toBeGreaterThan(3 * rounds);
  const control = `without fsync: ${await withoutProtection()}`;
  const counts = { rounds, acknowledged, lost: 0, doubled: 0, falsified: 0, control };
  note("power-cut", counts);
});

/** @returns what the same cut does to a server whose writes are not synced; it must do something */
async function withoutProtection(): Promise<string> {
  await using plug = await Plug.in(withoutSync);
  await plug.pull(600);
  try {
    await plug.startAgain();
  } catch {
    return "the database did not survive";
  }
  const audit = await plug.audit().catch(() => null);
  if (audit === null) return "the account was gone";
  const lost = audit.lost.length + audit.falsified.length;
  expect(lost).toBeGreaterThan(0);
  return `${lost} of ${audit.acknowledged} lost`;
}

/** File systems of their own for a test's data: one that can lose its power, and one that fills up. */
import { mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../appliance.ts";

/** Runs a program that must succeed. */
export function must(...argv: string[]): void {
  // Programs for file systems are not on every user's PATH.
  const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` };
  const done = Bun.spawnSync(argv, { env, stdio: ["ignore", "ignore", "pipe"], timeout: 30_000 });
  if (done.exitCode !== 0) throw new Error(`${argv.join(" ")}: ${done.stderr.toString()}`);
}

/** XFS in a file: its shutdown is the closest to a pulled plug that a test can come without hardware. */
export class LosableDisk {
  /** The appliance's folder; `data` in it is on the disk. */
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<LosableDisk> {
    const disk = new LosableDisk(await mkdtemp(join(tmpdir(), "losable-")));
    mkdirSync(disk.data);
    must("truncate", "-s", "400M", disk.image);
    must("mkfs.xfs", "-q", disk.image);
    disk.mount();
    return disk;
  }

  get data(): string {
    return join(this.folder, "data");
  }

  private get image(): string {
    return join(this.folder, "disk.img");
  }

  /** From now on nothing is written, and what is not on the disk is lost, the log in memory too. */
  cut(): void {
    must("xfs_io", "-x", "-c", "shutdown", this.data);
  }

  /** The power is back, as soon as the last process that used the disk is gone. */
  async remount(): Promise<void> {
    await this.unmount();
    this.mount();
  }

  private unmount(): Promise<true> {
    return eventually("the disk is free", 30_000, async () => {
      return Bun.spawnSync(["umount", this.data], { stderr: "ignore" }).exitCode === 0 || null;
    });
  }

  private mount(): void {
    must("mount", "-o", "loop", this.image, this.data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unmount();
    await rm(this.folder, { recursive: true, force: true });
  }
}

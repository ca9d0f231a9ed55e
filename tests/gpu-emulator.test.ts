/** The emulated GPU itself, before anything is concluded from it: real ffmpeg through all of its parts. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildEmulator } from "./gpu-box.ts";

/** Builds with gcc and encodes thirty short clips: twenty seconds on two cores that have nothing else. */
setDefaultTimeout(240_000);

test("the emulated GPU does with this machine's ffmpeg what its self-test asks of it", async () => {
  buildEmulator();
  const folder = mkdtempSync(join(tmpdir(), "gpu-emulator-"));
  try {
    const script = resolve(import.meta.dir, "gpu-emulator/selftest");
    const child = Bun.spawn([script, folder], { stdio: ["ignore", "pipe", "inherit"] });
    const told = await child.stdout.text();
    expect(told.match(/^FAIL.*/gm) ?? []).toEqual([]);
    expect(told).toMatch(/^passed 2[4-9], failed 0 \(ffmpeg version /m);
    expect(await child.exited).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

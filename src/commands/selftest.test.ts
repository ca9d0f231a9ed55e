import { Database } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toolchain } from "../../tests/support/toolchain.ts";
import { loadConfig } from "../config.ts";
import { lockDataFolder } from "../database/lock.ts";
import { databaseFileName, openDatabase } from "../database/open.ts";
import { openFigures } from "../jobs/figures.ts";
import { placedWork, prepareTrial, tryDevice } from "../jobs/self-test.ts";
import { cpuDevice } from "../media/devices.ts";
import { noFigures, predictSeconds } from "../media/work-figures.ts";
import { keepFigures } from "./selftest.ts";

const folder = mkdtempSync(join(tmpdir(), "selftest-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A fifth of a second of 1080p, encoded and decoded; the rest is for a machine on which other tests encode. */
const LIMIT_MS = 60_000;

test(
  "what a device took is kept for estimates where no server works, and nowhere else",
  async () => {
    const data = join(folder, "data");
    const config = await loadConfig({ file: null, environment: {}, flags: { data } });
    const parts = { config, toolchain, folder, signal: new AbortController().signal };
    const trial = await prepareTrial(parts, { clipSeconds: 0.2, speed: "fast" });
    const device = cpuDevice(1);
    const done = await tryDevice(parts, trial, device);
    expect(done).toMatchObject({ ok: true, sessions: 1, encoder: "libx264", remedy: null });
    expect(done?.sentence).toContain("Decoded all 6 frames");
    if (done === null) throw new Error("it was not aborted");
    const tried = [{ ...done, device, seconds: 1234 }];

    expect(keepFigures(config, parts, trial, tried)).toContain("no data folder yet");
    openDatabase(data).close();
    const lock = lockDataFolder(data, "a server");
    expect(keepFigures(config, parts, trial, tried)).toContain("a server works in the data folder");
    lock.release();
    const secondsNow = () => {
      using figures = openFigures(data);
      return predictSeconds(placedWork(trial, device, toolchain), figures.lookup);
    };
    const guess = predictSeconds(placedWork(trial, device, toolchain), noFigures);
    expect(secondsNow()).toEqual(guess);
    expect(keepFigures(config, parts, trial, tried)).toBe("The times were kept for estimates.");
    expect(secondsNow().learnedFrom).toBe(1);
    expect(secondsNow().likely).toBeGreaterThan(guess.likely * 2);

    // One of an older version is the upgrade's to change.
    const older = new Database(join(data, databaseFileName));
    older.run("PRAGMA user_version = 1");
    older.close();
    expect(keepFigures(config, parts, trial, tried)).toContain("no database of this version");
  },
  LIMIT_MS,
);

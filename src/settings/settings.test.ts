import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "../clock.ts";
import { type ConfigSources, readConfig, settings as schema } from "../config.ts";
import { type Database, openDatabase } from "../database/open.ts";
import { silentLog } from "../log.ts";
import { Refusal } from "../trouble.ts";
import { Settings } from "./settings.ts";
import { shapeOf } from "./shape.ts";
import { layUnder, storedIn } from "./stored.ts";

const ann = { id: "us_1", name: "ann" };
const eve = { id: "us_2", name: "eve", token: "robot" };

let folder: string;
let database: Database;
let clock: ManualClock;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kinomill-settings-"));
  database = openDatabase(folder);
  clock = new ManualClock();
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

/** A start of the server. */
async function start(sources: Partial<ConfigSources> & { text?: string } = {}): Promise<Settings> {
  const { text, ...rest } = sources;
  const file = text === undefined ? null : join(folder, "config.toml");
  if (file !== null) await Bun.write(file, text ?? "");
  const loaded = await readConfig({ file, environment: {}, flags: { data: folder }, ...rest });
  return new Settings({ database, clock, log: silentLog(), loaded });
}

const stateOf = (settings: Settings, key: string) => {
  const state = settings.list().find((each) => each.key === key);
  if (state === undefined) throw new Error(`no setting ${key}`);
  return state;
};

function refusalOf(work: () => unknown): Refusal {
  try {
    work();
  } catch (cause) {
    if (cause instanceof Refusal) return cause;
    throw cause;
  }
  throw new Error("nothing was refused");
}

describe("what holds", () => {
  const key = "jobs.runs";

  test("is the default, over it the page, the file, the environment and a flag", async () => {
    const first = await start();
    expect(stateOf(first, key)).toMatchObject({
      value: 3,
      origin: "default",
      pageValue: undefined,
    });
    first.change(ann, { [key]: 4 }, 0);
    expect(first.config.jobs.runs).toBe(4);
    expect(stateOf(first, key)).toMatchObject({ value: 4, origin: "page", changedBy: "ann" });

    expect((await start()).config.jobs.runs).toBe(4);
    const text = "[jobs]\nruns = 5\n";
    const filed = stateOf(await start({ text }), key);
    expect(filed).toMatchObject({ value: 5, origin: "file", pageValue: 4, ignored: "locked" });
    const environment = { KINOMILL_JOBS_RUNS: "6" };
    const told = stateOf(await start({ text, environment }), key);
    expect(told).toMatchObject({ value: 6, origin: "environment" });
    const flags = { data: folder, [key]: 7 };
    const flagged = stateOf(await start({ text, environment, flags }), key);
    expect(flagged).toMatchObject({ value: 7, origin: "flag" });
  });

  test("is for commands beside the server what it is for the server", async () => {
    (await start()).change(ann, { [key]: 4, "backup.schedule": "6h" }, 0);
    const loaded = await readConfig({ file: null, environment: {}, flags: { data: folder } });
    expect(layUnder(loaded, storedIn(folder))).toEqual([]);
    expect([loaded.config.jobs.runs, loaded.config.backup.schedule]).toEqual([4, "6h"]);
    expect(storedIn(join(folder, "nowhere"))).toEqual([]);
  });

  test("a value that is not allowed any more does not hold, and is said", async () => {
    const settings = await start();
    settings.change(ann, { [key]: 4 }, 0);
    database.run("UPDATE setting SET value = '4000' WHERE key = ?", [key]);
    const next = await start();
    expect(next.config.jobs.runs).toBe(3);
    expect(stateOf(next, key)).toMatchObject({ origin: "default", ignored: "invalid" });
    next.change(eve, { [key]: 5 }, next.revision);
    expect(stateOf(next, key)).toMatchObject({ value: 5, origin: "page", ignored: null });
  });

  test("a change that waits for a restart does not hold before it", async () => {
    const settings = await start();
    settings.change(ann, { "gpu.leaveAlone": ["1"] }, 0);
    expect(settings.config.gpu.leaveAlone).toEqual([]);
    expect(stateOf(settings, "gpu.leaveAlone")).toMatchObject({ value: [], afterRestart: ["1"] });
    expect(settings.restartNeeded).toBe(true);
    const next = await start();
    expect(next.config.gpu.leaveAlone).toEqual(["1"]);
    expect(next.restartNeeded).toBe(false);
    next.change(ann, { "gpu.leaveAlone": null }, next.revision);
    expect(stateOf(next, "gpu.leaveAlone").afterRestart).toEqual([]);
    next.change(ann, { "gpu.leaveAlone": ["1"] }, next.revision);
    expect(next.restartNeeded).toBe(false);
  });
});

describe("a change", () => {
  test("of what the host says is refused, also for the page's own value below it", async () => {
    const environment = { KINOMILL_JOBS_RUNS: "6" };
    const settings = await start({ text: "[jobs]\nreuse = false\n", environment });
    const { errors } = refusalOf(() =>
      settings.change(ann, { "jobs.runs": 2, "jobs.reuse": true, "jobs.verify": "quick" }, 0),
    );
    expect(errors).toEqual([
      {
        path: "jobs.runs",
        message: "is set by KINOMILL_JOBS_RUNS in the environment: change it there",
      },
      { path: "jobs.reuse", message: `is set in ${join(folder, "config.toml")}: change it there` },
    ]);
    expect(settings.config.jobs).toMatchObject({ runs: 6, reuse: false, verify: "auto" });
  });

  test("of several is all or none, and each fault is named", async () => {
    const settings = await start();
    const wanted = {
      ...{ "jobs.runs": 2, "jobs.wallLimitSeconds": 3, "jobs.verify": "never" },
      ...{ listen: "0.0.0.0:1", "ffmpeg.path": "/bin/sh", "no.such": 1, "backup.schedule": "x" },
    };
    const refusal = refusalOf(() => settings.change(ann, wanted, 0));
    expect([refusal.status, refusal.code]).toEqual([422, "invalid_settings"]);
    expect(refusal.errors.map(({ path }) => path)).toEqual([
      ...["jobs.wallLimitSeconds", "jobs.verify", "listen", "ffmpeg.path", "no.such"],
      "backup.schedule",
    ]);
    expect(settings.config.jobs.runs).toBe(3);
    expect(settings.acts.list({ limit: 10 })).toEqual([]);
  });

  test("is refused when another admin was faster with the same setting, and only then", async () => {
    const settings = await start();
    settings.change(ann, { "jobs.runs": 4 }, 0);
    const seen = settings.revision;
    settings.change(eve, { "jobs.runs": 5 }, seen);
    const refusal = refusalOf(() => settings.change(ann, { "jobs.runs": 6 }, seen));
    expect(refusal).toMatchObject({ status: 412, code: "precondition_failed" });
    expect(refusal.errors).toEqual([
      { path: "jobs.runs", message: "was changed to 5 by eve meanwhile" },
    ]);
    settings.change(ann, { "jobs.reuse": false }, seen);
    expect(settings.config.jobs).toMatchObject({ runs: 5, reuse: false });
  });

  test("back to the default counts as a change, and what is so already does not", async () => {
    const settings = await start();
    const heard: (readonly string[])[] = [];
    settings.follow((keys) => heard.push(keys));
    settings.change(ann, { "jobs.runs": 4, "jobs.reuse": true }, 0);
    const { revision } = settings;
    settings.change(ann, { "jobs.runs": 4 }, revision);
    expect(settings.revision).toBe(revision);
    settings.change(ann, { "jobs.runs": null }, revision);
    expect(stateOf(settings, "jobs.runs")).toMatchObject({ value: 3, origin: "default" });
    expect(refusalOf(() => settings.change(eve, { "jobs.runs": 9 }, revision)).status).toBe(412);
    expect(heard).toEqual([["jobs.runs", "jobs.reuse"], ["jobs.runs"]]);
  });

  test("stands in the trail with who, before and after", async () => {
    const settings = await start();
    settings.change(ann, { "jobs.runs": 4 }, 0);
    clock.advance(60_000);
    settings.change(eve, { "jobs.runs": null }, settings.revision);
    expect(settings.acts.list({ kind: "setting.changed", subject: "jobs.runs", limit: 9 })).toEqual(
      [
        expect.objectContaining({
          ...{ who: "eve", token: "robot", whoId: "us_2", detail: { before: 4, after: null } },
        }),
        expect.objectContaining({ who: "ann", token: null, detail: { before: null, after: 4 } }),
      ],
    );
  });
});

test("the trail has an end", async () => {
  const { acts } = await start();
  database.run("UPDATE sqlite_sequence SET seq = 20000 WHERE name = 'act'");
  acts.note(ann, "sweep.made", "");
  database.run("UPDATE sqlite_sequence SET seq = 31000 WHERE name = 'act'");
  acts.note(ann, "backup.made", "b");
  expect(acts.list({ limit: 9 }).map(({ kind }) => kind)).toEqual(["backup.made"]);
});

describe("every setting that the page may change", () => {
  const editable = schema.filter((setting) => setting.editable !== null);

  test("has a title of its own, a kind, and limits where it counts", () => {
    expect(editable.length).toBeGreaterThan(30);
    const titles = editable.map((setting) => setting.editable?.title);
    expect(new Set(titles).size).toBe(titles.length);
    for (const setting of editable) {
      const shape = shapeOf(setting);
      expect({ key: setting.key, text: shape.kind === "text" }).toEqual({
        key: setting.key,
        text: setting.key === "backup.schedule",
      });
      if (shape.kind === "number" || shape.kind === "bytes") {
        expect([setting.key, typeof shape.min, typeof shape.max]).toEqual([
          ...[setting.key, "number", "number"],
        ]);
      }
      if (shape.kind === "choice") expect(shape.options.length).toBeGreaterThan(1);
    }
  });

  test("opens no fence, names no program or folder, and cannot keep the server from starting", () => {
    const keys = new Set(editable.map(({ key }) => key));
    const onlyOfTheHost = [
      ...["data", "listen", "ffmpeg.path", "ffmpeg.ffprobePath", "ffmpeg.passEnvironment"],
      ...["ffmpeg.sandboxRead", "ffmpeg.sandboxWrite", "uploads.allowWithoutSandbox"],
      ...["imports.allowPrivate", "imports.buckets", "backup.folder", "storage.kind"],
      ...["storage.cache.folder", "storage.s3.secretAccessKey", "storage.s3.endpoint"],
    ];
    expect(onlyOfTheHost.filter((key) => keys.has(key))).toEqual([]);
    expect(onlyOfTheHost.filter((key) => !schema.some((each) => each.key === key))).toEqual([]);
  });
});

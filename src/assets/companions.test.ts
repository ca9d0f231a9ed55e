import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toolchain } from "../../tests/support/toolchain.ts";
import { ManualClock } from "../clock.ts";
import { loadConfig } from "../config.ts";
import { type Database, openDatabase } from "../database/open.ts";
import { newId, newSecret } from "../identity.ts";
import { silentLog } from "../log.ts";
import { cpuDevice } from "../media/devices.ts";
import { expectedWorkSeconds, onCpu } from "../media/expected-work.ts";
import { probe } from "../media/probe.ts";
import { planCompanion } from "../operations/companions.ts";
import { LocalRunner } from "../runners/local.ts";
import { openDiskStorage } from "../storage/disk.ts";
import type { Storage } from "../storage/storage.ts";
import type { Asset } from "./asset.ts";
import { type CompanionKind, companionKey, companionKinds } from "./companion.ts";
import { Companions, type Standing } from "./companions.ts";
import { Library } from "./library.ts";

setDefaultTimeout(120_000);

const tools = { ffmpegPath: "ffmpeg", ffprobePath: "ffprobe" };
const clock = new ManualClock();

let folder = "";
let database: Database;
let storage: Storage & { pathOf(key: string): string | null };
let library: Library;
let ownerId = "";
let told: Standing[] = [];
/** Assets that were deleted when the first progress of theirs came. */
const doomed = new Set<string>();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kinomill-companions-"));
  database = openDatabase(folder);
  ownerId = newId("user");
  database
    .query(
      "INSERT INTO user (id, name, role, password_hash, created_at) VALUES (?, 'ann', 'admin', '$argon2id$x', '2026-01-01T00:00:00.000Z')",
    )
    .run(ownerId);
  storage = openDiskStorage({
    ...{ folder: join(folder, "storage"), reserveBytes: 0, signingKey: newSecret() },
    ...{ publicPath: "/storage", clock },
  }) as typeof storage;
  library = new Library({
    ...{ database, storage, clock, log: silentLog(), uploadMaxBytes: 1e9 },
    probe: (path) => probe(path, tools),
    onChange: () => {},
  });
});

afterAll(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

async function openCompanions(proxiesMaxBytes = 1e9): Promise<Companions> {
  // Tests are not to wait behind each other: here it has no low priority.
  const environment = { KINOMILL_FFMPEG_NICENESS: "0" };
  const config = await loadConfig({ file: null, environment, flags: { data: folder } });
  return new Companions({
    ...{ storage, clock, log: silentLog(), records: library.records, rows: library.companions },
    runner: new LocalRunner({ toolchain, config }),
    ...{ device: cpuDevice(1), workFolder: join(folder, "work"), proxiesMaxBytes },
    plan: (kind, media) => planCompanion(kind, media, toolchain),
    expectSeconds: ({ work }, media) => expectedWorkSeconds(work, [media], onCpu(2)),
    onChange: (_, assetId, standing) => {
      told.push(standing);
      if (doomed.delete(assetId)) void library.delete(ownerId, assetId, { forever: true });
    },
  });
}

async function add(file: string, ...argv: string[]): Promise<Asset> {
  const path = join(folder, file);
  const run = Bun.spawnSync(["ffmpeg", "-nostdin", "-v", "error", "-y", ...argv, path]);
  if (run.exitCode !== 0) throw new Error(run.stderr.toString());
  return await library.upload(ownerId, file, Bun.file(path).stream(), { declaredBytes: null });
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`);
    await Bun.sleep(20);
  }
}

const stateOf = ({ id }: Asset, kind: CompanionKind) => library.companions.find(id, kind).state;
const isMade = (asset: Asset, kind: CompanionKind) => () =>
  ["ready", "none"].includes(stateOf(asset, kind));
const probeOf = ({ id }: Asset, kind: CompanionKind) =>
  probe(storage.pathOf(companionKey(id, kind)) ?? "", tools);

const picture = (size: string, seconds: number) => [
  ...["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=30000/1001:duration=${seconds}`],
];
const tone = (seconds: number) => ["-f", "lavfi", "-i", `sine=duration=${seconds}`];
const prores = ["-c:v", "prores_ks", "-profile:v", "0", "-c:a", "pcm_s16le"];

test("a ProRes film gets its sheet, its peaks and a copy that browsers play", async () => {
  const companions = await openCompanions();
  const film = await add("film.mov", ...picture("1200x900", 1.5), ...tone(1.5), ...prores);
  expect(companions.find(film.id, "proxy")).toMatchObject({ state: "absent", etaSeconds: null });
  told = [];
  for (const kind of companionKinds) companions.want(film.id, kind);
  for (const kind of companionKinds) await until(kind, isMade(film, kind));
  // It is told a moment after it stands in its row.
  await until("all are told", () => told.filter(({ state }) => state === "ready").length === 3);
  await companions.stop();

  const sprite = companions.find(film.id, "sprite");
  expect(sprite.facts).toEqual({
    ...{ every: 0.5, count: 3, columns: 3, rows: 1, tileWidth: 160, tileHeight: 120 },
  });
  const sheet = await probeOf(film, "sprite");
  expect([sheet.container, sheet.video?.width, sheet.video?.height]).toEqual(["jpeg", 480, 120]);

  const peaks = await Bun.file(storage.pathOf(companionKey(film.id, "peaks")) ?? "").json();
  expect([peaks.version, peaks.channels, peaks.bits]).toEqual([2, 1, 8]);
  expect(peaks.length).toBeGreaterThanOrEqual(150);
  expect(peaks.length).toBeLessThanOrEqual(152);
  expect(Math.max(...peaks.data)).toBeGreaterThan(5);

  const copy = await probeOf(film, "proxy");
  expect(copy).toMatchObject({
    container: "mp4",
    video: { codec: "h264", width: 960, height: 720, pixelFormat: "yuv420p", bitDepth: 8 },
    audio: [{ codec: "aac" }],
  });
  expect(copy.video?.frameRate).toBe("30000/1001");
  expect(copy.durationSeconds).toBeCloseTo(1.5, 1);

  const first = told.find(({ kind, state }) => kind === "proxy" && state === "wanted");
  expect(first?.etaSeconds).toBeGreaterThan(0);
  expect(readdirSync(join(folder, "work"))).toEqual([]);
});

test("what belongs to an asset goes with it, and nobody's quota knows of it", async () => {
  const companions = await openCompanions();
  const sound = await add("sound.wav", ...tone(2));
  companions.want(sound.id, "peaks");
  companions.want(sound.id, "proxy");
  await until("peaks", isMade(sound, "peaks"));
  await until("proxy", isMade(sound, "proxy"));
  await companions.stop();
  const copy = await probeOf(sound, "proxy");
  expect([copy.kind, copy.audio[0]?.codec]).toEqual(["audio", "aac"]);
  const used = () =>
    database
      .query<{ bytes: number }, [string]>(
        "SELECT size_bytes AS bytes FROM asset_usage WHERE owner_id = ?1",
      )
      .get(ownerId)?.bytes ?? 0;
  const before = used();
  await library.delete(ownerId, sound.id, { forever: true });
  expect(before - used()).toBe(sound.sizeBytes);
  for (const kind of ["peaks", "proxy"] as const) {
    expect(await storage.stat(companionKey(sound.id, kind))).toBeNull();
    expect(stateOf(sound, kind)).toBe("absent");
  }
});

test("what cannot be made says why, and is tried again when somebody asks", async () => {
  const companions = await openCompanions();
  const silent = await add("silent.mp4", ...picture("320x240", 1), "-pix_fmt", "yuv420p");
  companions.want(silent.id, "peaks");
  await until("no peaks", isMade(silent, "peaks"));
  expect(companions.find(silent.id, "peaks")).toMatchObject({
    state: "none",
    problem: "There is no sound in it.",
  });

  await Bun.write(storage.pathOf(silent.id) ?? "", "gone bad on the disk");
  companions.want(silent.id, "proxy");
  await until("no proxy", isMade(silent, "proxy"));
  expect(companions.find(silent.id, "proxy").problem).toMatch(/\.$/);
  await Bun.write(storage.pathOf(silent.id) ?? "", Bun.file(join(folder, "silent.mp4")));
  companions.want(silent.id, "proxy");
  await until("proxy", isMade(silent, "proxy"));
  expect(stateOf(silent, "proxy")).toBe("ready");

  await storage.delete(companionKey(silent.id, "proxy"));
  companions.lost(silent.id, "proxy");
  await until("proxy again", isMade(silent, "proxy"));
  expect(await storage.stat(companionKey(silent.id, "proxy"))).not.toBeNull();
  await companions.stop();
});

test("an asset that is deleted meanwhile leaves nothing behind", async () => {
  const companions = await openCompanions();
  const film = await add("leaving.mov", ...picture("320x240", 20), ...prores);
  doomed.add(film.id);
  companions.want(film.id, "proxy");
  await until("it is gone", () => stateOf(film, "proxy") === "absent");
  await until("nothing is made", () => readdirSync(join(folder, "work")).length === 0);
  await companions.stop();
  expect(await storage.stat(companionKey(film.id, "proxy"))).toBeNull();
});

test("a stop leaves what was begun to the next start", async () => {
  const companions = await openCompanions();
  const film = await add("long.mov", ...picture("320x240", 20), ...prores);
  companions.want(film.id, "proxy");
  await companions.stop();
  expect(stateOf(film, "proxy")).toBe("wanted");
  expect(readdirSync(join(folder, "work"))).toEqual([]);
  const next = await openCompanions();
  next.wake();
  await until("proxy", isMade(film, "proxy"));
  await next.stop();
  expect(stateOf(film, "proxy")).toBe("ready");
});

test("small copies that take too much go, the one that nobody watched for the longest time first", async () => {
  const films = [];
  const companions = await openCompanions(1);
  for (const name of ["one.mkv", "two.mkv"]) {
    films.push(await add(name, ...picture("320x240", 1), "-pix_fmt", "yuv420p"));
  }
  const [one, two] = films;
  if (one === undefined || two === undefined) throw new Error("two films");
  companions.want(one.id, "proxy");
  await until("the first", isMade(one, "proxy"));
  clock.advance(3_600_000);
  companions.want(two.id, "proxy");
  await until("the second", isMade(two, "proxy"));
  await companions.stop();
  expect([stateOf(one, "proxy"), stateOf(two, "proxy")]).toEqual(["absent", "ready"]);
  expect(await storage.stat(companionKey(one.id, "proxy"))).toBeNull();
});

import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toolchain } from "../../tests/support/toolchain.ts";
import { systemClock } from "../clock.ts";
import { loadConfig } from "../config.ts";
import { openDatabase } from "../database/open.ts";
import { newId, newSecret } from "../identity.ts";
import { silentLog } from "../log.ts";
import { cpuDevice } from "../media/devices.ts";
import { probe } from "../media/probe.ts";
import { LocalRunner } from "../runners/local.ts";
import { openDiskStorage } from "../storage/disk.ts";
import { type Asset, thumbnailKey } from "./asset.ts";
import { Library } from "./library.ts";
import { Thumbnailer } from "./thumbnailer.ts";

const tools = { ffmpegPath: "ffmpeg", ffprobePath: "ffprobe" };

function ffmpeg(...argv: string[]): void {
  const done = Bun.spawnSync(["ffmpeg", "-nostdin", "-v", "error", "-y", ...argv]);
  if (done.exitCode !== 0) throw new Error(done.stderr.toString());
}

test("videos, upright phone videos and stills get a picture; broken ones and sound get none", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kinomill-thumbnails-"));
  const database = openDatabase(folder);
  const ownerId = newId("user");
  database
    .query(
      "INSERT INTO user (id, name, role, password_hash, created_at) VALUES (?, 'ann', 'admin', '$argon2id$x', '2026-01-01T00:00:00.000Z')",
    )
    .run(ownerId);
  const storage = openDiskStorage({
    folder: join(folder, "storage"),
    reserveBytes: 0,
    signingKey: newSecret(),
    publicPath: "/storage",
    clock: systemClock,
  });
  const shared = { database, storage, clock: systemClock, log: silentLog() };
  const library = new Library({
    ...shared,
    probe: (path) => probe(path, tools),
    uploadMaxBytes: 1e9,
    onChange: () => {},
  });
  const add = async (file: string, ...argv: string[]): Promise<Asset> => {
    const path = join(folder, file);
    ffmpeg(...argv, path);
    return library.upload(ownerId, file, Bun.file(path).stream(), { declaredBytes: null });
  };
  const picture = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=1"];
  const video = await add("video.mp4", ...picture, "-pix_fmt", "yuv420p");
  const flat = join(folder, "video.mp4");
  const phone = await add("phone.mp4", "-i", flat, "-c", "copy", "-metadata:s:v:0", "rotate=90");
  const still = await add("still.png", ...picture, "-frames:v", "1");
  const sound = await add("sound.m4a", "-f", "lavfi", "-i", "sine=duration=1");
  const broken = await add("broken.mp4", "-i", flat, "-c", "copy");
  await Bun.write(storage.pathOf(broken.id) ?? "", "gone bad on the disk");

  const made: string[] = [];
  const config = await loadConfig({ file: null, environment: {}, flags: { data: folder } });
  const thumbnailer = new Thumbnailer({
    ...shared,
    records: library.records,
    runner: new LocalRunner({ toolchain, config }),
    device: cpuDevice(1),
    workFolder: join(folder, "thumbnails"),
    onMade: ({ id }) => made.push(id),
  });
  thumbnailer.wake();
  const deadline = performance.now() + 30_000;
  while (library.records.nextThumbnailWanted() !== null && performance.now() < deadline) {
    await Bun.sleep(20);
  }
  await thumbnailer.stop();

  const state = ({ id }: Asset) => library.get(ownerId, id).thumbnail;
  expect([video, phone, still, sound, broken].map(state)).toEqual([
    "ready",
    "ready",
    "ready",
    "none",
    "none",
  ]);
  expect(made.toSorted()).toEqual([video.id, phone.id, still.id].toSorted());
  const sizes = await Promise.all(
    [video, phone].map(async ({ id }) => {
      const media = await probe(storage.pathOf(thumbnailKey(id)) ?? "", tools);
      return [media.container, media.video?.width, media.video?.height];
    }),
  );
  expect(sizes).toEqual([
    ["jpeg", 480, 270],
    ["jpeg", 270, 480],
  ]);
  expect(readdirSync(join(folder, "thumbnails"))).toEqual([]);
  database.close();
  rmSync(folder, { recursive: true });
}, 60_000);

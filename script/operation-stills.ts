/**
 * docs/screenshots/operations/: a picture for each operation of what it makes of a real film. It takes a piece of
 * Big Buck Bunny, of which the repository keeps these pictures and no copy:
 *   bun script/operation-stills.ts FILM [OPERATION…]
 * FILM shows a bird on a branch from 16 s to 21 s, as the 30 s do that begin the film at 0:00.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { operations } from "../src/operations/index.ts";
import { work } from "../tests/operations/workshop.ts";
import { type Scene, scenes } from "./still-scenes.ts";

export const stillsFolder = join(resolve(import.meta.dir, ".."), "docs/screenshots/operations");

/** What a page may load for a picture. */
export const stillMaxBytes = 150_000;

/** Runs ffmpeg, which must succeed. */
function ffmpeg(argv: readonly string[]): void {
  const done = Bun.spawnSync(["ffmpeg", "-nostdin", "-v", "error", "-y", ...argv]);
  if (done.exitCode !== 0) throw new Error(`ffmpeg ${argv.join(" ")}:\n${done.stderr}`);
}

/** Makes the source, carries the operation out as a job does, and lays out what came of it. */
async function draw(name: string, scene: Scene, film: string, folder: string): Promise<void> {
  const source = join(folder, `${name}.${scene.ending ?? "mp4"}`);
  ffmpeg([...scene.source(film), source]);
  const others = (scene.others ?? []).map(({ file, argv }) => {
    const path = join(folder, file);
    ffmpeg([...argv(film), path]);
    return path;
  });
  const made: string[] = [];
  for (const params of scene.runs) {
    const { paths } = await work(folder, name, params, [source, ...others]);
    made.push(...paths);
  }
  const still = join(stillsFolder, `${name}.jpg`);
  const { inputs, graph } = scene.layout({ source, made });
  ffmpeg([
    ...inputs,
    "-filter_complex",
    `${graph},format=yuvj420p`,
    "-frames:v",
    "1",
    "-q:v",
    "6",
    "-update",
    "1",
    still,
  ]);
  const { size } = Bun.file(still);
  if (size > stillMaxBytes) throw new Error(`${still} has ${size} bytes`);
}

if (import.meta.main) {
  const [film, ...wanted] = process.argv.slice(2);
  if (film === undefined) {
    console.error(
      "operation-stills: name the film: bun script/operation-stills.ts FILM [OPERATION…]",
    );
    process.exit(2);
  }
  const folder = mkdtempSync(join(tmpdir(), "stills-"));
  mkdirSync(stillsFolder, { recursive: true });
  try {
    for (const { name } of operations) {
      const scene = scenes[name];
      if (scene === undefined) throw new Error(`script/still-scenes.ts has no scene of ${name}`);
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      await draw(name, scene, resolve(film), folder);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  process.exit(0);
}

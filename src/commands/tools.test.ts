import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, loadConfig } from "../config.ts";
import { toolchainOf } from "./tools.ts";

let folder: string;
let config: Config;
let cacheBefore: string | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tools-"));
  const path = join(folder, "ffmpeg");
  writeFileSync(path, `#!/bin/sh\necho "$*" >> ${folder}/asked\nexec ffmpeg "$@"\n`);
  chmodSync(path, 0o755);
  config = await loadConfig({ file: null, environment: { KINOMILL_FFMPEG_PATH: path }, flags: {} });
  cacheBefore = process.env["XDG_CACHE_HOME"];
  process.env["XDG_CACHE_HOME"] = join(folder, "cache");
});

afterEach(() => {
  if (cacheBefore === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = cacheBefore;
  rmSync(folder, { recursive: true });
});

/** What ffmpeg was asked since the last look. */
function asked(): number {
  const lines = readFileSync(join(folder, "asked"), "utf8").trim().split("\n");
  writeFileSync(join(folder, "asked"), "");
  return lines.filter((line) => line !== "").length;
}

test("ffmpeg is asked once, and again a day later", async () => {
  const first = await toolchainOf(config);
  expect(asked()).toBe(5);
  expect(await toolchainOf(config)).toEqual(first);
  expect(asked()).toBe(0);
  const yesterday = Date.now() / 1000 - 86_500;
  utimesSync(join(folder, "cache/kinomill/toolchain.json"), yesterday, yesterday);
  expect(await toolchainOf(config)).toEqual(first);
  expect(asked()).toBe(5);
});

test("where nothing can be kept it is asked each time", async () => {
  writeFileSync(join(folder, "cache"), "in the way");
  const first = await toolchainOf(config);
  expect(await toolchainOf(config)).toEqual(first);
  expect(asked()).toBe(10);
});

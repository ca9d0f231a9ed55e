/** The state that all share, with scripts in the place of nvidia-smi and ffmpeg. */
import { afterAll, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Toolchain } from "./devices.ts";
import { Gpus } from "./gpus.ts";

const folder = mkdtempSync(join(tmpdir(), "gpus-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function script(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

function toolchain(ffmpegPath: string): Toolchain {
  return {
    ...{ ffmpegPath, ffprobePath: ffmpegPath, version: "7.1", release: { major: 7, minor: 1 } },
    encoders: new Set(["h264_nvenc", "hevc_nvenc", "av1_nvenc"]),
    ...{ decoders: new Set<string>(), filters: new Set<string>(), hwaccels: new Set(["cuda"]) },
  };
}

const row = "0, GPU-aa, NVIDIA L4, 00000000:01:00.0, 570.1, 8.9, 23034, 0, 0, 0, 0, [N/A]";

test("nothing is claimed before the look, and a closed one leaves no probe behind", async () => {
  const started = join(folder, "started");
  const tool = script("smi-hangs", `touch ${started}; sleep 60`);
  const gpus = new Gpus({ inventory: { tool } });
  expect(gpus.state()).toMatchObject({ kind: "looking", gpus: [] });
  const look = gpus.open(toolchain("/bin/false"));
  const deadline = performance.now() + 5_000;
  while (!existsSync(started) && performance.now() < deadline) await Bun.sleep(5);
  await gpus.close();
  await look;
  expect(gpus.state().kind).toBe("looking");
});

test("each GPU is tried once; a second look asks nvidia-smi alone", async () => {
  const asked = join(folder, "asked");
  const tool = script("smi", `echo asked >> ${asked}; echo '${row}'`);
  const gpus = new Gpus({ inventory: { tool } });
  // Exit code 0 in the fence, for every codec.
  const ffmpeg = toolchain("/bin/true");
  await gpus.open(ffmpeg);
  const first = gpus.state();
  expect(first).toMatchObject({ kind: "found", gpus: [{ id: "gpu:0", uuid: "GPU-aa" }] });
  expect(first.gpus[0]?.abilities.map(({ state }) => state)).toEqual(Array(7).fill("can"));
  // Were it tried again it would fail now.
  await gpus.open({ ...ffmpeg, ffmpegPath: "/bin/false" });
  expect(gpus.state()).toEqual(first);
  expect(readFileSync(asked, "utf8")).toBe("asked\nasked\n");
  // Another ffmpeg is another answer.
  await gpus.open({ ...ffmpeg, ffmpegPath: "/bin/false", version: "8.0" });
  expect(gpus.state().gpus[0]?.abilities.map(({ state }) => state)).toEqual(
    Array(7).fill("cannot"),
  );
  await gpus.close();
});

test("a probe that never ends is ended, and the rest of that GPU is not tried", async () => {
  const tool = script("smi-one", `echo '${row}'`);
  const gpus = new Gpus({ inventory: { tool }, probeLimitSeconds: 1.5 });
  const begun = performance.now();
  await gpus.open(toolchain(script("ffmpeg-hangs", "exec sleep 60")));
  // One probe of a second and a half, not one for each codec.
  expect(performance.now() - begun).toBeLessThan(4_500);
  expect(gpus.state().gpus[0]?.sentence).toContain("does not answer");
  await gpus.close();
});

/** Ladders on an emulated GPU: all rungs at once on the card, and on the CPU where the driver has too few sessions. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { loadConfig } from "../../src/config.ts";
import { probe } from "../../src/media/probe.ts";
import { findOperation, parseParams, planFor } from "../../src/operations/index.ts";
import { noGpus, openBox } from "../../src/runners/box.ts";
import { LocalRunner } from "../../src/runners/local.ts";
import { enterBox, gpuBox } from "../gpu-box.ts";
import { checkHls } from "../streaming/hls-rules.ts";
import { toolchain } from "../support/toolchain.ts";
import { emulatedGpu } from "./emulated.ts";
import { picture, run, sine, x264 } from "./rehearsal.ts";
import { work } from "./workshop.ts";

setDefaultTimeout(180_000);

const root = mkdtempSync(join(tmpdir(), "ladder-gpu-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Larger than the least that NVENC codes, also in the lowest rung. */
const film = join(root, "film.mp4");
run([...picture("480x270", 2.4, "50"), ...sine(2.4), ...x264, "-bf", "2", "-c:a", "aac", film]);
const rungs = [{ height: 270 }, { height: 180 }, { height: 120, frameRate: 25 }];
const params = { segmentSeconds: 1, rungs };

test("three rungs are decoded once, scaled and encoded on the card, aligned to the frame", async () => {
  using box = gpuBox({ gpus: "twoL4" });
  using _inside = await enterBox(box);
  const made = await work(root, "ladder", params, [film], emulatedGpu(box.uuid(0)));
  expect(made.encoders).toEqual(["h264_nvenc", null]);
  const [master = ""] = made.paths;
  const { breaches, streams, variants } = checkHls(dirname(master), basename(master));
  expect(breaches).toEqual([]);
  expect(variants).toHaveLength(3);
  expect(streams.get("film-120p.m3u8")?.starts).toEqual([0, 1, 2]);
  // What the GPU made was proven before it was packaged.
  expect(made.checks.filter((check) => check.startsWith("Probed rung-"))).toHaveLength(3);
});

test("a driver with too few sessions for all rungs leaves them to the CPU, and the job says so", async () => {
  using box = gpuBox({ gpus: "twoL4", fault: { maxSessions: 2 } });
  using _inside = await enterBox(box);
  const config = await loadConfig({
    ...{ file: null, environment: {} },
    flags: { "storage.reserveBytes": 0, "ffmpeg.niceness": 0 },
  });
  const gpu = emulatedGpu(box.uuid(0));
  const { dispatch } = openBox({
    ...{ config, clock: systemClock, toolchain: () => toolchain },
    runner: new LocalRunner({ toolchain, config }),
    gpus: { ...noGpus, devices: () => [gpu], whyNone: () => "" },
  });
  const operation = findOperation("ladder");
  const inputs = [{ name: "film.mp4", media: await probe(film, toolchain) }];
  const plan = planFor(operation, parseParams(operation, params), inputs, toolchain);
  const [encode] = plan.steps;
  if (encode === undefined) throw new Error("it encodes first");
  const jobFolder = join(root, "few-sessions");
  mkdirSync(jobFolder);
  const faults: string[] = [];
  const outcome = await dispatch.carryOut(
    {
      ...{ work: encode.work, assetPaths: [film], jobFolder, step: encode.name },
      ...{ expectations: [], expectationsOfGpu: encode.provesOfGpu ?? [], verify: "quick" },
      ...{ signal: AbortSignal.timeout(150_000), onProgress: () => {} },
    },
    null,
    {
      ...{ onPlaced: () => {}, onWait: () => {} },
      onFault: (_device, _report, fault) => faults.push(fault.name),
    },
  );
  if (outcome.kind !== "done") throw new Error(JSON.stringify(outcome));
  expect(faults).toEqual(["session-limit"]);
  expect(outcome.encoder).toBe("libx264");
  expect(outcome.deviceReason).toContain("session");
});

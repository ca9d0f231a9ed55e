/**
 * What the runner makes of a GPU that fails: a transcode as it is planned and rendered for the device, the
 * real ffmpeg or one that lies about how it ended, and the fault that the attempt carries.
 */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config.ts";
import { cpuDevice, type Device } from "../../src/media/devices.ts";
import { gpuSkills } from "../../src/media/gpu-skill.ts";
import { type Avoided, nothingAvoided } from "../../src/media/placement.ts";
import { probe } from "../../src/media/probe.ts";
import { findOperation, parseParams, planFor } from "../../src/operations/index.ts";
import { LocalRunner } from "../../src/runners/local.ts";
import type { AttemptOutcome } from "../../src/runners/runner.ts";
import { plainClip } from "../clips.ts";
import { type BoxFault, enterBox, gpuBox } from "../gpu-box.ts";
import { toolchain } from "../support/toolchain.ts";

setDefaultTimeout(120_000);

const flags = { "storage.reserveBytes": 0, "ffmpeg.niceness": 0 };
const config = await loadConfig({ file: null, environment: {}, flags });

const root = mkdtempSync(join(tmpdir(), "runner-faults-"));
afterAll(() => rmSync(root, { recursive: true }));

interface Attempt {
  fault?: BoxFault;
  avoided?: Avoided;
  /** Lines of a shell that stand in for ffmpeg; `"$FFMPEG" "$@"` is the real one. */
  script?: string;
  /** Without the GPU. */
  onCpu?: true;
}

let jobs = 0;

async function attempt({ fault = {}, avoided = nothingAvoided, script, onCpu }: Attempt) {
  using box = gpuBox({ gpus: "twoL4", fault });
  using _inside = await enterBox(box);
  const path = plainClip();
  const operation = findOperation("transcode");
  const params = parseParams(operation, { video: { maxHeight: 120 } });
  const inputs = [{ name: "clip.mp4", media: await probe(path, toolchain) }];
  const [step] = planFor(operation, params, inputs, toolchain).steps;
  if (step === undefined) throw new Error("a transcode has a step");
  const jobFolder = join(root, `job-${++jobs}`);
  mkdirSync(jobFolder);
  const tools = script === undefined ? toolchain : { ...toolchain, ffmpegPath: scripted(script) };
  return await new LocalRunner({ toolchain: tools, config }).run({
    device: onCpu ? cpuDevice(1) : gpu(box.uuid(0)),
    work: step.work,
    expectations: step.outputs.map(({ expectation }) => expectation),
    ...{ avoided, assetPaths: [path], jobFolder, step: step.name, verify: "quick" },
    ...{ signal: new AbortController().signal, onProgress: () => {} },
  });
}

function gpu(uuid: string): Device {
  const skills = gpuSkills.filter(({ bitDepth }) => bitDepth === 8);
  const traits = { uuid, computeCapability: "8.9", memoryTotalBytes: null, skills };
  return { id: "gpu:0", kind: "gpu", title: "NVIDIA L4", slots: 1, traits };
}

function scripted(lines: string): string {
  const path = join(root, `ffmpeg-${jobs}`);
  const real = Bun.which(toolchain.ffmpegPath);
  writeFileSync(path, `#!/bin/sh\nFFMPEG=${real}\n${lines}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** The fault of an attempt that failed, in short. */
function faultOf(outcome: AttemptOutcome) {
  if (outcome.kind !== "failed") throw new Error(`it was ${outcome.kind}, not failed`);
  const { fault, report } = outcome;
  expect(report.hint).not.toBe("");
  return fault === null ? null : { name: fault.name, reaction: fault.reaction };
}

describe("a decoder that breaks off", () => {
  const fault = { decodeFailsAfter: 10 };

  test("ends the attempt with its fault, and without it the same GPU gets the job done", async () => {
    const failed = await attempt({ fault });
    expect(faultOf(failed)).toEqual({ name: "decoder-failed", reaction: "cpu-decode" });
    const avoided = failed.kind === "failed" ? failed.fault?.avoid : undefined;
    const done = await attempt({ fault, avoided: avoided ?? nothingAvoided });
    expect(done).toMatchObject({ kind: "done", encoder: "h264_nvenc" });
  });

  test("is found out where ffmpeg calls it success", async () => {
    const script =
      '"$FFMPEG" "$@"\necho "[h264 @ 0x1] hardware accelerator failed to decode picture" >&2';
    expect(faultOf(await attempt({ script }))).toEqual({
      name: "decoder-failed",
      reaction: "cpu-decode",
    });
    // The same words mean nothing where the CPU decoded.
    expect((await attempt({ script, onCpu: true })).kind).toBe("done");
  });
});

describe("an output that does not stand up to its verification", () => {
  const script = '"$FFMPEG" "$@"\nfor file in *.mp4; do : >"$file"; done';

  test("is made again on the CPU when a GPU had a part in it", async () => {
    const outcome = await attempt({ script });
    expect(faultOf(outcome)).toEqual({ name: "output-rejected", reaction: "cpu" });
  });

  test("fails the job when the CPU made it", async () => {
    expect(faultOf(await attempt({ script, onCpu: true }))).toBeNull();
  });
});

test("a full disk fails the job, though a GPU was at work", async () => {
  const script = 'echo "av_interleaved_write_frame(): No space left on device" >&2\nexit 1';
  const outcome = await attempt({ script });
  expect(faultOf(outcome)).toBeNull();
  expect(outcome).toMatchObject({ kind: "failed", report: { code: "disk_full" } });
});

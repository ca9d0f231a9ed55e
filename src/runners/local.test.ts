import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ffmpeg } from "../../tests/clips.ts";
import { processesNaming, until } from "../../tests/support/processes.ts";
import { toolchain } from "../../tests/support/toolchain.ts";
import { loadConfig } from "../config.ts";
import type { RenderDescription } from "../media/description.ts";
import { cpuDevice } from "../media/devices.ts";
import type { Expectation } from "../media/expectation.ts";
import type { Progress } from "../media/progress.ts";
import { Failure } from "../trouble.ts";
import { LocalRunner } from "./local.ts";
import type { AttemptOutcome, AttemptRequest } from "./runner.ts";

/** Every attempt starts ffmpeg several times, and machines that test are busy. */
setDefaultTimeout(60_000);

const root = mkdtempSync(join(tmpdir(), "local-test-"));
afterAll(() => rmSync(root, { recursive: true }));

const flags = { "storage.reserveBytes": 0, "jobs.stallSeconds": 20, "ffmpeg.niceness": 0 };
const config = await loadConfig({ file: null, environment: {}, flags });

const source = join(root, "source.mp4");
ffmpeg(
  ...["-f", "lavfi", "-i", "testsrc2=s=128x96:r=25:d=2", "-f", "lavfi", "-i", "sine=d=2"],
  ...["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", source],
);

const description: RenderDescription = {
  inputs: [{ from: { asset: 0 } }],
  graph: [
    {
      from: { input: 0, stream: 0 },
      filters: [{ filter: "scale", width: 64, height: 48 }],
      to: "picture",
    },
  ],
  outputs: [
    {
      file: "output.mp4",
      container: "mp4",
      video: {
        kind: "encode",
        source: { pad: "picture" },
        codec: "h264",
        rate: { quality: 50 },
        speed: "fast",
        pixelFormat: "yuv420p",
        gopFrames: 50,
        color: { primaries: null, transfer: null, space: null, range: null },
      },
      audio: [{ kind: "copy", source: { input: 0, stream: 1 }, codec: "aac" }],
      subtitles: [],
      metadataFrom: null,
      limitSeconds: null,
    },
  ],
  expectedSeconds: 2,
};

const expectation: Expectation = {
  file: "output.mp4",
  kind: "video",
  durationSeconds: 2,
  video: { codec: "h264", width: 64, height: 48 },
  audioTracks: 1,
  audioCodecs: ["aac"],
};

let jobs = 0;

function newRequest(overrides: Partial<AttemptRequest> = {}): AttemptRequest {
  const jobFolder = join(root, `job-${++jobs}`);
  mkdirSync(jobFolder);
  return {
    device: cpuDevice(1),
    work: { kind: "render", description },
    assetPaths: [source],
    jobFolder,
    step: "transcode",
    expectations: [expectation],
    verify: "quick",
    signal: new AbortController().signal,
    onProgress: () => {},
    ...overrides,
  };
}

const runner = new LocalRunner({ toolchain, config });

/** A runner whose ffmpeg is a shell script; ffprobe is the real one. */
function runnerWith(lines: string, more: Partial<typeof config.jobs> = {}): LocalRunner {
  const path = join(root, `ffmpeg-${++jobs}`);
  writeFileSync(path, `#!/bin/sh\n${lines}\n`);
  chmodSync(path, 0o755);
  return new LocalRunner({
    toolchain: { ...toolchain, ffmpegPath: path },
    config: { ...config, jobs: { ...config.jobs, ...more } },
  });
}

function reportOf(outcome: AttemptOutcome) {
  if (outcome.kind !== "failed") throw new Error(`it was ${outcome.kind}, not failed`);
  const text = JSON.stringify(outcome.report);
  expect(text).not.toContain(root);
  expect(outcome.report.hint).not.toBe("");
  return outcome.report;
}

describe("an attempt on this machine", () => {
  test("leaves a proven output in the step's folder and says what did the work", async () => {
    const seen: Progress[] = [];
    const request = newRequest({ onProgress: (progress) => seen.push(progress) });
    const outcome = await runner.run(request);
    const path = join(request.jobFolder, "transcode", "output.mp4");
    expect(outcome).toMatchObject({
      kind: "done",
      encoder: "libx264",
      outputs: [{ file: "output.mp4", path, sizeBytes: readFileSync(path).length }],
    });
    if (outcome.kind !== "done") return;
    expect(outcome.deviceReason).toContain("CPU");
    expect(outcome.outputs[0]?.checks).toHaveLength(2);
    expect(outcome.outputs[0]?.media?.video?.width).toBe(64);
    expect(seen.every(({ percent }) => (percent ?? 0) <= 99.9)).toBeTrue();
    expect(readdirSync(request.jobFolder)).toEqual(["transcode"]);
  });

  test("reads what an earlier step of its job made", async () => {
    const request = newRequest();
    expect((await runner.run(request)).kind).toBe("done");
    const second: RenderDescription = {
      ...description,
      inputs: [{ from: { step: "transcode", file: "output.mp4" } }],
    };
    const work = { kind: "render", description: second } as const;
    const outcome = await runner.run({ ...request, step: "again", work, assetPaths: [] });
    expect(outcome.kind).toBe("done");
  });

  test("starts in an empty folder: what an earlier attempt left is gone", async () => {
    const request = newRequest();
    mkdirSync(join(request.jobFolder, "transcode"));
    writeFileSync(join(request.jobFolder, "transcode", "half.mp4"), "left over");
    expect((await runner.run(request)).kind).toBe("done");
    expect(readdirSync(join(request.jobFolder, "transcode"))).toEqual(["output.mp4"]);
  });

  test("never changes the source", async () => {
    const before = Bun.hash(readFileSync(source));
    await runner.run(newRequest());
    expect(Bun.hash(readFileSync(source))).toBe(before);
  });

  test("writes a text that the plan made, even without ffmpeg on the machine", async () => {
    const absent = new LocalRunner({
      toolchain: () => {
        throw new Failure("tool_missing", "ffmpeg is not on this machine.");
      },
      config,
    });
    const request = newRequest({
      step: "index",
      work: { kind: "write", file: "sprite.vtt", text: "WEBVTT\n\nübung\n" },
      expectations: [
        {
          file: "sprite.vtt",
          kind: "text",
          durationSeconds: null,
          video: null,
          audioTracks: 0,
          audioCodecs: [],
        },
      ],
    });
    const outcome = await absent.run(request);
    expect(outcome).toMatchObject({ kind: "done", encoder: null, outputs: [{ media: null }] });
    const written = readFileSync(join(request.jobFolder, "index", "sprite.vtt"), "utf8");
    expect(written).toBe("WEBVTT\n\nübung\n");
    expect((await absent.run(newRequest())).kind).toBe("failed");
  });

  test("is aborted without a trace of ffmpeg, though that ignores SIGTERM", async () => {
    const abort = new AbortController();
    const request = newRequest({ signal: abort.signal });
    const ended = runnerWith("trap '' TERM; : > ready; sleep 60; :").run(request);
    const ready = join(request.jobFolder, "transcode", "ready");
    await until("ffmpeg ignores signals", () => existsSync(ready));
    expect(processesNaming(request.jobFolder).length).toBeGreaterThan(0);
    const startMs = performance.now();
    abort.abort();
    expect(await ended).toEqual({ kind: "aborted" });
    expect(performance.now() - startMs).toBeLessThan(5_000);
    expect(processesNaming(request.jobFolder)).toEqual([]);
    expect(await runner.run(newRequest({ signal: abort.signal }))).toEqual({ kind: "aborted" });
  });
});

describe("an attempt that fails says why:", () => {
  test("the input is gone", async () => {
    const request = newRequest({ assetPaths: [join(root, "absent")] });
    expect(reportOf(await runner.run(request))).toMatchObject({
      code: "input_missing",
      message: "The job's input 1 is not there any more.",
    });
  });

  test("the source is no media", async () => {
    const noise = join(root, "noise");
    writeFileSync(noise, "not media\n".repeat(1000));
    const report = reportOf(await runner.run(newRequest({ assetPaths: [noise] })));
    expect(report).toMatchObject({ code: "media_undecodable", retryable: false });
    // In one line before 7.0, in several from then on.
    expect(report.log).toContain("Invalid data found");
    expect(report.log).toContain("input 1");
  });

  test("the output is not what was expected", async () => {
    const expectations = [{ ...expectation, durationSeconds: 20 }];
    const report = reportOf(await runner.run(newRequest({ expectations })));
    expect(report).toMatchObject({ code: "output_rejected" });
    expect(report.message).toContain("instead of 20.00 s");
  });

  test("ffmpeg said 0 and left nothing", async () => {
    const report = reportOf(await runnerWith("exit 0").run(newRequest()));
    expect(report.code).toBe("output_rejected");
    expect(report.message).toContain("it was not written");
  });

  test("ffmpeg said 0 and left an empty file", async () => {
    const report = reportOf(await runnerWith(": > output.mp4").run(newRequest()));
    expect(report.message).toContain("it is empty (0 bytes)");
  });

  test("the system killed ffmpeg", async () => {
    const request = newRequest();
    const ended = runnerWith(": > ready; sleep 60; :").run(request);
    const ready = join(request.jobFolder, "transcode", "ready");
    await until("ffmpeg runs", () => existsSync(ready));
    // The group, as the kernel ends a whole job: its leader is the eldest, a child of it may bear the name too.
    const pids = processesNaming(request.jobFolder).map(({ pid }) => pid);
    process.kill(-Math.min(...pids), "SIGKILL");
    expect(reportOf(await ended)).toMatchObject({ code: "memory_limit", retryable: true });
  });

  test("nothing moved", async () => {
    const stuck = runnerWith("sleep 60", { stallSeconds: 1 });
    expect(reportOf(await stuck.run(newRequest()))).toMatchObject({
      code: "stalled",
      retryable: true,
    });
  });

  test("the time was up", async () => {
    const busy = runnerWith("i=0; while :; do i=$((i+1)); echo $i > f; sleep 0.1; done", {
      wallLimitSeconds: 1,
    });
    expect(reportOf(await busy.run(newRequest())).code).toBe("time_limit");
  });

  test("the disk is full before it begins", async () => {
    const reserveBytes = 2 ** 60;
    const full = new LocalRunner({
      toolchain,
      config: { ...config, storage: { ...config.storage, reserveBytes } },
    });
    const request = newRequest();
    expect(reportOf(await full.run(request))).toMatchObject({ code: "disk_full", retryable: true });
    expect(existsSync(join(request.jobFolder, "transcode", "output.mp4"))).toBeFalse();
  });

  test("the disk filled up on the way", async () => {
    const report = reportOf(
      await runnerWith("echo 'out.mp4: No space left on device' >&2; exit 1").run(newRequest()),
    );
    expect(report).toMatchObject({ code: "disk_full", retryable: true });
  });

  test("the disk filled up at the very end, after which ffmpeg said 0", async () => {
    const words = 'echo "Error writing trailer of $PWD/output.mp4: File too large" >&2; exit 0';
    const report = reportOf(await runnerWith(words).run(newRequest()));
    expect(report).toMatchObject({
      code: "disk_full",
      log: "Error writing trailer of output.mp4: File too large",
    });
  });

  test("the tool is missing", async () => {
    const absent = new LocalRunner({
      toolchain: { ...toolchain, ffmpegPath: "/nowhere/ffmpeg" },
      config,
    });
    expect(reportOf(await absent.run(newRequest())).code).toBe("tool_missing");
  });

  test("this ffmpeg lacks the encoder", async () => {
    const encoders = new Set([...toolchain.encoders].filter((name) => name !== "libx264"));
    const poor = new LocalRunner({ toolchain: { ...toolchain, encoders }, config });
    const report = reportOf(await poor.run(newRequest()));
    expect(["tool_missing", "media_unsupported"]).toContain(report.code);
  });
});

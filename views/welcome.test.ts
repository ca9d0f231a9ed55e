import { describe, expect, test } from "bun:test";
import type { SampleRun, SampleState } from "../src/jobs/sample.ts";
import { type FoundView, foundPart, type SampleView, samplePanel } from "./welcome.ts";

const found: FoundView = {
  devices: [{ id: "cpu", title: "CPU, 2 cores" }],
  gpus: { sentence: "This machine has no NVIDIA GPU. Jobs are encoded on the CPU.", remedy: null },
  ffmpeg: { version: "5.1.9", problem: null, abilities: [] },
  sandbox: { missing: [] },
  storage: { kind: "disk", freeBytes: 1e9 },
  findings: [{ level: "ok", title: "Port", meaning: "Free.", remedy: null }],
};

const run = (about: Partial<SampleRun>): SampleRun => ({
  ...{ state: "done", progressPercent: 100, device: "cpu", waitReason: null, error: null },
  ...{ sentence: "Encoded.", seconds: 4, framesPerSecond: 22, realtimeFactor: 0.75 },
  ...about,
});

function panel(state: Partial<SampleState>, whyNoGpu = ""): string {
  const film = { width: 1920, height: 1080, seconds: 3 };
  const view: SampleView = {
    state: { state: "done", film, runs: [], error: null, ...state },
    devices: [{ id: "gpu:0", title: "NVIDIA <L4>" }],
    whyNoGpu,
  };
  return String(samplePanel(view));
}

describe("what was found", () => {
  test("says plainly that there is no GPU, and that all is well otherwise", () => {
    const text = String(foundPart(found));
    expect(text).toContain("This machine has no NVIDIA GPU.");
    expect(text).toContain("Everything that Kinomill needs is here.");
    expect(text).not.toContain("Free.");
  });

  test("tells what to do, and of a GPU that is out why", () => {
    const wrong = { level: "fault" as const, title: "FFmpeg", meaning: "Gone.", remedy: "apt <x>" };
    const gpu = {
      id: "gpu:0",
      title: "L4",
      reason: "It fell off the bus.",
      gpu: { inService: false },
    };
    const text = String(foundPart({ ...found, findings: [wrong], devices: [gpu] }));
    expect(text).toContain("apt &lt;x&gt;");
    expect(text).toContain("L4: It fell off the bus.");
    expect(text).not.toContain("Everything that Kinomill needs");
  });
});

describe("the sample", () => {
  test("on both devices says how many times as fast the GPU is", () => {
    const text = panel({ runs: [run({ device: "gpu:0", seconds: 0.5 }), run({})] });
    expect(text).toContain("The GPU is 8.0× as fast as the processor.");
    expect(text).toContain("NVIDIA &lt;L4&gt;");
    expect(text).toContain("Keep the film");
  });

  test("on the processor alone says so and why", () => {
    const text = panel({ runs: [run({})] }, "This machine has no NVIDIA GPU.");
    expect(text).toContain(
      "This machine has no NVIDIA GPU. Everything is encoded on the processor.",
    );
  });

  test("fetches itself while it runs, and not afterwards", () => {
    const running = panel({ state: "running", runs: [run({ state: "running", seconds: null })] });
    expect(running).toContain('hx-get="/ui/welcome/sample"');
    expect(panel({ runs: [run({})] })).not.toContain("hx-get");
  });

  test("that failed says what to do", () => {
    const error = {
      code: "encoder_failed",
      message: "No.",
      hint: "kinomill doctor",
      log: "",
    } as const;
    const text = panel({ state: "failed", film: null, error: { ...error, retryable: false } });
    expect(text).toContain("kinomill doctor");
    expect(text).toContain("Run it again");
  });
});

import { expect, test } from "bun:test";
import type { Job } from "../src/jobs/job.ts";
import { entries } from "../tests/preview-samples.ts";
import { jobPanel } from "./job.ts";
import type { JobEntry } from "./job-words.ts";
import { jobRow } from "./jobs.ts";

function sample(state: Job["state"], device: string | null): JobEntry {
  const found = entries.find(({ job }) => job.state === state && job.device === device);
  if (found === undefined) throw new Error(`there is a sample job that is ${state}`);
  return found;
}

const changed = (entry: JobEntry, change: Partial<Job>): JobEntry => ({
  ...entry,
  job: { ...entry.job, ...change },
});

const panel = (entry: JobEntry) => jobPanel({ ...entry, nowMs: Date.now() });

const waiting = sample("queued", null);
const onGpu = sample("succeeded", "gpu:0");
const fallen = sample("succeeded", "cpu");

test("a job that waits says what for, on its page and in the list", () => {
  const reason = "All 3 encode sessions of this machine are in use.";
  for (const state of ["queued", "waiting"] as const) {
    const entry = changed(waiting, { state, deviceReason: reason, waitReason: reason });
    expect(panel(entry).toString()).toContain(reason);
    expect(jobRow(entry).toString()).toContain(reason);
  }
  const untold = changed(waiting, { deviceReason: null, waitReason: null });
  expect(panel(untold).toString()).toContain("as soon as a device is free");
  expect(jobRow(untold).toString()).toContain("as soon as a device is free");
});

test("what was expected stands beside what it took and made", () => {
  const predicted = {
    ...{ predictedSeconds: 42, predictedSecondsRange: { low: 30, high: 60 } },
    ...{ predictedBytes: 3e6, predictedBytesRange: { low: 2.5e6, high: 3.6e6 } },
    basis: "from 14 jobs like it on this box",
  };
  const done = panel(changed(onGpu, { predicted })).toString();
  expect(done).toMatch(/Took .+ and made .+B\. Expected: about 42 s \(30 s to 1 min 0 s\)/);
  expect(done).toContain("about 3.0 MB (2.5 MB to 3.6 MB); from 14 jobs like it on this box.");
  const running = panel(changed(sample("running", "cpu"), { predicted })).toString();
  expect(running).toContain("Expected: about 42 s");
  expect(running).not.toContain("Took");
  expect(panel(changed(waiting, { predicted })).toString()).not.toContain("Expected");
});

test("each step says in one line what really ran, and what fenced it in", () => {
  const markup = panel(onGpu).toString();
  expect(markup).toContain("Decoded and encoded on NVIDIA L4 (NVDEC");
  expect(markup.match(/Decoded and encoded/g)?.length).toBe(1);
  expect(markup).toContain("fenced in by limits, Landlock 7, seccomp");
  expect(markup).toContain("FFmpeg command</summary>");
  expect(markup).toContain("-hwaccel cuda -hwaccel_output_format cuda -i &#39;input 1&#39;");
  // The reason stands above the steps already.
  expect(markup.match(/frames never leave the card/g)?.length).toBe(1);
});

test("a job of before proofs were kept shows device and encoder", () => {
  const steps = onGpu.job.steps.map(({ proof: _, ...step }) => step);
  expect(panel(changed(onGpu, { steps })).toString()).toContain("GPU 0 · <code>h264_nvenc</code>");
});

test("a fall back to the CPU is told calmly, with its sentence once", () => {
  const markup = panel(fallen).toString();
  expect(markup).toContain("It ran on the CPU instead of a GPU");
  expect(markup).toContain('<section class="callout" ');
  expect(markup.match(/Its encoder stopped in the middle/g)?.length).toBe(1);
  expect(jobRow(fallen).toString()).toContain("on the CPU instead of a GPU");
  const running = changed(fallen, { state: "running", finishedAt: null });
  expect(panel(running).toString()).toContain("It runs on the CPU instead of a GPU");
});

test("a job whose GPU failed and that another GPU did has not fallen back", () => {
  const attempts = fallen.job.attempts.map((each) => ({ ...each, device: "gpu:0" }));
  const markup = panel(changed(fallen, { device: "gpu:1", attempts })).toString();
  expect(markup).not.toContain("instead of a GPU");
});

test("an attempt says what of earlier ones it could use", () => {
  const note = "4 of 5 steps were already done.";
  const notes = [note];
  const attempts = onGpu.job.attempts.map((attempt) => ({ ...attempt, notes }));
  expect(panel(changed(onGpu, { attempts })).toString()).toContain(note);
});

test("what a report comes to stands by itself: a fault is no proof", () => {
  const told = "1 thing is wrong with it: black.";
  const [first] = onGpu.job.steps;
  if (first === undefined) throw new Error("the sample has a step");
  const checks = ["Read report.json: 50 lines of text", told, "Read report.md: 9 lines of text"];
  const steps = [{ ...first, name: "report", proof: null, checks }];
  const markup = panel(changed(onGpu, { steps })).toString();
  expect(markup.match(/1 thing is wrong with it/g)?.length).toBe(1);
  const [before = "", proofs = ""] = markup.split('<ul class="proofs"');
  expect(before).toContain(told);
  expect(before).not.toContain("Read report");
  expect(proofs).toContain("Read report.json");
  expect(panel(onGpu).toString()).not.toContain("job-report");
});

test("the parts of a long encode are one row that counts them", () => {
  const [like] = onGpu.job.steps;
  if (like === undefined) throw new Error("the sample has a step");
  const states = ["done", "done", "running", "pending"] as const;
  const parts = states.map((state, index) => ({
    ...{ ...like, state, name: `transcode-part-${index + 1}`, proof: null },
    title: `Encode H.264 at 720p: part ${index + 1} of 4`,
    device: state === "pending" ? null : `gpu:${index % 2}`,
  }));
  const steps = [{ ...like, name: "transcode-seams" }, ...parts, { ...like, name: "transcode" }];
  const markup = panel(changed(onGpu, { steps })).toString();
  expect(markup).toContain("Encode H.264 at 720p in 4 parts");
  expect(markup).toContain("2 done, 1 running, 1 to do · ");
  expect(markup.match(/id="step-/g)).toHaveLength(3);
  expect(markup.match(/title="Part \d: /g)).toHaveLength(4);
  expect(markup).toContain(`class="running" id="step-transcode-part-1"`);
});

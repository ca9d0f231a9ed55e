import { describe, expect, test } from "bun:test";
import type { FailureCode } from "../trouble.ts";
import { explainRun } from "./explain.ts";

const limits = { stallSeconds: 60, wallLimitSeconds: 3600 };
const names = [{ path: "/data/job/encode/", name: "" }];

function reportOf(stderr: string) {
  return explainRun({ kind: "exited", code: 1, stderr, progress: null }, names, limits).report;
}

/** Lines as ffmpeg 5.1, 7.1 and 9.0 print them. */
const lines: [FailureCode, boolean, string][] = [
  ["disk_full", true, "av_interleaved_write_frame(): No space left on device"],
  ["disk_full", true, "[out#0/mp4 @ 0x1] Error writing trailer: File too large"],
  ["memory_limit", true, "Error while decoding stream #0:0: Cannot allocate memory"],
  ["worker_lost", true, "Exiting normally, received signal 15."],
  ["media_unsupported", false, "Unknown encoder 'libx265'"],
  ["media_unsupported", false, "[AVFilterGraph @ 0x1] No such filter: 'zscale'"],
  ["media_unsupported", false, "[vvc @ 0x1] Codec (vvc) not on whitelist 'h264,hevc'"],
  [
    "media_unsupported",
    false,
    "Picture size 20000x20000 exceeds specified max pixel count 67108864",
  ],
  ["media_undecodable", false, "file:/x: Invalid data found when processing input"],
  ["media_undecodable", false, "[mov,mp4 @ 0x1] moov atom not found"],
  ["media_undecodable", false, "Error while decoding stream #0:0: Invalid data found"],
  [
    "media_undecodable",
    false,
    "[vist#0:0/h264 @ 0x1] Error submitting packet to decoder: Invalid data found when processing input",
  ],
  ["encoder_failed", false, "Error initializing output stream 0:0 -- Error while opening encoder"],
  ["internal", true, "file:/x: Input/output error"],
  ["encoder_failed", true, "something that nobody has seen before"],
];

describe("what ffmpeg's words mean", () => {
  test.each(lines)("%s, retryable %p: %s", (code, retryable, line) => {
    const report = reportOf(`[h264 @ 0x5] some warning before\n${line}\nConversion failed!\n`);
    expect([report.code, report.retryable]).toEqual([code, retryable]);
    expect(report.message).toEndWith(".");
    expect(report.hint).not.toBe("");
  });

  test("a full disk is blamed before the media that it cut off", () => {
    const stderr = "Invalid data found when processing input\nNo space left on device\n";
    expect(reportOf(stderr).code).toBe("disk_full");
  });

  test("the log names files plainly", () => {
    const { log } = reportOf("/data/job/encode/output.mp4: No space left on device");
    expect(log).toBe("output.mp4: No space left on device");
  });
});

describe("how a run ended", () => {
  test.each([
    ["SIGKILL", "memory_limit"],
    ["SIGTERM", "worker_lost"],
    ["SIGSEGV", "encoder_failed"],
  ] as const)("%s from outside means %s", (signal, code) => {
    const { report } = explainRun({ kind: "signalled", signal, stderr: "" }, [], limits);
    expect(report.code).toBe(code);
    expect(report.retryable).toBeTrue();
  });

  test("a stall and a time limit say how long it was", () => {
    const stalled = explainRun({ kind: "stalled", stderr: "" }, [], limits).report;
    expect(stalled).toMatchObject({ code: "stalled", retryable: true });
    expect(stalled.message).toContain("60 s");
    const late = explainRun({ kind: "time_limit", stderr: "" }, [], limits).report;
    expect(late).toMatchObject({ code: "time_limit", retryable: false });
    expect(late.message).toContain("3600 s");
  });

  test("a run that never began asks for the doctor", () => {
    const { report } = explainRun({ kind: "not_started", reason: "error 2" }, [], limits);
    expect(report).toMatchObject({ code: "tool_missing", log: "error 2" });
  });
});

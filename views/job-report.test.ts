import { expect, test } from "bun:test";
import { entries, media } from "../tests/preview-samples.ts";
import { jobReport, type ReportedJob } from "./job-report.ts";

const versions = { kinomill: "1.2.3", commit: "abc", ffmpeg: "7.1", devices: ["CPU, 16 cores"] };

function reportOf(change: Partial<ReportedJob["job"]> = {}): string {
  const failed = entries.find(({ job }) => job.state === "failed");
  if (failed === undefined) throw new Error("there is a sample that failed");
  return jobReport({
    names: ["Geheim.mov"],
    ...{ job: { ...failed.job, ...change }, inputs: [media({ container: "mov" }), null], versions },
    history: [
      {
        ...{ at: "2026-01-01T00:00:00.000Z", what: "submit", state: "queued" },
        ...{ who: "ann (token ci)", sentence: "“Transcode: match.mov” has to be done before it." },
      },
    ],
  });
}

test("a report has what somebody needs who helps", () => {
  const report = reportOf();
  for (const has of [
    ...["version 1.2.3 (abc)", "ffmpeg 7.1", "CPU, 16 cores", "transcode, failed"],
    ...["1: mov, 61.44 s; h264 1920×1080 30000/1001 yuv420p; aac 2ch 48000 Hz", "2: not media"],
    ...["video.quality = 60", "encode: pending", "submit → queued (a person)"],
    ...["media_undecodable", "The file is damaged", "error while decoding MB 44 31"],
  ]) {
    expect(report).toContain(has);
  }
});

test("a report tells nobody's name, no name of a file, no path and no text that was typed", () => {
  const report = reportOf({
    title: "Transcode: Annas Hochzeit.mov",
    labels: { customer: "Müller GmbH" },
    params: { text: { content: "the password is hunter2 " }, url: "https://user:pw@example.com/" },
    error: {
      ...{
        code: "internal",
        retryable: true,
        hint: "",
        message: "Annas Hochzeit.mov and Geheim.mov are broken",
      },
      log: "/srv/kinomill/data/jobs/x/in.mov: Müller GmbH\n[in#0 @ 0x1] Error opening '/var/lib/a b/c.mov'",
    },
  });
  const secrets = [
    "Hochzeit",
    "Müller",
    "hunter2",
    "pw@",
    "/srv/",
    "/var/lib",
    "ann (",
    "match.mov",
  ];
  for (const secret of [...secrets, "Geheim"]) expect(report).not.toContain(secret);
  expect(report).toContain("text.content = a text of 24 characters");
  expect(report).toContain("… and … are broken");
});

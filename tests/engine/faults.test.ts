/**
 * Each fault of `fault-cases.ts` happens to the ffmpeg of this machine, on an emulated GPU and behind the
 * fence: the exit code, what it says, and what Kinomill makes of it. docs/devices.md is made of the same cases.
 */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { devicesPage, documentedFault, pagePath } from "../../script/devices-doc.ts";
import { type RunOutcome, runFfmpeg } from "../../src/media/ffmpeg.ts";
import { type FaultContext, gpuFaultOf } from "../../src/media/gpu-fault.ts";
import { eventually } from "../appliance.ts";
import { enterBox, type GpuBox, gpuBox } from "../gpu-box.ts";
import { toolchain } from "../support/toolchain.ts";
import { writeEngineClips } from "./clips.ts";
import { type Ending, type FaultCase, type Major, releases } from "./fault-case.ts";
import { faultGroups } from "./fault-cases.ts";

setDefaultTimeout(240_000);

const major = releases.find(({ major }) => major === toolchain.release.major)?.major ?? null;

const clips = mkdtempSync(join(tmpdir(), "fault-clips-"));
afterAll(() => rmSync(clips, { recursive: true }));
writeEngineClips(clips);

/** More than any of these runs needs, far less than the limit of a test. */
const PATIENCE_SECONDS = 60;

/** Runs it as a job is run, in a folder of its own with all clips in it. */
async function run(each: FaultCase, box: GpuBox): Promise<RunOutcome> {
  const cwd = mkdtempSync(join(tmpdir(), "fault-"));
  for (const name of readdirSync(clips)) copyFileSync(join(clips, name), join(cwd, name));
  try {
    const running = runFfmpeg({
      ...{ tool: toolchain.ffmpegPath, argv: each.argv, cwd },
      ...{ readPaths: [cwd], writePaths: [cwd], gpuUuid: box.uuid(0) },
      wallLimitSeconds: each.wallLimitSeconds ?? PATIENCE_SECONDS,
      stallSeconds: each.stallSeconds ?? PATIENCE_SECONDS,
      ...{ fileBytes: each.fileBytes ?? null, niceness: 0, expectedSeconds: null },
    });
    if (each.sent !== undefined) process.kill(await encoding(box), each.sent);
    return await running;
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

/** The process that encodes on the box. */
async function encoding(box: GpuBox): Promise<number> {
  return await eventually("the encoder is open", 20_000, async () => {
    return box.logEvents().find(({ ev }) => ev === "init")?.pid;
  });
}

function endingOf(outcome: RunOutcome, each: FaultCase): Ending {
  switch (outcome.kind) {
    case "exited":
      return outcome.code === 0 && wanted(each) === "well" ? "well" : outcome.code;
    case "signalled":
      return outcome.signal as Ending;
    case "stalled":
    case "time_limit":
      return outcome.kind;
    default:
      throw new Error(`ffmpeg was not run: ${JSON.stringify(outcome)}`);
  }
}

/** Null for a release of FFmpeg whose exit codes are not written down. */
function wanted({ ends }: FaultCase): Ending | null {
  return major === null ? null : ends[major as Major];
}

/** What differs from one ffmpeg to the next in the words about it. */
function withoutVersions(sentence: string | null | undefined): string {
  return (sentence ?? "")
    .replace(/ffmpeg \d\S*,/, "ffmpeg V,")
    .replaceAll(/\b\d+\.\d+(\.\d+)?\b/g, "N");
}

async function check(each: FaultCase): Promise<void> {
  using box = gpuBox(each.box);
  using _inside = await enterBox(box);
  const outcome = await run(each, box);
  if (outcome.kind === "aborted") throw new Error("nobody aborts it");
  const stderr = "stderr" in outcome ? outcome.stderr : "";
  const ending = wanted(each);
  if (ending !== null) {
    expect({ ending: endingOf(outcome, each), stderr }).toEqual({ ending, stderr });
  }
  const context: FaultContext = {
    placement: each.placement,
    device: { id: "gpu:0", kind: "gpu", title: each.title ?? "NVIDIA L4", slots: 1 },
    toolchain,
    memoryFreeBytes: each.memoryFreeBytes ?? null,
  };
  const fault = gpuFaultOf(outcome, context);
  if (ending === "well") {
    expect(fault).toBeNull();
    return;
  }
  for (const text of each.says) expect(stderr).toContain(text);
  if (each.fault === null) {
    expect(fault).toBeNull();
    return;
  }
  expect({ ...fault, stderr }).toMatchObject({ ...each.fault, stderr });
  // What the page promises is what a job says.
  const promised = documentedFault(each);
  expect(withoutVersions(fault?.sentence)).toBe(withoutVersions(promised?.sentence));
  expect(withoutVersions(fault?.remedy)).toBe(withoutVersions(promised?.remedy));
}

for (const { title, cases } of faultGroups) {
  describe(title, () => {
    for (const each of cases) test(each.what, () => check(each));
  });
}

test("docs/devices.md is made of these cases: bun script/devices-doc.ts writes it", () => {
  expect(readFileSync(pagePath, "utf8")).toBe(devicesPage());
});

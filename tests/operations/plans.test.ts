/**
 * The plan of every operation as it is carried out: the argv of each step on the CPU, on a GPU, and on a GPU
 * without an encoder, by the ffmpegs of Debian 12 and of sid. A snapshot of the CPU on 5.1 is whole; the others
 * show what is different.
 */
import { describe, expect, test } from "bun:test";
import { descriptionOf, type StepWork } from "../../src/media/description.ts";
import type { Device, Toolchain } from "../../src/media/devices.ts";
import { gpuSkills } from "../../src/media/gpu-skill.ts";
import { renderArgv } from "../../src/media/render.ts";
import { safeInputFlags } from "../../src/media/safety.ts";
import { findOperation, operations, parseParams, planFor } from "../../src/operations/index.ts";
import type { Plan } from "../../src/operations/operation.ts";
import { Failure, Refusal } from "../../src/trouble.ts";
import { type PlanCase, planCases, variants } from "./plan-cases.ts";

/** All that there is, but for what came later. */
function namesOf(missing: readonly string[]): ReadonlySet<string> {
  const all = { has: (name: string) => !missing.includes(name), values: () => [].values() };
  return all as unknown as ReadonlySet<string>;
}

function toolchainOf(major: number, minor: number): Toolchain {
  const old = major < 6;
  return {
    ...{ ffmpegPath: "/usr/bin/ffmpeg", ffprobePath: "/usr/bin/ffprobe" },
    ...{ version: `${major}.${minor}`, release: { major, minor } },
    encoders: namesOf(old ? ["av1_nvenc"] : []),
    ...{ decoders: namesOf([]), filters: namesOf([]), hwaccels: new Set(["cuda"]) },
  };
}

const debian12 = toolchainOf(5, 1);
const sid = toolchainOf(9, 0);

function gpu(title: string, computeCapability: string, encodes: boolean): Device {
  const skills = gpuSkills.filter(({ work, codec, bitDepth }) =>
    work === "decode" ? true : encodes && !(codec === "h264" && bitDepth === 10),
  );
  const traits = { uuid: "GPU-1", computeCapability, memoryTotalBytes: null, skills };
  return { id: "gpu:0", kind: "gpu", title, slots: 1, traits };
}

const cpu: Device = { id: "cpu", kind: "cpu", title: "CPU", slots: 1 };
const l4 = gpu("NVIDIA L4", "8.9", true);
const h200 = gpu("NVIDIA H200", "9.0", false);

/** Texts are tested where they are made. */
const textCharsShown = 300;

/** What a step does besides its run of ffmpeg. */
function besides(work: StepWork): string[] {
  const shown = (value: unknown) =>
    JSON.stringify(value, (key, each) =>
      key === "description" || key === "kind" ? undefined : clipped(each),
    );
  return [`${work.kind} ${shown(work)}`];
}

function clipped(value: unknown): unknown {
  if (typeof value !== "string" || value.length <= textCharsShown) return value;
  return `${value.slice(0, textCharsShown)}… (${value.length} characters)`;
}

/** One option and its values to a line, one chain of a graph to a line. */
function readable(argv: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of argv) {
    const value = !/^-[a-z]/i.test(word);
    if (value && lines.length > 0)
      lines.push(`${lines.pop()} ${word.replaceAll(";", ";\n      ")}`);
    else lines.push(word);
  }
  return lines.flatMap((line) => line.split("\n"));
}

/** As runners put in what an earlier step measured: here somewhat quiet, with peaks that need a limiter. */
const measured = { integratedLufs: -27.4, truePeakDbtp: -3, rangeLu: 8 };

function withFigures<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(withFigures) as Value;
  if (typeof value !== "object" || value === null) return value;
  if ("filter" in value && value.filter === "normalise") {
    const { tried, ...rest } = value as Record<string, unknown>;
    return { ...rest, source: measured, ...(tried ? { tried: measured } : {}) } as Value;
  }
  const entries = Object.entries(value).map(([key, each]) => {
    // A number of an earlier step's JSON.
    if (key === "seekFrom") return ["seekSeconds", 4];
    return [key, withFigures(each)];
  });
  return Object.fromEntries(entries) as Value;
}

function stepLines(step: Plan["steps"][number], device: Device, toolchain: Toolchain): string[] {
  const description = descriptionOf(step.work);
  const head = [
    `## ${step.name}: ${step.title}`,
    ...(step.needs.length > 0 ? [`needs ${step.needs.join(", ")}`] : []),
    ...besides(step.work),
  ];
  if (description === null) return head;
  const files = {
    resolve: (ref: object) =>
      "asset" in ref ? `/data/as_${ref.asset}` : `/jobs/${Object.values(ref).join("/")}`,
    outputFolder: "/jobs/out",
  };
  try {
    const target = { device, toolchain };
    const { argv, deviceReason } = renderArgv(withFigures(description), target, files);
    const safe = argv.join("\0").replaceAll(safeInputFlags().join("\0"), "-SAFE");
    return [...head, `on: ${deviceReason}`, ...readable(safe.split("\0"))];
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause;
    return [...head, `cannot: ${cause.message}`];
  }
}

function planLines(name: string, each: PlanCase, device: Device, toolchain: Toolchain): string[] {
  const operation = findOperation(name);
  const inputs = each.inputs.map((media, index) => ({ name: `file-${index + 1}.mov`, media }));
  try {
    const plan = planFor(operation, parseParams(operation, each.params), inputs, toolchain);
    const outputs = plan.steps.flatMap((step) => step.outputs);
    return [
      ...plan.steps.flatMap((step) => stepLines(step, device, toolchain)),
      ...outputs.map(({ name: file, role, mimeType }) => `makes ${role}: ${file} (${mimeType})`),
      ...plan.notes.map((note) => `note: ${note}`),
    ];
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    return [`refused: ${cause.message}`];
  }
}

/** The lines that go and those that come, under the step that they are in. */
function changes(before: readonly string[], after: readonly string[]): string[] {
  const left = [...before];
  const came = after.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return [...left.map((line) => `- ${line}`), ...came.map((line) => `+ ${line}`)];
}

describe.each(planCases())("%s", (name, each) => {
  test(each.title, () => {
    const shown = (device: Device, toolchain: Toolchain) =>
      planLines(name, each, device, toolchain);
    const onCpu = shown(cpu, debian12);
    const onL4 = shown(l4, debian12);
    const text = [
      ...onCpu,
      "",
      "# CPU, ffmpeg 9.0",
      ...changes(onCpu, shown(cpu, sid)),
      "",
      "# L4, ffmpeg 5.1",
      ...changes(onCpu, onL4),
      "",
      "# L4, ffmpeg 9.0",
      ...changes(onL4, shown(l4, sid)),
      "",
      "# H200 (no NVENC), ffmpeg 5.1",
      ...changes(onCpu, shown(h200, debian12)),
      "",
      "# H200 (no NVENC), ffmpeg 9.0",
      ...changes(shown(h200, debian12), shown(h200, sid)),
    ].join("\n");
    expect(text).toMatchSnapshot();
  });
});

test("variants are of operations that there are", () => {
  const known = operations.map((operation) => operation.name);
  expect(Object.keys(variants).filter((name) => !known.includes(name))).toEqual([]);
});

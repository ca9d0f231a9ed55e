/** `kinomill doctor`: looks at this box and says, for each finding, what to type. */
import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { sizeText } from "../../views/quantities.ts";
import type { Config } from "../config.ts";
import { abilitiesOf, cpuDevice, detectToolchain, type Toolchain } from "../media/devices.ts";
import { knownFenceLayers, whyNoUploads } from "../media/fence-layers.ts";
import { type GpuReport, mendable } from "../media/gpu.ts";
import { Gpus, type GpusOptions } from "../media/gpus.ts";
import { Failure } from "../trouble.ts";
import { exitCodes } from "./exit.ts";
import type { CommonOptions } from "./program.ts";
import { configOf } from "./settings.ts";

/** `bad` keeps Kinomill from working, `poor` takes something away, `good` is said too. */
export interface Finding {
  part: string;
  verdict: "good" | "poor" | "bad";
  sentence: string;
}

export async function doctor(options: CommonOptions & { json?: boolean }): Promise<number> {
  const config = await configOf(options);
  const toolchain = await detect(config);
  const findings = [
    ...ffmpegFindings(toolchain),
    deviceFinding(config),
    ...(toolchain instanceof Failure ? [] : await gpuFindings(toolchain)),
    sandboxFinding(config),
    ...dataFindings(config),
  ];
  if (options.json) console.log(JSON.stringify(findings, null, 2));
  else for (const finding of findings) console.log(findingLine(finding));
  return findings.some(({ verdict }) => verdict === "bad") ? exitCodes.failed : exitCodes.done;
}

function findingLine({ part, verdict, sentence }: Finding): string {
  const mark = { good: "ok  ", poor: "poor", bad: "BAD " }[verdict];
  return `${mark}  ${part.padEnd(10)}${sentence}`;
}

function detect({ ffmpeg }: Config): Promise<Toolchain | Failure> {
  const paths = { ffmpegPath: ffmpeg.path, ffprobePath: ffmpeg.ffprobePath };
  return detectToolchain(paths).catch((cause: unknown) => {
    if (cause instanceof Failure) return cause;
    throw cause;
  });
}

function ffmpegFindings(toolchain: Toolchain | Failure): Finding[] {
  const part = "ffmpeg";
  if (toolchain instanceof Failure) {
    const sentence = `${toolchain.message} ${toolchain.report.hint}`.trim();
    return [{ part, verdict: "bad", sentence }];
  }
  const missing = abilitiesOf(toolchain).flatMap(({ remedy }) => (remedy === null ? [] : [remedy]));
  const all = missing.length === 0 ? ", with every codec that Kinomill uses" : "";
  return [
    { part, verdict: "good", sentence: `ffmpeg ${toolchain.version}${all}.` },
    ...missing.map((sentence): Finding => ({ part, verdict: "poor", sentence })),
  ];
}

/** The GPUs, tried with this ffmpeg. Never `bad`: without them Kinomill works on the CPU. */
export async function gpuFindings(
  toolchain: Toolchain,
  options: GpusOptions = {},
): Promise<Finding[]> {
  const gpus = new Gpus(options);
  await gpus.open(toolchain);
  const { kind, sentence, remedy, gpus: reports } = gpus.state();
  if (kind === "none") return [{ part: "gpus", verdict: "good", sentence }];
  if (sentence !== "") {
    return [{ part: "gpus", verdict: "poor", sentence: `${sentence} ${remedy ?? ""}`.trim() }];
  }
  return reports.flatMap(gpuReportFindings);
}

/** A line for the GPU and one for each thing that somebody could mend on it. */
function gpuReportFindings(report: GpuReport): Finding[] {
  const { id: part, title, memoryTotalBytes, driver, sentence } = report;
  const facts = [
    title,
    ...(memoryTotalBytes === null ? [] : [sizeText(memoryTotalBytes)]),
    ...(driver === null ? [] : [`driver ${driver}`]),
  ].join(", ");
  const causes = mendable(report);
  // The sentence says it already when the whole GPU lacks it: then the remedy alone is added.
  const told = causes.find(({ reason }) => sentence.includes(reason));
  const others = causes.filter((cause) => cause !== told);
  const whole = told === undefined ? "" : ` ${told.remedy}`;
  const verdict = told === undefined ? "good" : "poor";
  return [
    { part, verdict, sentence: `${facts}: ${sentence}${whole}` },
    ...others.map(({ titles, reason, remedy }): Finding => {
      return { part, verdict: "poor", sentence: `${titles.join(", ")}: ${reason} ${remedy}` };
    }),
  ];
}

function deviceFinding(config: Config): Finding {
  const { title, slots } = cpuDevice(config.jobs.cpuSlots);
  const jobs = slots === 1 ? "one job" : `${slots} jobs`;
  return {
    part: "devices",
    verdict: "good",
    sentence: `${title}: ${jobs} at a time (jobs.cpuSlots).`,
  };
}

function sandboxFinding({ uploads }: Config): Finding {
  const known = knownFenceLayers();
  const { landlock, seccomp, reason } = known;
  const refused = whyNoUploads(known, uploads.allowWithoutSandbox);
  const taken = landlock === null ? "Uploads are taken: uploads.allowWithoutSandbox says so." : "";
  const layers = [landlock === null ? null : `Landlock ${landlock}`, seccomp ? "seccomp" : null]
    .filter((layer) => layer !== null)
    .join(" and ");
  return reason === ""
    ? { part: "sandbox", verdict: "good", sentence: `ffmpeg runs fenced in by ${layers}.` }
    : { part: "sandbox", verdict: "poor", sentence: `${reason} ${refused ?? taken}`.trim() };
}

function dataFindings(config: Config): Finding[] {
  const part = "data";
  const folder = config.data;
  // A folder that is not there yet is made by the server: what counts is where it would be made.
  const standing = nearestFolder(folder);
  try {
    accessSync(standing, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    const sentence = `This user may not write to ${folder}. Give that right, or choose another folder with --data.`;
    return [{ part, verdict: "bad", sentence }];
  }
  const { bavail, bsize } = statfsSync(standing);
  const freeBytes = bavail * bsize;
  const free = `${sizeText(freeBytes)} are free in ${folder}`;
  if (freeBytes > config.storage.reserveBytes) {
    return [{ part, verdict: "good", sentence: `${free}.` }];
  }
  const sentence = `Only ${free}, which is below storage.reserveBytes: uploads are refused. Free some space.`;
  return [{ part, verdict: "bad", sentence }];
}

function nearestFolder(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path));
}

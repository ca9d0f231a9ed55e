/** `kinomill doctor`: looks at this box and says, for each finding, what to type. */
import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { sizeText } from "../../views/quantities.ts";
import type { Config } from "../config.ts";
import { abilitiesOf, cpuDevice, detectToolchain } from "../media/devices.ts";
import { Failure } from "../trouble.ts";
import { exitCodes } from "./exit.ts";
import type { CommonOptions } from "./program.ts";
import { cpuReason, sandboxLayers } from "./report.ts";
import { configOf } from "./settings.ts";

/** `bad` keeps Kinomill from working, `poor` takes something away, `good` is said too. */
export interface Finding {
  part: string;
  verdict: "good" | "poor" | "bad";
  sentence: string;
}

export async function doctor(options: CommonOptions & { json?: boolean }): Promise<number> {
  const config = await configOf(options);
  const findings = [
    ...(await ffmpegFindings(config)),
    deviceFinding(config),
    sandboxFinding(),
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

async function ffmpegFindings(config: Config): Promise<Finding[]> {
  const part = "ffmpeg";
  try {
    const toolchain = await detectToolchain({
      ffmpegPath: config.ffmpeg.path,
      ffprobePath: config.ffmpeg.ffprobePath,
    });
    const missing = abilitiesOf(toolchain).flatMap(({ remedy }) =>
      remedy === null ? [] : [remedy],
    );
    const all = missing.length === 0 ? ", with every codec that Kinomill uses" : "";
    return [
      { part, verdict: "good", sentence: `ffmpeg ${toolchain.version}${all}.` },
      ...missing.map((sentence): Finding => ({ part, verdict: "poor", sentence })),
    ];
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause;
    return [{ part, verdict: "bad", sentence: `${cause.message} ${cause.report.hint}`.trim() }];
  }
}

function deviceFinding(config: Config): Finding {
  const { title, slots } = cpuDevice(config.jobs.cpuSlots);
  const jobs = slots === 1 ? "one job" : `${slots} jobs`;
  return {
    part: "devices",
    verdict: "good",
    sentence: `${title}: ${jobs} at a time (jobs.cpuSlots). ${cpuReason}`,
  };
}

function sandboxFinding(): Finding {
  const { landlock, seccomp, reason } = sandboxLayers();
  const layers = [landlock === null ? null : `Landlock ${landlock}`, seccomp ? "seccomp" : null]
    .filter((layer) => layer !== null)
    .join(" and ");
  return reason === ""
    ? { part: "sandbox", verdict: "good", sentence: `ffmpeg runs fenced in by ${layers}.` }
    : { part: "sandbox", verdict: "poor", sentence: reason };
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

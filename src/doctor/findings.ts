/** The one list of what the doctor looks at. A further part of the box is a file beside this one and a line here. */
import { within } from "../clock.ts";
import { backupFindings } from "./backups.ts";
import { cacheFindings } from "./cache.ts";
import { clockFindings } from "./clock.ts";
import { containerFindings } from "./container.ts";
import { dataFindings } from "./data-folder.ts";
import { deviceNodeFindings } from "./device-nodes.ts";
import { cpuFindings, gpuFindings } from "./devices.ts";
import { diskSpeedFindings } from "./disk-speed.ts";
import type { Box, Finding, FindingLevel, Look } from "./finding.ts";
import { memoryFindings } from "./memory.ts";
import { portFindings } from "./port.ts";
import { sandboxFindings } from "./sandbox.ts";
import { secretFindings } from "./secrets.ts";
import { storageFindings } from "./storage.ts";
import { tlsFindings } from "./tls.ts";
import { toolFindings } from "./tools.ts";

interface Part {
  part: string;
  look: Look;
}

/** Each with the word that its findings begin with, in the order in which they are told. */
const looks: readonly Part[] = [
  { part: "ffmpeg", look: toolFindings },
  { part: "devices", look: cpuFindings },
  { part: "gpus", look: ({ gpus }) => gpuFindings(gpus) },
  { part: "nodes", look: () => deviceNodeFindings() },
  { part: "container", look: containerFindings },
  { part: "sandbox", look: sandboxFindings },
  { part: "memory", look: memoryFindings },
  { part: "data", look: dataFindings },
  { part: "data", look: diskSpeedFindings },
  { part: "storage", look: storageFindings },
  { part: "cache", look: cacheFindings },
  { part: "backups", look: backupFindings },
  { part: "secrets", look: secretFindings },
  { part: "tls", look: tlsFindings },
  { part: "port", look: portFindings },
  { part: "clock", look: clockFindings },
];

/** A file system whose server is gone never answers; the others answer within milliseconds. */
const LOOK_LIMIT_MS = 5_000;

/** Looks at everything; takes at most `LOOK_LIMIT_MS`. Never rejects. */
export async function findingsOf(
  box: Box,
  limitMs = LOOK_LIMIT_MS,
  parts = looks,
): Promise<Finding[]> {
  const found = await Promise.all(parts.map((each) => lookAt(each, box, limitMs)));
  return found.flat();
}

async function lookAt(
  { part, look }: Part,
  box: Box,
  limitMs: number,
): Promise<readonly Finding[]> {
  try {
    return (await within(limitMs, Promise.resolve(look(box)))) ?? [noAnswer(part)];
  } catch (cause) {
    return [brokenLook(part, cause)];
  }
}

function noAnswer(part: string): Finding {
  return {
    id: `${part}.silent`,
    level: "warning",
    title: "No answer",
    meaning: `The look at ${part} did not end in time: a disk or a driver hangs.`,
    remedy: "See what the kernel says: sudo dmesg | tail -50",
  };
}

function brokenLook(part: string, cause: unknown): Finding {
  const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
  return {
    id: `${part}.unknown`,
    level: "warning",
    title: "Not found out",
    meaning: `The state of ${part} could not be found out (${reason}).`,
    remedy: null,
  };
}

/** The level of all of them together. */
export function worstOf(findings: readonly Finding[]): FindingLevel {
  const has = (level: FindingLevel) => findings.some((finding) => finding.level === level);
  if (has("fault")) return "fault";
  return has("warning") ? "warning" : "ok";
}

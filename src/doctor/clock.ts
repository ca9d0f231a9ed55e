/** The clock of the machine: sessions, tokens, signed addresses and S3 are refused where it is wrong. */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { isoTime } from "../clock.ts";
import type { Box, Finding } from "./finding.ts";

/** Nothing of this version was there before. */
const EARLIEST_MS = Date.UTC(2025, 0, 1);
/** Certificates and machines do not live that long. */
const LATEST_MS = Date.UTC(2100, 0, 1);
/** Signatures of S3 hold for a quarter of an hour; a restart writes the database anew. */
const AHEAD_MAX_MS = 300_000;

const remedy = "Set it by the network: sudo timedatectl set-ntp true — then look: timedatectl";

export async function clockFindings({ clock, config }: Box): Promise<Finding[]> {
  const newest = await stat(join(config.data, "kinomill.sqlite")).catch(() => null);
  return [clockFinding(clock.nowMs(), newest?.mtimeMs ?? null), ...timeServerFindings(TIME_FOLDER)];
}

/** Where systemd's time service says that it has found the time; there is none in containers, or with another service. */
const TIME_FOLDER = "/run/systemd/timesync";

/** Whether a time server keeps the clock right, where systemd sees to that; nothing where something else does. */
export function timeServerFindings(folder: string): Finding[] {
  if (!existsSync(folder)) return [];
  const common = { id: "clock.server", title: "Time server" };
  if (existsSync(join(folder, "synchronized"))) {
    const meaning = "A time server keeps the clock right.";
    return [{ ...common, level: "ok", meaning, remedy: null }];
  }
  const meaning =
    "No time server has answered since the machine started: the clock drifts, and S3 refuses what is a quarter of an hour off.";
  return [{ ...common, level: "warning", meaning, remedy }];
}

/**
 * Pure.
 * @param writtenMs when the database was last written; null where there is none
 */
export function clockFinding(nowMs: number, writtenMs: number | null): Finding {
  const common = { id: "clock", title: "Clock" };
  const now = isoTime(nowMs).replace(/\.\d+Z$/, "Z");
  if (nowMs < EARLIEST_MS || nowMs > LATEST_MS) {
    const meaning = `The clock says ${now}, which cannot be: logins, links and S3 will fail.`;
    return { ...common, level: "fault", meaning, remedy };
  }
  if (writtenMs !== null && writtenMs > nowMs + AHEAD_MAX_MS) {
    const written = isoTime(writtenMs).replace(/\.\d+Z$/, "Z");
    const meaning = `The clock says ${now}, but the database was written at ${written}: the clock was set back, and what waits for a time waits longer.`;
    return { ...common, level: "warning", meaning, remedy };
  }
  return { ...common, level: "ok", meaning: `The clock says ${now}.`, remedy: null };
}

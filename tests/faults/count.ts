/** What a fault test counted, kept for docs/faults.md when somebody asks for it. */
import { appendFileSync } from "node:fs";
import { everything } from "../support/long-form.ts";
import { faults } from "./catalogue.ts";

/** Figures of one run of a fault: how often it was injected, and what was found afterwards. */
export interface FaultCounts {
  /** Times that the fault was made to happen. */
  rounds: number;
  /** Files and jobs that were acknowledged before or while it happened. */
  acknowledged: number;
  lost: number;
  doubled: number;
  /** Outputs that were published and are not what they should be. */
  falsified: number;
  /** Seconds until work went on, at most; null where that is not what it is about. */
  recoverySeconds?: number | null;
  /** What the control found, in a few words. */
  control: string;
}

/** How often a fault is made to happen: a few times always, many times in the full tests. */
export function roundsOf(short: number, long: number): number {
  return everything ? long : short;
}

/** Notes the counts of a fault of the catalogue. */
export function note(id: string, counts: FaultCounts): void {
  if (!faults.some((fault) => fault.id === id)) throw new Error(`${id} is not in the catalogue`);
  const file = process.env["FAULTS_REPORT"];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ id, ...counts })}\n`);
}

/** From what steps found to what is published: one pure function for each kind. A new one is a line here. */
import { reportCheck } from "./reports/check/report.ts";
import type { ReportKind } from "./reports/kinds.ts";
import { reportMeasure } from "./reports/measure.ts";

export interface Report {
  /** For programs: JSON. */
  data: unknown;
  /** For people: Markdown. */
  text: string;
  /** What it comes to, shown on the job. */
  sentences: string[];
}

/** What the plan said, and what earlier steps found in the order in which the plan named them: as they were written. */
export const reports: Record<ReportKind, (about: unknown, found: unknown[]) => Report> = {
  check: reportCheck,
  measure: reportMeasure,
};

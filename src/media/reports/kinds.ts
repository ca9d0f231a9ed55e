/** The reports that a step can make of what earlier steps found. A new one is a word here and a line in `reports.ts`. */
export const reportKinds = ["check", "measure"] as const;
export type ReportKind = (typeof reportKinds)[number];

/** The step that publishes a report, as JSON for programs and as Markdown for people. */
import type { Expectation } from "../media/expectation.ts";
import type { ReportKind } from "../media/reports/kinds.ts";
import { outputName } from "./naming.ts";
import type { Step } from "./operation.ts";

export interface ReportWish {
  report: ReportKind;
  title: string;
  /** Files of earlier steps, in the order in which the report reads them. */
  of: { step: string; file: string }[];
  about: unknown;
  /** Name of the input after which it is called. */
  inputName: string;
  /** Word for its name: "match check.json". */
  suffix: string;
}

export function reportStep({ report, title, of, about, inputName, suffix }: ReportWish): Step {
  const data = "report.json";
  const text = "report.md";
  return {
    ...{ name: "report", title, needs: of.map(({ step }) => step) },
    work: { kind: "report", report, of, about, data, text },
    outputs: [
      {
        file: data,
        name: outputName(inputName, suffix, "json"),
        role: "report",
        mimeType: "application/json",
        expectation: textExpectation(data),
      },
      {
        file: text,
        name: outputName(inputName, suffix, "md"),
        role: "report-text",
        mimeType: "text/markdown",
        expectation: textExpectation(text),
      },
    ],
  };
}

function textExpectation(file: string): Expectation {
  return {
    ...{ file, kind: "text", durationSeconds: null, video: null },
    ...{ audioTracks: 0, audioCodecs: [] },
  };
}

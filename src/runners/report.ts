/** A step that makes a report of what earlier steps found: as JSON for programs, and as text for people. */
import { join } from "node:path";
import type { StepWork } from "../media/description.ts";
import { reports } from "../media/reports.ts";
import { assert, Failure } from "../trouble.ts";
import type { CarriedOut } from "./described-run.ts";
import { pathOf, plainName, writeDurably } from "./job-files.ts";
import type { AttemptRequest } from "./runner.ts";

/** @throws Failure `input_missing` when what was found is gone */
export async function report(
  request: AttemptRequest,
  work: Extract<StepWork, { kind: "report" }>,
  folder: string,
): Promise<CarriedOut> {
  const { data, text } = work;
  assert(plainName.test(data) && plainName.test(text), "the files of a report have plain names");
  const found = await Promise.all(
    work.of.map(async (from) => {
      const file = Bun.file(pathOf(request, from));
      if (await file.exists()) return await file.json();
      throw new Failure("input_missing", "What was found out is not there any more.", {
        hint: "Start the job anew.",
      });
    }),
  );
  const made = reports[work.report](work.about, found);
  await writeDurably(join(folder, data), `${JSON.stringify(made.data, null, 1)}\n`);
  await writeDurably(join(folder, text), made.text);
  const deviceReason = "Written by Kinomill itself; no encoder is needed";
  return { encoder: null, deviceReason, proof: null, placement: null, checks: made.sentences };
}

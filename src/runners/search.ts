/** A step that tries settings until the output fits. */
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { StepWork } from "../media/description.ts";
import type { Toolchain } from "../media/devices.ts";
import { assert, Failure } from "../trouble.ts";
import { type CarriedOut, type LocalConfig, runDescription } from "./described-run.ts";
import { plainName } from "./job-files.ts";
import type { AttemptRequest } from "./runner.ts";

/** @throws Failure as a run does, and `output_rejected` when no candidate fits */
export async function search(
  local: { toolchain: Toolchain; config: LocalConfig },
  request: AttemptRequest,
  work: Extract<StepWork, { kind: "search" }>,
  folder: string,
): Promise<CarriedOut | null> {
  const { candidates, file, maxBytes, orLast } = work;
  assert(plainName.test(file), `file name ${file} is plain`);
  assert(candidates.length > 0, "a search has candidates");
  const tries: string[] = [];
  for (const [index, { title, description }] of candidates.entries()) {
    const share = (percent: number) => (index * 100 + percent) / candidates.length;
    const onProgress: AttemptRequest["onProgress"] = (progress) =>
      request.onProgress({ ...progress, percent: share(progress.percent ?? 0) });
    const done = await runDescription(local, { ...request, onProgress }, { description, folder });
    if (done === null) return null;
    const { size } = await stat(join(folder, file));
    const fits = size <= maxBytes;
    tries.push(`Try ${index + 1}: ${title}: ${bytesText(size)}${fits ? ", which fits" : ""}`);
    const { stderr: _, ...rest } = done;
    if (fits || (orLast && index === candidates.length - 1)) return { ...rest, checks: tries };
    await rm(join(folder, file));
  }
  throw new Failure(
    "output_rejected",
    `The smallest try is still larger than ${bytesText(maxBytes)}.`,
    {
      hint: "Allow more bytes, or ask for a shorter piece, a smaller picture or fewer frames per second.",
      log: tries.join("\n"),
    },
  );
}

function bytesText(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
}

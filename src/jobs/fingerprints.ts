/** By what a finished step is known again: its result stands as long as the same would be done again. */
import type { Plan } from "../operations/operation.ts";
import { canonicalJson } from "./canonical-json.ts";

/** What a result depends on besides the plan. */
export interface Ground {
  /** SHA-256 of the job's inputs by position. */
  inputs: readonly string[];
  /** The ffmpeg at hand, in its own words: pieces of two releases are not put together. */
  ffmpeg: string;
  /** How outputs are proven: what was looked at quickly is not known in full. */
  verify: "quick" | "full";
}

/** SHA-256 for each step of the plan: of its work, of those of its needs, and of the ground. */
export function fingerprintsOf(plan: Plan, ground: Ground): Map<string, string> {
  const { inputs, ffmpeg, verify } = ground;
  const prints = new Map<string, string>();
  // A plan names needs before the steps that have them.
  for (const step of plan.steps) {
    const { name, work, outputs, makes = [], needs, proves = [], provesOfGpu = [] } = step;
    const before = needs.map((need) => [need, prints.get(need)]);
    const declared = outputs.map(({ expectation }) => expectation);
    const expectations = [...declared, ...proves, ...provesOfGpu];
    const ran = work.kind === "write" ? null : { ffmpeg, inputs };
    const value = { work, expectations, makes, before, ran, verify };
    prints.set(name, new Bun.CryptoHasher("sha256").update(canonicalJson(value)).digest("hex"));
  }
  return prints;
}

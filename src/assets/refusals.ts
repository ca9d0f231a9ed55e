/** What is said when something cannot be done to an asset. */
import { Refusal } from "../trouble.ts";
import type { Removal } from "./records.ts";

/** @throws Refusal 404 `not_found`, 409 `in_use` unless it was marked */
export function refuseUnlessMarked(outcome: Removal): void {
  if (outcome === "marked") return;
  if (outcome === "missing") throw assetMissing();
  throw new Refusal(
    409,
    "in_use",
    "A job that has not finished reads this asset. Cancel the job or wait for it, then delete.",
  );
}

/** Also for another person's asset: that it exists is not told. */
export function assetMissing(): Refusal {
  return new Refusal(404, "not_found", "There is no such asset. It may have been deleted.");
}

/** How far outputs are proven before they are published. Pure. */
import type { Operation } from "./operation.ts";

/** As the setting `jobs.verify` has it. */
export type ProvingMode = "auto" | "quick" | "full";

/**
 * The rule: what can stand in the place of its source is decoded to its last frame, for somebody may delete the source
 * afterwards; of everything else the first, the middle and the last seconds are. An operation says of its parameters
 * which it is; the setting can ask for one of the two always.
 * @param params parsed by the operation's schema
 */
export function provingFor(
  operation: Pick<Operation, "replaces">,
  params: unknown,
  setting: ProvingMode,
): "quick" | "full" {
  if (setting !== "auto") return setting;
  return operation.replaces?.(params as never) === true ? "full" : "quick";
}

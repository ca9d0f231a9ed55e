/** Opens what is tried outside the queue: ten seconds of a file, and the sample of the first visit. */
import { join } from "node:path";
import type { Library } from "../assets/library.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { Sample } from "../jobs/sample.ts";
import { Trials } from "../jobs/trials.ts";
import { type Log, logOf } from "../log.ts";
import type { Toolbox } from "../media/toolbox.ts";
import type { PlanContext } from "../operations/operation.ts";
import type { Dispatch } from "../runners/dispatch.ts";
import type { Storage } from "../storage/storage.ts";

interface Base {
  config: Config;
  log: Log;
  clock: Clock;
  storage: Pick<Storage, "hold">;
  toolbox: Toolbox;
  dispatch: Dispatch;
}

/** What a server before this one left of them goes. */
export async function openTrials(
  base: Base,
  library: Library,
  planContext: () => PlanContext,
): Promise<[Trials, Sample]> {
  const log = logOf(base.log, "jobs");
  const lying = (name: string) => ({ ...base, folder: join(base.config.data, name), log });
  const trials = new Trials({ ...lying("trials"), library, planContext });
  const sample = new Sample({ ...lying("sample"), toolchain: () => base.toolbox.toolchain() });
  await Promise.all([trials.open(), sample.open()]);
  return [trials, sample];
}

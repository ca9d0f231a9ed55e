/** `kinomill serve`: runs until a signal ends it. */
import type { Config } from "../config.ts";
import { openLog } from "../log.ts";
import { product } from "../product.ts";
import { type Appliance, openAppliance } from "./appliance.ts";
import { exitCodes } from "./exit.ts";
import type { CommonOptions } from "./program.ts";
import { configOf } from "./settings.ts";

/** A second signal ends at once; so does a close that takes longer than this and the time to drain. */
const CLOSE_LIMIT_MS = 20_000;

export async function serve(options: CommonOptions & { listen?: string }): Promise<number> {
  const config = await configOf(options);
  const log = openLog(config.log.level, { terminal: process.stdout.isTTY === true });
  const appliance = await openAppliance(config, log);
  log.info({ url: appliance.url, version: product.version, commit: product.commit }, "listening");
  tellFirstVisitor(appliance, config);
  const signal = await nextSignal();
  log.info({ signal }, "stopping: running jobs go back into the queue");
  const limitMs = CLOSE_LIMIT_MS + config.jobs.drainSeconds * 1000;
  const limit = setTimeout(() => process.exit(exitCodes.failed), limitMs);
  process.once("SIGINT", () => process.exit(exitCodes.interrupted));
  await appliance.close();
  clearTimeout(limit);
  log.info("stopped");
  return exitCodes.done;
}

/**
 * The code goes out as plain words beside the log, for whoever started the server: the log itself
 * redacts anything named "code".
 */
function tellFirstVisitor(appliance: Appliance, config: Config): void {
  if (appliance.setupCode === null) return;
  const port = new URL(appliance.url).port;
  const host = config.listen.startsWith("0.0.0.0")
    ? "this-machine"
    : new URL(appliance.url).hostname;
  console.error(
    `Kinomill has no admin yet. Open http://${host}:${port}/ and enter the setup code: ${appliance.setupCode}`,
  );
}

function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => resolve(name));
  });
}

/** `kinomill storage migrate`: has a server bring its objects into the storage of its settings, and waits. */
import { sizeText } from "../../views/quantities.ts";
import type { MigrationReport } from "../assets/migration.ts";
import { exitCodes } from "./exit.ts";
import { openProgressLine } from "./progress-line.ts";
import { ask, type ServerOptions } from "./server-call.ts";

export interface MigrateOptions extends ServerOptions {
  to: "disk" | "s3";
  stop?: boolean;
  /** `--no-wait` makes it false. */
  wait: boolean;
  json?: boolean;
}

const PATH = "/system/storage/move";

/** How often the server is asked how far it is. */
const ASK_EVERY_MS = 500;

export async function migrateStorage(options: MigrateOptions): Promise<number> {
  const begun = await (options.stop
    ? ask<MigrationReport>(options, "DELETE", PATH)
    : ask<MigrationReport>(options, "POST", PATH, { to: options.to }));
  const ended = options.wait && !options.stop ? await untilEnded(begun, options) : begun;
  if (options.json) console.log(JSON.stringify(ended, null, 2));
  else tell(ended);
  return ended.faults.length === 0 ? exitCodes.done : exitCodes.failed;
}

async function untilEnded(begun: MigrationReport, options: MigrateOptions) {
  const line = openProgressLine(process.stderr);
  let report = begun;
  while (report.state === "moving") {
    const { left, moved } = report;
    const bytes = left.bytes + moved.bytes;
    line.show(`${left.objects} objects, ${sizeText(left.bytes)} left`, {
      percent: bytes === 0 ? null : (100 * moved.bytes) / bytes,
      ...{ etaSeconds: null, speed: null, frame: null, fps: null },
      ...{ outputSeconds: null, sizeBytes: null },
    });
    await Bun.sleep(ASK_EVERY_MS);
    report = await ask<MigrationReport>(options, "GET", PATH);
  }
  line.clear();
  return report;
}

function tell({ state, to, left, moved, faults }: MigrationReport): void {
  for (const { key, fault } of faults) console.error(`kinomill: ${key}: ${fault}`);
  if (left.objects === 0) console.log(`All objects are in the storage "${to}".`);
  else if (state === "moving") {
    console.log(`Moving to "${to}": ${left.objects} objects, ${sizeText(left.bytes)} left.`);
  } else {
    console.log(
      `${moved.objects} objects moved to "${to}"; ${left.objects} (${sizeText(left.bytes)}) are where they were and are read there.`,
    );
  }
}

/** The box in numbers, for `/metrics`. */
import type { BackupKeeper } from "../backup/keeper.ts";
import { momentOf } from "../backup/state.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { findingLevels } from "../doctor/finding.ts";
import { loadOf, refreshLoad } from "../http/devices.ts";
import type { DeviceReport } from "../http/parts.ts";
import type { BoxFigures } from "../metrics/box-metrics.ts";
import { product } from "../product.ts";
import { deviceReports, findingsReport } from "./report.ts";
import type { WorkParts } from "./work.ts";

/** Asking for the sum of all assets reads all of them: some 30 ms for 100,000. */
const USAGE_KEPT_MS = 60_000;

/** A driver that is awake answers in a third of it; a scrape does not wait longer, and says what was known before. */
const LOAD_PATIENCE_MS = 150;

type Looked = WorkParts & {
  config: Config;
  clock: Clock;
  startedAtMs: number;
  backups: Pick<BackupKeeper, "state">;
};

/** What `/metrics` asks for, with the sums remembered for a minute. */
export function figuresOf(parts: Looked): (eventStreams: number) => Promise<BoxFigures> {
  const { leaveAlone } = parts.config.gpu;
  const { library, clock, storage, gpuLoad, backups, uploads, workSwitch, startedAtMs } = parts;
  let usage: { atMs: number; is: ReturnType<typeof library.records.usage> } | null = null;
  const usageNow = () => {
    const now = clock.monotonicMs();
    if (usage === null || now - usage.atMs > USAGE_KEPT_MS) {
      usage = { atMs: now, is: library.records.usage() };
    }
    return usage.is;
  };
  return async (eventStreams) => {
    const devices = () => deviceReports(parts);
    const [findings, { backups: made }, freeBytes] = await Promise.all([
      findingsReport(parts),
      backups.state(),
      storage.freeBytes().catch(() => null),
      refreshLoad({ devices, gpuLoad, clock }, LOAD_PATIENCE_MS),
    ]);
    const counts = findingLevels.map((level) => [
      level,
      findings.filter((finding) => finding.level === level).length,
    ]);
    return {
      ...{ version: product.version, commit: product.commit, startedAtMs, eventStreams },
      workMode: workSwitch.state().mode,
      devices: devices().map((device) => ({
        ...device,
        inService: isLeftAlone(device, leaveAlone) ? null : (device.gpu?.inService ?? null),
        load: loadOf(gpuLoad, device),
      })),
      storage: { ...usageNow(), freeBytes },
      unfinishedUploads: uploads.countUnfinished(),
      newestBackupMs: momentOf(made[0]),
      findings: Object.fromEntries(counts) as Record<string, number>,
    };
  };
}

/** It is out of service, and nobody needs to be told. */
function isLeftAlone({ id, gpu }: DeviceReport, names: readonly string[]): boolean {
  return names.some((name) => id === `gpu:${name}` || gpu?.uuid.startsWith(name) === true);
}

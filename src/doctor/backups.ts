/** The backups of the database: whether they are made, and how old the newest is. */
import { backupState } from "../backup/state.ts";
import type { Box, Finding } from "./finding.ts";

export async function backupFindings({ config, clock, sinceMs }: Box): Promise<Finding[]> {
  const { backups, warnings } = await backupState(config, clock.nowMs(), sinceMs);
  const common = { id: "backups", title: "Backups" };
  if (warnings.length > 0) {
    return warnings.map((meaning, position) => {
      const id = position === 0 ? "backups" : `backups.${position + 1}`;
      return { ...common, id, level: "warning", meaning, remedy: null };
    });
  }
  const [newest] = backups;
  if (newest === undefined) {
    const meaning = "The database has not been backed up yet.";
    return [{ ...common, level: "ok", meaning, remedy: "Make one now: kinomill backup now" }];
  }
  const meaning = `The newest backup of the database is of ${newest.createdAt}.`;
  return [{ ...common, level: "ok", meaning, remedy: null }];
}

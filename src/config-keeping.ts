/** The settings of what is kept, and for how long: assets, backups, logins. */
import { z } from "zod";
import { editable } from "./config-editable.ts";
import { parseSchedule, scheduleFault } from "./schedule.ts";

const GIB = 1024 ** 3;

/** Whole numbers: of things, or of seconds. */
const count = (least: number, most: number, usual: number) =>
  z.int().min(least).max(most).default(usual);

const folder = z.string().min(1).max(4096);

export const retentionSettings = z
  .strictObject({
    binDays: count(0, 365, 7)
      .meta(editable("Days in the bin"))
      .describe(
        "Days that deleted assets stay in the bin, from which they can be restored. 0: they are gone at once.",
      ),
    uploadDays: count(0, 36_500, 0)
      .meta(editable("Days of uploads"))
      .describe(
        "Days after which what was uploaded or imported goes into the bin by itself. 0: never.",
      ),
    outputDays: count(0, 36_500, 0)
      .meta(editable("Days of results"))
      .describe("Days after which what jobs made goes into the bin by itself. 0: never."),
    quotaBytes: z
      .int()
      .min(0)
      .max(16_384 * GIB)
      .default(0)
      .meta(editable("Quota of one person"))
      .describe(
        "Bytes that one person may keep, the bin included. 0: as much as there is room for.",
      ),
  })
  .prefault({});

export const backupSettings = z
  .strictObject({
    schedule: z
      .string()
      .max(100)
      .refine((words) => parseSchedule(words) !== null, scheduleFault)
      .default("15 3 * * *")
      .meta(editable("Schedule of backups"))
      .describe(
        "When the database is backed up: five fields of cron in the time of this machine, a number of hours (6h), or off. One that was missed is made up for at the next start.",
      ),
    keep: count(1, 1000, 14)
      .meta(editable("Backups kept"))
      .describe("Backups that are kept; the oldest beyond them are removed."),
    folder: folder
      .default("backups")
      .describe(
        "Folder of the backups; a relative path begins at the data folder. Another disk survives the loss of this one. They hold password hashes and keys: nobody else may read them.",
      ),
  })
  .prefault({});

export const sessionsSettings = z
  .strictObject({
    days: z
      .int()
      .min(1)
      .max(365)
      .default(30)
      .meta(editable("Length of a login"))
      .describe("Days after which a login on the page ends."),
  })
  .prefault({});

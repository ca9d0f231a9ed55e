/** The settings of uploads. */
import { z } from "zod";
import { editable } from "./config-editable.ts";

const GIB = 1024 ** 3;

/** Whole numbers: of things, or of hours. */
const count = (least: number, most: number, usual: number) =>
  z.int().min(least).max(most).default(usual);

export const uploadSettings = z
  .strictObject({
    maxBytes: z
      .int()
      .min(1)
      .max(16_384 * GIB)
      .default(512 * GIB)
      .meta(editable("Largest upload"))
      .describe("Largest file, in bytes, that one upload may have."),
    keepHours: count(1, 24 * 90, 24)
      .meta(editable("Interrupted uploads are kept"))
      .describe(
        "Hours after its last byte for which an upload that was interrupted can go on; then its bytes are deleted.",
      ),
    unfinishedPerUser: count(1, 100_000, 200)
      .meta(editable("Unfinished uploads of one person"))
      .describe("Uploads of one person that may be unfinished at the same time; more are refused."),
    directBytes: z
      .int()
      .min(5 * 1024 ** 2)
      .max(16_384 * GIB)
      .default(64 * 1024 ** 2)
      .meta(editable("Straight into the bucket from"))
      .describe(
        "Where storage is a bucket that browsers reach (storage.s3.direct): files from this size on, in bytes, go straight into it and not through this server.",
      ),
    allowWithoutSandbox: z
      .boolean()
      .default(false)
      .describe(
        "Take uploads although the kernel has no Landlock: a hostile file could then make ffmpeg read every file that this service can.",
      ),
  })
  .prefault({});

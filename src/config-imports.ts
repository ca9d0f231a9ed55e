/** The settings of imports from links. */
import { z } from "zod";
import { editable } from "./config-editable.ts";
import { parsePlace } from "./network-place.ts";

const GIB = 1024 ** 3;

const networkPlace = z
  .string()
  .max(260)
  .refine(
    (text) => parsePlace(text) !== null,
    "must be an address, a range like 192.168.1.0/24 or fd00::/8, or a host name",
  );

const bucketPlace = z
  .string()
  .max(1200)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9](\/.*)?$/, "must be bucket or bucket/start");

/** Whole numbers: of things, or of seconds. */
const count = (least: number, most: number, usual: number) =>
  z.int().min(least).max(most).default(usual);

export const importSettings = z
  .strictObject({
    allowPrivate: z
      .array(networkPlace)
      .max(256)
      .default([])
      .meta({ commasOnly: true })
      .describe(
        "Places inside private networks from which files may be fetched: addresses, ranges (192.168.1.0/24, fd00::/8) and hosts (nas.lan, *.lan). Without it links into private and reserved networks are refused: whoever may import could reach what only this server can.",
      ),
    buckets: z
      .array(bucketPlace)
      .max(256)
      .default([])
      .meta({ commasOnly: true })
      .describe(
        "Buckets of the same S3 account (storage.s3) from which s3:// links may be imported, by anybody here: bucket, or bucket/start/of/keys. The server's own files are never among them.",
      ),
    maxBytes: z
      .int()
      .min(1)
      .max(16_384 * GIB)
      .default(512 * GIB)
      .meta(editable("Largest import"))
      .describe("Largest file, in bytes, that is fetched from a link; uploads.maxBytes holds too."),
    limitSeconds: count(10, 30 * 86_400, 86_400)
      .meta(editable("Longest import"))
      .describe("Seconds that one import may take at most."),
    atOnce: count(1, 64, 4)
      .meta(editable("Imports at once"))
      .describe("Imports that run at the same time."),
    atOncePerUser: count(1, 64, 2)
      .meta(editable("Imports of one person at once"))
      .describe("Imports of one person that run at the same time; the others wait."),
    waitingPerUser: count(1, 100_000, 500)
      .meta(editable("Waiting imports of one person"))
      .describe("Imports of one person that wait or run at the same time; more are refused."),
    slowSeconds: count(1, 3600, 60)
      .meta(editable("Speed is judged over"))
      .describe("Seconds over which the speed of a server is judged: see bytesPerSecondMin."),
    bytesPerSecondMin: count(0, 1_000_000_000, 1024)
      .meta(editable("Least speed"))
      .describe(
        "A server that sends less than so many bytes per second, over slowSeconds, is given up and asked again for the rest.",
      ),
  })
  .prefault({});

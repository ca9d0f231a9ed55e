/** The settings of storage. */
import { z } from "zod";
import { editable } from "./config-editable.ts";

const GIB = 1024 ** 3;

/** Whole numbers: of things, or of seconds. */
const count = (least: number, most: number, usual: number) =>
  z.int().min(least).max(most).default(usual);

/** An address without path, query or login; "" where it is optional. */
const endpoint = z
  .string()
  .max(300)
  .regex(/^(https?:\/\/[A-Za-z0-9.[\]:-]+)?\/?$/, "must be like https://s3.example.com:9000")
  .transform((text) => text.replace(/\/$/, ""));

const s3Settings = z.strictObject({
  endpoint: endpoint
    .default("")
    .describe("Address of the S3 server, for example https://s3.example.com:9000. Empty: AWS."),
  publicEndpoint: endpoint
    .default("")
    .describe(
      "Address under which browsers and programs reach the same server, where it differs from the endpoint.",
    ),
  direct: z
    .boolean()
    .default(true)
    .describe(
      "Send browsers and programs to the bucket for the bytes of media. Off: all bytes pass through Kinomill, for a server that they cannot reach.",
    ),
  region: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,64}$/, "must be like eu-central-1")
    .default("us-east-1")
    .describe("Region of the bucket. R2: auto; Garage: garage; others mostly: us-east-1."),
  bucket: z
    .string()
    .regex(/^([A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9])?$/, "must be the name of a bucket")
    .default("")
    .describe("The bucket. It must be there: kinomill storage create-bucket makes it."),
  prefix: z
    .string()
    .regex(/^([A-Za-z0-9_.-]+\/){0,8}$/, "must be empty or end with a slash, like kinomill/")
    .max(200)
    .default("")
    .describe("What the keys of all objects begin with, so that others may use the bucket too."),
  pathStyle: z
    .boolean()
    .default(true)
    .describe("Name the bucket in the path (most servers) instead of in the host name (AWS)."),
  accessKeyId: z
    .string()
    .max(200)
    .default("")
    .describe(
      "The access key. Empty: the keys of AWS's environment variables, files or the machine's role.",
    ),
  secretAccessKey: z
    .string()
    .max(500)
    .default("")
    .describe(
      "The secret key. secret:NAME is the one that kinomill secret set NAME keeps, sealed; empty: the one of the name storage.s3.secretAccessKey, if there is one.",
    ),
  secretAccessKeyFile: z
    .string()
    .max(4096)
    .default("")
    .describe(
      "A file with the secret key, instead of the key itself. credential:NAME is /etc/kinomill/credentials/NAME, which systemd hands to the service.",
    ),
  caFile: z
    .string()
    .max(4096)
    .default("")
    .describe(
      "A PEM file with the authority that signed the server's certificate, when it is private.",
    ),
  timeoutSeconds: count(1, 600, 30).describe(
    "Seconds that the server may say nothing, and for which what fails is tried again.",
  ),
  partBytes: z
    .int()
    .min(5 * 1024 ** 2)
    .max(GIB)
    .default(16 * 1024 ** 2)
    .describe("Bytes of one part of a large object; larger where an object would have too many."),
  parallel: count(1, 64, 4).describe("Parts and ranges that are under way at the same time."),
});

export const storageSettings = z
  .strictObject({
    kind: z
      .enum(["disk", "s3"])
      .default("disk")
      .describe(
        "Where the bytes of assets live: on the local disk, or in a bucket (docs/storage.md).",
      ),
    reserveBytes: z
      .int()
      .min(0)
      .max(1024 * GIB)
      .default(GIB)
      .meta(editable("Disk left free"))
      .describe(
        "Bytes of the disk that Kinomill leaves free: uploads are refused below it, so that the database can still write.",
      ),
    proxiesMaxBytes: z
      .int()
      .min(0)
      .max(1024 * 1024 * GIB)
      .default(20 * GIB)
      .describe(
        "Bytes that all small copies for watching may take together: what browsers cannot play is watched through one. Beyond it those go that nobody watched for the longest time; they are made again when somebody does.",
      ),
    s3: s3Settings.prefault({}),
    cache: z
      .strictObject({
        folder: z
          .string()
          .max(4096)
          .default("")
          .describe(
            "With S3: the folder for copies of objects that ffmpeg reads, on the fastest disk there is. Empty: cache in the data folder.",
          ),
        maxBytes: z
          .int()
          .min(0)
          .max(1024 * 1024 * GIB)
          .default(64 * GIB)
          .meta(editable("Cache of the bucket"))
          .describe(
            "With S3: bytes that these copies may take. What jobs read at the moment stays, also above it; the rest goes, the longest unused first.",
          ),
      })
      .prefault({}),
  })
  .refine(({ kind, s3 }) => kind !== "s3" || s3.bucket !== "", {
    path: ["s3", "bucket"],
    message: "must name the bucket when storage.kind is s3",
  })
  .prefault({});

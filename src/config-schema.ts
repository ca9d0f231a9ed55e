/** Every setting once: name, unit, default, limits and one sentence. `config.ts` reads their values. */
import { resolve } from "node:path";
import { z } from "zod";
import { editable } from "./config-editable.ts";
import { httpSettings } from "./config-http.ts";
import { importSettings } from "./config-imports.ts";
import { backupSettings, retentionSettings, sessionsSettings } from "./config-keeping.ts";
import { mdnsSettings } from "./config-mdns.ts";
import { secretsSettings } from "./config-secrets.ts";
import { storageSettings } from "./config-storage.ts";
import { tlsSettings } from "./config-tls.ts";
import { uploadSettings } from "./config-uploads.ts";
import { ffmpegSettings, gpuSettings, jobsSettings } from "./config-work.ts";
import { processEnvironment } from "./environment.ts";

/** `HOST:PORT` with an optional IPv6 host in brackets; port 0 asks the system for a free one. */
const listenAddress = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:[\]]+):\d{1,5}$/, "must be HOST:PORT, for example 0.0.0.0:7600")
  .refine((text) => Number(text.slice(text.lastIndexOf(":") + 1)) <= 65535, "port must be ≤ 65535");

const hostName = z
  .string()
  .max(253)
  .regex(/^[A-Za-z0-9.-]+$/, "must be a host name without scheme or port");

const folder = z.string().min(1).max(4096);

/** Whole numbers: of things, or of seconds. */
const count = (least: number, most: number, usual: number) =>
  z.int().min(least).max(most).default(usual);

function defaultDataFolder(): string {
  return process.getuid?.() === 0 && processEnvironment()["INVOCATION_ID"] !== undefined
    ? "/var/lib/kinomill"
    : resolve("kinomill-data");
}

/** Settings whose values are shown to nobody. */
export const secretSettings: ReadonlySet<string> = new Set([
  "storage.s3.secretAccessKey",
  "tls.passphrase",
  "log.errorDsn",
]);

const logSettings = z
  .strictObject({
    level: z
      .enum(["debug", "info", "warn", "error"])
      .default("info")
      .meta(editable("Least severe messages"))
      .describe("Least severe messages that are logged."),
    errorDsn: z
      .string()
      .max(500)
      .regex(
        /^(secret:[\w.-]{1,100}|https?:\/\/\w{1,100}@[\w.:[\]-]+(\/[\w.-]+)*\/\d+)?$/,
        "must be like https://KEY@errors.example.com/7",
      )
      .default("")
      .describe(
        "DSN of a receiver of the Sentry protocol (Sentry, GlitchTip, Bugsink) that gets the server's errors, without secrets, names and addresses. secret:NAME is the one that kinomill secret set NAME keeps. Empty: nothing is sent to anybody.",
      ),
    slowRequestMs: count(0, 600_000, 1_000)
      .meta(editable("Slow answers"))
      .describe(
        "Milliseconds from which on an answer is logged as slow, uploads aside. 0 logs none.",
      ),
  })
  .prefault({});

/** The shape of the configuration. `.describe` is the sentence of the sample file and of `docs/`. */
export const configSchema = z.strictObject({
  data: folder
    .default(defaultDataFolder)
    .describe(
      "Folder for the database, the files and the work in progress. As a systemd service of root: /var/lib/kinomill; otherwise ./kinomill-data.",
    ),
  listen: listenAddress
    .default("0.0.0.0:7600")
    .describe("Address and port of the page and the API."),
  hosts: z
    .array(hostName)
    .max(64)
    .default([])
    .meta({ commasOnly: true, ...editable("Further host names") })
    .describe(
      "Further host names under which browsers reach this server. IP addresses, localhost and the machine's own name always work; any other name is refused, which stops DNS rebinding.",
    ),
  http: httpSettings,
  tls: tlsSettings,
  mdns: mdnsSettings,
  log: logSettings,
  storage: storageSettings,
  uploads: uploadSettings,
  imports: importSettings,
  jobs: jobsSettings,
  gpu: gpuSettings,
  ffmpeg: ffmpegSettings,
  retention: retentionSettings,
  backup: backupSettings,
  sessions: sessionsSettings,
  secrets: secretsSettings,
});

/** `kinomill serve`: runs until a signal ends it. */
import { systemClock } from "../clock.ts";
import { type Config, secretSettings, valueAt } from "../config.ts";
import { processEnvironment } from "../environment.ts";
import { type Log, openLog } from "../log.ts";
import { LogRing } from "../log-ring.ts";
import { product } from "../product.ts";
import { ErrorReports, receiverOf } from "../support/error-reports.ts";
import { inheritedSocket } from "../systemd/inherited-socket.ts";
import { printsToJournal } from "../systemd/journal.ts";
import { openSupervision } from "../systemd/notify.ts";
import { type Appliance, openAppliance } from "./appliance.ts";
import { exitCodes } from "./exit.ts";
import type { CommonOptions } from "./program.ts";
import { hostConfigOf } from "./settings.ts";
import { tellSupervisor } from "./supervision.ts";

/** A second signal ends at once; so does a close that takes longer than this and the time to drain. */
const CLOSE_LIMIT_MS = 20_000;

/** What is still under way when everything is closed gets this long. */
const LINGER_MS = 500;

/** Errors of the stop itself are sent, if that is quick. */
const REPORT_LIMIT_MS = 2_000;

export async function serve(options: CommonOptions & { listen?: string }): Promise<number> {
  const loaded = await hostConfigOf(options);
  const { config } = loaded;
  const environment = processEnvironment();
  const ring = new LogRing();
  const log = openLog(config.log.level, {
    ring,
    terminal: process.stdout.isTTY === true,
    journal: printsToJournal(environment["JOURNAL_STREAM"]),
  });
  const reports = reportErrors(config, log, ring);
  const inherited = inheritedSocket(environment, process.pid);
  const appliance = await openAppliance(loaded, log, ring, inherited);
  log.info({ url: appliance.url, version: product.version, commit: product.commit }, "listening");
  if (inherited !== null) warnOfOtherPort(log, appliance.url, config.listen);
  const telling = tellSupervisor(openSupervision(environment, process.pid), appliance);
  tellFirstVisitor(appliance, config);
  tellFingerprint(appliance);
  const signal = await nextSignal();
  log.info({ signal }, "stopping: running jobs go back into the queue");
  telling.stopping();
  const limitMs = CLOSE_LIMIT_MS + config.jobs.drainSeconds * 1000;
  const limit = setTimeout(() => process.exit(exitCodes.failed), limitMs);
  process.once("SIGINT", () => process.exit(exitCodes.interrupted));
  await appliance.close();
  clearTimeout(limit);
  telling.end();
  await reports?.close(REPORT_LIMIT_MS);
  log.info("stopped");
  // A call to a bucket that does not answer is tried again for a while; nobody waits for its answer any more.
  setTimeout(() => process.exit(exitCodes.done), LINGER_MS).unref();
  return exitCodes.done;
}

/** To the receiver of the settings; null where there is none. @throws Refusal 400 `bad_config` for a DSN that is none */
function reportErrors(config: Config, log: Log, ring: LogRing): ErrorReports | null {
  const { errorDsn } = config.log;
  if (errorDsn === "") return null;
  const secrets = [...secretSettings].map((key) => String(valueAt(config, key) ?? ""));
  const receiver = receiverOf(errorDsn);
  const reports = new ErrorReports({ receiver, clock: systemClock, log, secrets });
  ring.follow((record) => reports.take(record));
  return reports;
}

/** Under socket activation the unit says where to listen; whoever changed the setting alone should learn that. */
function warnOfOtherPort(log: Log, url: string, listen: string): void {
  const port = new URL(url).port;
  if (listen.endsWith(`:${port}`)) return;
  const remedy = "kinomill.socket decides; bring it in line with /opt/kinomill/install.sh --apply";
  log.warn({ url, listen, remedy }, "the server does not listen where the setting says");
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
  const { protocol } = new URL(appliance.url);
  console.error(
    `Kinomill has no admin yet. Open ${protocol}//${host}:${port}/ and enter the setup code: ${appliance.setupCode}`,
  );
}

/** Whoever opens the page compares it with what the browser warns of. */
function tellFingerprint({ fingerprint }: Appliance): void {
  if (fingerprint === null) return;
  console.error(
    `Browsers warn of the certificate, which is this machine's own. Its SHA-256 fingerprint: ${fingerprint}`,
  );
}

function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => resolve(name));
  });
}

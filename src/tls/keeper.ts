/** The certificate of the server: which it is now, and when another comes in its place. */
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { Refusal } from "../trouble.ts";
import {
  type Certificate,
  type CertificateFiles,
  daysLeft,
  readCertificate,
} from "./certificate.ts";
import { selfSigned } from "./self-signed.ts";

/** How often is looked: whoever puts files there wants to see them taken; our own changes with the machine's addresses. */
const LOOK_EVERY_MS = { files: 5_000, "self-signed": 60_000 };

/** Warned of in the log from here on; who renews by a program does it earlier. */
export const SOON_DAYS = 14;

export type CertificateSource =
  | { kind: "files"; files: CertificateFiles }
  /** @property names asked for at each look: addresses come and go */
  | { kind: "self-signed"; dataFolder: string; names(): readonly string[] };

export interface KeeperParts {
  source: CertificateSource;
  clock: Clock;
  log: Log;
  lookEveryMs?: number;
}

export class CertificateKeeper {
  private readonly parts: KeeperParts;
  private held: Certificate;
  private timer: Timer | null = null;
  private looking = false;
  private saidTrouble = "";

  private constructor(parts: KeeperParts, first: Certificate) {
    this.parts = parts;
    this.held = first;
  }

  /** @throws Refusal 400 `bad_certificate` when there is none that a server could use */
  static async open(parts: KeeperParts): Promise<CertificateKeeper> {
    const keeper = new CertificateKeeper(parts, await load(parts));
    keeper.tell("the certificate is in use");
    return keeper;
  }

  get current(): Certificate {
    return this.held;
  }

  /** Looks from time to time, and calls when another certificate is to be used. */
  watch(onChange: (certificate: Certificate) => void): void {
    const { source, lookEveryMs = LOOK_EVERY_MS[source.kind] } = this.parts;
    this.timer = setInterval(() => void this.look(onChange), lookEveryMs);
    this.timer.unref();
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private async look(onChange: (certificate: Certificate) => void): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      const found = await load(this.parts);
      this.saidTrouble = "";
      if (found.certText === this.held.certText && found.keyText === this.held.keyText) return;
      onChange(found);
      this.held = found;
      this.tell("another certificate is in use now");
    } catch (cause) {
      // Half of a change that is under way, or a fault: the old one goes on either way.
      const sentence = cause instanceof Error ? cause.message : String(cause);
      if (sentence !== this.saidTrouble) {
        this.parts.log.warn({ trouble: sentence }, "the certificate before stays in use");
      }
      this.saidTrouble = sentence;
    } finally {
      this.looking = false;
    }
  }

  private tell(what: string): void {
    const { log, clock, source } = this.parts;
    const { fingerprint, validToMs, names } = this.held;
    const days = daysLeft(this.held, clock.nowMs());
    const facts = {
      fingerprint,
      until: new Date(validToMs).toISOString(),
      names: names.slice(0, 20),
      kind: source.kind,
    };
    if (days < 0) log.error(facts, `${what}, and has expired: browsers refuse it`);
    else if (days < SOON_DAYS) log.warn(facts, `${what}, and ends in ${days} days`);
    else log.info(facts, what);
  }
}

async function load({ source, clock }: KeeperParts): Promise<Certificate> {
  if (source.kind === "files") return readCertificate(source.files);
  try {
    return await selfSigned(source.dataFolder, source.names(), clock.nowMs());
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const sentence = `A certificate could not be made in the data folder: ${reason}`;
    throw new Refusal(400, "bad_certificate", sentence);
  }
}

/** Where a link leads, decided before anything connects: the answer is the addresses, and no other is used. */
import { lookup } from "node:dns/promises";
import ipaddr from "ipaddr.js";
import { ownAddresses } from "../own-addresses.ts";
import { type Allowed, hostIsAllowed, judgeAddress } from "./addresses.ts";
import { hostOf, portIsOpen, portOf } from "./link.ts";
import { LinkTrouble, refusedHost } from "./link-trouble.ts";

/** A name server that says nothing for so long is not there. */
const RESOLVE_LIMIT_MS = 15_000;

/** A connection is tried with the first few at most; a name with more is a load balancer's. */
const ADDRESSES_MAX = 8;

export interface Address {
  address: string;
  family: 4 | 6;
}

/** All addresses of a name. */
export type Resolve = (host: string) => Promise<Address[]>;

export interface GateOptions {
  allowed: Allowed;
  /** For tests; absent: as this machine resolves names. */
  resolve?: Resolve;
  ownAddresses?: () => ReadonlySet<string>;
}

export class Gate {
  private readonly allowed: Allowed;
  private readonly resolve: Resolve;
  private readonly own: () => ReadonlySet<string>;

  constructor(options: GateOptions) {
    this.allowed = options.allowed;
    this.resolve = options.resolve ?? systemResolve;
    this.own = options.ownAddresses ?? (() => new Set(ownAddresses()));
  }

  /**
   * What can be said of a link without asking a name server: when it is given, so that the person hears it at once.
   * @throws LinkTrouble `link_refused`
   */
  judgeText(url: URL): void {
    const host = hostOf(url);
    const listed = hostIsAllowed(host, this.allowed);
    if (ipaddr.isValid(host)) {
      if (!listed)
        this.judge(
          host,
          [{ address: host, family: ipaddr.IPv4.isValid(host) ? 4 : 6 }],
          portOf(url),
        );
    } else if (!listed && /(^|\.)(localhost|local|internal)\.?$/i.test(host) && !this.hasRanges) {
      throw refusedHost(host, false);
    }
  }

  /** Without one no name of the inside can lead anywhere. */
  private get hasRanges(): boolean {
    return this.allowed.ranges.length > 0;
  }

  /**
   * The addresses that a connection for this link may use: all that the name has, or none.
   * @throws LinkTrouble `link_refused`, `link_unreachable`
   */
  async admit(url: URL): Promise<Address[]> {
    this.judgeText(url);
    const host = hostOf(url);
    if (ipaddr.isValid(host)) return [{ address: host, family: ipaddr.IPv4.isValid(host) ? 4 : 6 }];
    const found = await this.addressesOf(host);
    if (!hostIsAllowed(host, this.allowed)) this.judge(host, found, portOf(url));
    return found.slice(0, ADDRESSES_MAX);
  }

  /** One address inside is enough: a name that has both is an attempt, or a mistake. */
  private judge(host: string, addresses: readonly Address[], port: number): void {
    const own = this.own();
    const verdicts = addresses.map(({ address }) => judgeAddress(address, this.allowed, own));
    if (verdicts.includes("inside")) throw refusedHost(host, false);
    if (verdicts.includes("own")) throw refusedHost(host, true);
    if (verdicts.every((verdict) => verdict === "allowed") || portIsOpen(port)) return;
    throw new LinkTrouble(
      "link_refused",
      `Kinomill does not fetch from port ${port}: other services than web servers use it.`,
      "Use a link to port 80, 443 or one from 1024 up, or have the admin add the host to imports.allowPrivate.",
    );
  }

  private async addressesOf(host: string): Promise<Address[]> {
    let timer: Timer | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("no answer")), RESOLVE_LIMIT_MS);
    });
    try {
      const found = await Promise.race([this.resolve(host), late]);
      if (found.length > 0) return found;
      throw new Error("no address");
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code ?? "";
      const unknown = ["ENOTFOUND", "ENODATA", "DNS_ENOTFOUND", "ENONAME"].includes(code);
      throw new LinkTrouble(
        "link_unreachable",
        unknown ? `There is no server named ${host}.` : `The name ${host} cannot be resolved.`,
        "Check the link, and whether this server can reach its name server (DNS).",
        { retryable: !unknown },
      );
    } finally {
      clearTimeout(timer);
    }
  }
}

async function systemResolve(host: string): Promise<Address[]> {
  const found = await lookup(host, { all: true, verbatim: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}

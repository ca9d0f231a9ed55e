/**
 * Makes the server known as NAME.local on the networks of this machine. It looks first whether the name is free, takes
 * another when it is not, answers questions, and says when it goes. Where there is no multicast it is silent: the server
 * never depends on it.
 */
import { decode, encode, type Packet } from "dns-packet";
import type { Log } from "../log.ts";
import { allRecords, answersTo, hostOf, type Identity, isClaimed } from "./records.ts";

/** The networks as the responder sees them: one line per IPv4 address of this machine. */
export interface Wire {
  readonly addresses: readonly string[];
  /** To everybody in the network of this address, or to one who asked from another port than that of mDNS. */
  send(address: string, bytes: Uint8Array, to?: { address: string; port: number }): void;
  /** What comes, on whichever network. */
  listen(onMessage: (bytes: Uint8Array, from: { address: string; port: number }) => void): void;
  /** When what was sent is on its way. */
  close(): Promise<void> | void;
}

export interface ResponderParts {
  identity: Omit<Identity, "label"> & { name: string };
  wire: Wire;
  log: Log;
  /** Between two looks whether the name is free. */
  probeMs?: number;
}

export const MDNS_PORT = 5353;

/** RFC 6762, 8.1. */
const PROBES = 3;
const PROBE_MS = 250;
const ANNOUNCEMENTS = 2;

/** More neighbours with the same name are a fault somewhere. */
const NAMES_MAX = 20;

/** A storm of questions is answered no further than this. */
const ANSWERS_PER_SECOND_MAX = 50;

const PACKET_BYTES_MAX = 9_000;

type State = "probing" | "known" | "gone";

export class Responder {
  private readonly parts: ResponderParts;
  private state: State = "probing";
  private number = 1;
  private answered = { second: 0, count: 0 };
  private claimed = false;
  private readonly stop = Promise.withResolvers<void>();
  private readonly named = Promise.withResolvers<void>();

  constructor(parts: ResponderParts) {
    this.parts = parts;
    parts.wire.listen((bytes, from) => this.hear(bytes, from));
    void this.live();
  }

  /** The name that it has or tries to get: "kinomill-2.local". */
  get host(): string {
    return hostOf(this.identity);
  }

  /** Resolves when it has a name, or has given up. */
  get settled(): Promise<void> {
    return this.named.promise;
  }

  /** Says that it goes; resolves when that is said. */
  async close(): Promise<void> {
    if (this.state === "known") this.tell(0);
    this.state = "gone";
    this.stop.resolve();
    await this.parts.wire.close();
  }

  private get identity(): Identity {
    const { name, ...rest } = this.parts.identity;
    return { ...rest, label: this.number === 1 ? name : `${name}-${this.number}` };
  }

  private async live(): Promise<void> {
    const { log } = this.parts;
    while (this.state === "probing" && this.number <= NAMES_MAX) {
      if (await this.isFree()) {
        if (this.gone) return;
        this.state = "known";
        log.info({ name: this.host }, "the server is found by this name on the local network");
        this.named.resolve();
        await this.announce();
        return;
      }
      this.number += 1;
    }
    if (this.state === "probing") log.warn({ name: this.host }, "too many machines have this name");
    this.named.resolve();
  }

  private async isFree(): Promise<boolean> {
    this.claimed = false;
    for (let probe = 0; probe < PROBES && !this.gone; probe += 1) {
      this.probe();
      await this.wait(this.parts.probeMs ?? PROBE_MS);
      if (this.claimed) return false;
    }
    return true;
  }

  private async announce(): Promise<void> {
    for (let count = 0; count < ANNOUNCEMENTS && this.state === "known"; count += 1) {
      this.tell(null);
      await this.wait((this.parts.probeMs ?? PROBE_MS) * 4);
    }
  }

  private get gone(): boolean {
    return this.state === "gone";
  }

  private async wait(delayMs: number): Promise<void> {
    let timer: Timer | null = null;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, delayMs);
      timer.unref();
    });
    await Promise.race([over, this.stop.promise]);
    if (timer !== null) clearTimeout(timer);
  }

  private probe(): void {
    const { wire } = this.parts;
    for (const address of wire.addresses) {
      const authorities = allRecords(this.identity, address).filter(({ type }) => type === "A");
      const questions = [{ name: this.host, type: "ANY" as never }];
      this.send(address, { type: "query", questions, authorities });
    }
  }

  /** @param ttl 0 says that it goes */
  private tell(ttl: 0 | null): void {
    for (const address of this.parts.wire.addresses) {
      const records = allRecords(this.identity, address);
      const answers = ttl === null ? records : records.map((record) => ({ ...record, ttl }));
      this.send(address, { type: "response", flags: AUTHORITATIVE, answers } as Packet);
    }
  }

  private hear(bytes: Uint8Array, from: { address: string; port: number }): void {
    if (this.gone || bytes.length > PACKET_BYTES_MAX) return;
    let packet: Packet;
    try {
      packet = decode(Buffer.from(bytes));
    } catch {
      return;
    }
    if (isClaimed(packet, this.identity)) {
      // A probe alone takes no name from who has it: it is answered like any question.
      if (this.state === "probing") this.claimed = true;
      else if (packet.type === "response") this.rename();
    }
    if (this.state === "known") this.answer(packet, from);
  }

  /** Another machine has the name too: both would be found in turn. */
  private rename(): void {
    this.parts.log.warn(
      { name: this.host },
      "another machine has this name as well; taking another",
    );
    this.number += 1;
    this.state = "probing";
    void this.live();
  }

  private answer(packet: Packet, from: { address: string; port: number }): void {
    for (const address of this.parts.wire.addresses) {
      const answers = answersTo(packet, this.identity, address);
      if (answers.length === 0 || !this.hasRoom()) return;
      const common = { type: "response", flags: AUTHORITATIVE, answers } as Packet;
      if (from.port === MDNS_PORT) this.send(address, common);
      else {
        // An ordinary resolver: it wants its own question and number back, and nothing that only we understand.
        const plain = answers.map((record) => ({
          ...record,
          flush: false,
          ttl: Math.min(10, ttlOf(record)),
        }));
        const { id, questions } = packet;
        this.send(address, { ...common, id, questions, answers: plain } as Packet, from);
        return;
      }
    }
  }

  private hasRoom(): boolean {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.answered.second) this.answered = { second, count: 0 };
    this.answered.count += 1;
    return this.answered.count <= ANSWERS_PER_SECOND_MAX;
  }

  private send(address: string, packet: Packet, to?: { address: string; port: number }): void {
    try {
      this.parts.wire.send(address, encode(packet), to);
    } catch (cause) {
      this.parts.log.debug({ err: cause }, "a packet of mDNS could not be sent");
    }
  }
}

/** The AA bit: answers of mDNS are always from who knows. */
const AUTHORITATIVE = 1 << 10;

function ttlOf(record: object): number {
  return "ttl" in record && typeof record.ttl === "number" ? record.ttl : 10;
}

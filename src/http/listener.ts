/** The port: who listens on it, with which certificate, and how that changes without refusing anybody. */
import { within } from "../clock.ts";
import {
  acceptFrom,
  duplicate,
  type Listening,
  listeningSocket,
} from "../systemd/inherited-socket.ts";
import type { Certificate } from "../tls/certificate.ts";
import { Refusal } from "../trouble.ts";
import type { Handle } from "./handler.ts";

/**
 * Seconds without a byte after which a connection is closed: long for a phone that changes networks,
 * short enough that idle attackers do not pile up. Event streams and running uploads set their own.
 */
const IDLE_SECONDS = 30;

interface Place {
  hostname: string;
  port: number;
  /** A listening socket that systemd opened. */
  inherited: number | null;
  certificate: Certificate | null;
}

type BunServer = ReturnType<typeof serve>;

export class Listener {
  private readonly handle: Handle;
  private listening: Listening<BunServer>;
  /** Those with a certificate before, which still answer on connections of theirs. */
  private readonly former = new Set<BunServer>();

  private constructor(handle: Handle, listening: Listening<BunServer>) {
    this.handle = handle;
    this.listening = listening;
  }

  /** @throws Refusal 409 `port_in_use`, 400 `cannot_listen` */
  static open(handle: Handle, { hostname, port, inherited, certificate }: Place): Listener {
    const listening =
      inherited === null
        ? listeningSocket(() => listen(hostname, port, handle, certificate))
        : acceptFrom(inherited, () => listen("127.0.0.1", 0, handle, certificate));
    return new Listener(handle, listening);
  }

  get port(): number {
    return this.listening.server.port ?? 0;
  }

  /**
   * Another certificate: `Bun.serve` cannot change its own, so another server takes the socket over. Who connects
   * meanwhile waits in its queue.
   */
  use(certificate: Certificate): void {
    const before = this.listening.server;
    const socket = duplicate(this.listening.descriptor);
    this.listening = acceptFrom(socket, () => listen("127.0.0.1", 0, this.handle, certificate));
    this.former.add(before);
    void before.stop(false).then(() => this.former.delete(before));
  }

  /** Lets running requests end until the deadline, then cuts them. */
  async stop(graceMs: number): Promise<void> {
    const servers = [this.listening.server, ...this.former];
    // Settles when the last running request is answered.
    await within(graceMs, Promise.all(servers.map((server) => server.stop(false))));
    await Promise.all(servers.map((server) => server.stop(true)));
  }
}

function listen(hostname: string, port: number, handle: Handle, certificate: Certificate | null) {
  try {
    return serve(hostname, port, handle, certificate);
  } catch (cause) {
    throw cannotListen(cause, hostname, port);
  }
}

function serve(hostname: string, port: number, handle: Handle, certificate: Certificate | null) {
  const tls = certificate !== null;
  return Bun.serve({
    hostname,
    port,
    // Shared ports let a second server take half of the requests without a word.
    reusePort: false,
    development: false,
    idleTimeout: IDLE_SECONDS,
    // The limits are in `body.ts` and in storage, where they come with a sentence.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    ...(tls ? { tls: { cert: certificate.certText, key: certificate.keyText } } : {}),
    fetch: (request, server) =>
      handle(request, {
        tls,
        peer: () => server.requestIP(request)?.address ?? "unknown",
        allowSilence: (seconds) => server.timeout(request, seconds),
      }),
  });
}

/** The words for an address that cannot be listened on; other errors stay what they are. */
export function cannotListen(cause: unknown, hostname: string, port: number): unknown {
  const code = cause instanceof Error && "code" in cause ? cause.code : "";
  const address = `${bracketed(hostname)}:${port}`;
  if (code === "EADDRINUSE") {
    return new Refusal(
      409,
      "port_in_use",
      `Cannot listen on ${address}: another program uses this port. Stop it, or choose another with --listen.`,
    );
  }
  const reasons: Record<string, string> = {
    EADDRNOTAVAIL: "this machine does not have that address",
    EACCES: "this user may not use that port; ports below 1024 need a right",
    ENOTFOUND: "that host name is not known",
  };
  const reason = typeof code === "string" ? reasons[code] : undefined;
  if (reason === undefined) return cause;
  const sentence = `Cannot listen on ${address}: ${reason}. Choose another with --listen.`;
  return new Refusal(400, "cannot_listen", sentence);
}

/** `[::1]:7600` and `0.0.0.0:7600` in their two parts. */
export function splitAddress(listenAddress: string): { hostname: string; port: number } {
  const colon = listenAddress.lastIndexOf(":");
  const hostname = listenAddress.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { hostname, port: Number(listenAddress.slice(colon + 1)) };
}

export function bracketed(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

/** The listening server: opens the port, counts nothing, ends in order. */
import type { Elysia } from "elysia";
import { within } from "../clock.ts";
import { acceptFrom } from "../systemd/inherited-socket.ts";
import { Refusal } from "../trouble.ts";
import { createHandle, type Handle } from "./handler.ts";
import type { Parts } from "./parts.ts";
import { createRoutes } from "./routes.ts";
import { Streams } from "./stream.ts";

/**
 * Seconds without a byte after which a connection is closed: long for a phone that changes networks,
 * short enough that idle attackers do not pile up. Event streams and running uploads set their own.
 */
const IDLE_SECONDS = 30;

export interface RunningServer {
  /** Where a browser on this machine finds it. */
  url: string;
  port: number;
  /** Stops listening, ends event streams, lets requests finish until the deadline, then cuts them. */
  stop(graceMs: number): Promise<void>;
}

/** The whole site as one function, for the server and for tests without a socket. */
export interface Site {
  app: Elysia;
  streams: Streams;
  handle: Handle;
}

export function createSite(parts: Parts): Site {
  const streams = new Streams();
  const app = createRoutes(parts, streams);
  return { app, streams, handle: createHandle(app, parts) };
}

/**
 * @param inherited a listening socket that systemd opened, to be used instead of the configured address
 * @throws Refusal 409 `port_in_use`, 400 `cannot_listen` with a sentence for the operator
 */
export async function startServer(
  parts: Parts,
  inherited: number | null = null,
): Promise<RunningServer> {
  const site = createSite(parts);
  const { hostname, port } = splitAddress(parts.config.listen);
  const server =
    inherited === null
      ? listen(hostname, port, site.handle)
      : acceptFrom(inherited, () => listen("127.0.0.1", 0, site.handle));
  const shownHost = ["0.0.0.0", "::"].includes(hostname) ? "localhost" : bracketed(hostname);
  const actualPort = server.port ?? port;
  return {
    url: `http://${shownHost}:${actualPort}`,
    port: actualPort,
    stop: (graceMs) => stop(server, site.streams, graceMs),
  };
}

type BunServer = ReturnType<typeof listen>;

function listen(hostname: string, port: number, handle: Handle) {
  try {
    return Bun.serve({
      hostname,
      port,
      // Shared ports let a second server take half of the requests without a word.
      reusePort: false,
      development: false,
      idleTimeout: IDLE_SECONDS,
      // The limits are in `body.ts` and in storage, where they come with a sentence.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      fetch: (request, server) =>
        handle(request, {
          tls: false,
          peer: () => server.requestIP(request)?.address ?? "unknown",
          allowSilence: (seconds) => server.timeout(request, seconds),
        }),
    });
  } catch (cause) {
    throw cannotListen(cause, hostname, port);
  }
}

function cannotListen(cause: unknown, hostname: string, port: number): unknown {
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

async function stop(server: BunServer, streams: Streams, graceMs: number): Promise<void> {
  streams.closeAll();
  // Settles when the last running request is answered.
  await within(graceMs, server.stop(false));
  await server.stop(true);
}

/** `[::1]:7600` and `0.0.0.0:7600` in their two parts. */
function splitAddress(listenAddress: string): { hostname: string; port: number } {
  const colon = listenAddress.lastIndexOf(":");
  const hostname = listenAddress.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { hostname, port: Number(listenAddress.slice(colon + 1)) };
}

function bracketed(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

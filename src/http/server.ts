/** The listening server: opens the port, counts nothing, ends in order. */
import type { Elysia } from "elysia";
import type { Certificate } from "../tls/certificate.ts";
import { createHandle, type Handle } from "./handler.ts";
import { bracketed, Listener, splitAddress } from "./listener.ts";
import type { Parts } from "./parts.ts";
import { createRoutes } from "./routes.ts";
import { Streams } from "./stream.ts";

export interface RunningServer {
  /** Where a browser on this machine finds it. */
  url: string;
  port: number;
  /** Another certificate from the next connection on; those that are there go on. */
  use(certificate: Certificate): void;
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

export interface ServerOptions {
  /** A listening socket that systemd opened, to be used instead of the configured address. */
  inherited?: number | null;
  /** With it the server speaks TLS alone. */
  certificate?: Certificate | null;
}

/** @throws Refusal 409 `port_in_use`, 400 `cannot_listen` with a sentence for the operator */
export async function startServer(
  parts: Parts,
  { inherited = null, certificate = null }: ServerOptions = {},
): Promise<RunningServer> {
  const site = createSite(parts);
  const { hostname, port } = splitAddress(parts.config.listen);
  const listener = Listener.open(site.handle, { hostname, port, inherited, certificate });
  const shownHost = ["0.0.0.0", "::"].includes(hostname) ? "localhost" : bracketed(hostname);
  return {
    url: `${certificate === null ? "http" : "https"}://${shownHost}:${listener.port}`,
    port: listener.port,
    use: (next) => listener.use(next),
    stop: async (graceMs) => {
      site.streams.closeAll();
      await listener.stop(graceMs);
    },
  };
}

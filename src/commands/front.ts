/** The side of the server that the network sees: its port, with TLS or without, and what helps to find it. */
import { hostname } from "node:os";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Parts } from "../http/parts.ts";
import { openRedirect } from "../http/redirect.ts";
import { type RunningServer, startServer } from "../http/server.ts";
import { type Log, logOf } from "../log.ts";
import { certificateAddresses } from "../own-addresses.ts";
import { CertificateKeeper, type CertificateSource } from "../tls/keeper.ts";
import { openLocalName } from "./local-name.ts";

/** Requests that are under way get this long to end when the server stops. */
const STOP_GRACE_MS = 5_000;

export interface Front {
  server: RunningServer;
  /** Of the certificate, as browsers show it; null without TLS or for one that others know. */
  fingerprint: string | null;
  close(): Promise<void>;
}

interface FrontParts {
  parts: Parts;
  config: Config;
  clock: Clock;
  log: Log;
  /** A listening socket that systemd opened. */
  inherited: number | null;
}

/** @throws Refusal when a port is taken or the certificate is of no use */
export async function openFront(front: FrontParts): Promise<Front> {
  const { parts, config, clock, inherited } = front;
  const log = logOf(front.log, "tls");
  const source = sourceOf(config);
  const keeper = source === null ? null : await CertificateKeeper.open({ source, clock, log });
  const certificate = keeper?.current ?? null;
  const server = await startServer(parts, { inherited, certificate });
  const undo: (() => Promise<void> | void)[] = [() => server.stop(STOP_GRACE_MS)];
  try {
    keeper?.watch((next) => server.use(next));
    undo.push(() => keeper?.stop());
    if (keeper !== null && config.tls.redirectListen !== "") {
      const redirect = openRedirect(config.tls.redirectListen, server.port);
      undo.push(() => redirect.stop());
    }
    undo.push(openLocalName(config, server.port, front.log));
  } catch (cause) {
    for (const step of undo.reverse()) await step();
    throw cause;
  }
  const shown = source?.kind === "self-signed" ? (certificate?.fingerprint ?? null) : null;
  return {
    server,
    fingerprint: shown,
    close: async () => {
      for (const step of undo.reverse()) await step();
    },
  };
}

function sourceOf(config: Config): CertificateSource | null {
  const { mode, ...files } = config.tls;
  if (mode === "off") return null;
  if (mode === "files") return { kind: "files", files };
  return { kind: "self-signed", dataFolder: config.data, names: () => ownNames(config) };
}

/** Names and addresses under which this machine is asked for. */
function ownNames(config: Config): string[] {
  const name = hostname().toLowerCase();
  const isName = /^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(name);
  const usual = isName
    ? [name, ...(name.includes(".") ? [] : [`${name}.local`, `${name}.lan`])]
    : [];
  const local = config.mdns.mode === "off" ? [] : [`${config.mdns.name}.local`];
  return [
    "localhost",
    ...usual,
    ...local,
    ...config.hosts,
    "127.0.0.1",
    "::1",
    ...certificateAddresses(),
  ];
}

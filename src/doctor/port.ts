/** Whether the port is free, or taken by Kinomill itself. */
import { product } from "../product.ts";
import type { Box, Finding } from "./finding.ts";

/** A Kinomill answers within milliseconds; another program may never. */
const ANSWER_LIMIT_MS = 1_000;

export async function portFindings({ asker, config }: Box): Promise<Finding[]> {
  // Whoever asks the server has just proved that it answers.
  if (asker !== "command") return [];
  const colon = config.listen.lastIndexOf(":");
  const host = config.listen.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  const port = Number(config.listen.slice(colon + 1));
  const common = { id: "port", title: "Port" };
  const trouble = port === 0 ? null : whyNotToListen(host, port);
  if (trouble === null) {
    const meaning = `${config.listen} is free.`;
    return [{ ...common, level: "ok", meaning, remedy: null }];
  }
  if (trouble === "EADDRINUSE") {
    const version = await kinomillAt(host, port, config.tls.mode === "off" ? "http" : "https");
    if (version !== null) {
      const meaning = `Kinomill ${version} answers at ${config.listen}.`;
      return [{ ...common, level: "ok", meaning, remedy: null }];
    }
    const meaning = `Another program uses port ${port} (listen = "${config.listen}"): the server cannot start.`;
    const remedy = `See which: sudo ss -ltnp 'sport = :${port}' — stop it, or choose another with --listen.`;
    return [{ ...common, level: "fault", meaning, remedy }];
  }
  const meaning = `The server cannot listen on ${config.listen} (${trouble}).`;
  const remedy = "Choose an address of this machine (ip addr) and a port above 1023 with --listen.";
  return [{ ...common, level: "fault", meaning, remedy }];
}

/** The word of the system; null when it can be listened on. */
function whyNotToListen(hostname: string, port: number): string | null {
  try {
    Bun.listen({ hostname, port, socket: { data: () => {} } }).stop(true);
    return null;
  } catch (cause) {
    return cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
  }
}

/** The version of the Kinomill that answers there; null when it is another program. */
async function kinomillAt(
  host: string,
  port: number,
  scheme: "http" | "https",
): Promise<string | null> {
  const name = ["0.0.0.0", "::"].includes(host) ? "localhost" : host;
  const address = name.includes(":") ? `[${name}]` : name;
  try {
    const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
    const answer = await fetch(`${scheme}://${address}:${port}/health`, {
      ...{ signal, redirect: "manual" as const },
      tls: { rejectUnauthorized: false },
    });
    const said = (await answer.json()) as { service?: unknown; version?: unknown };
    return said.service === product.name ? String(said.version).slice(0, 40) : null;
  } catch {
    return null;
  }
}

/** The server's name on the local network, for as long as it runs. */
import type { Config } from "../config.ts";
import { inContainer } from "../doctor/container.ts";
import { splitAddress } from "../http/listener.ts";
import { type Log, logOf } from "../log.ts";
import { Responder } from "../mdns/responder.ts";
import { openWire } from "../mdns/sockets.ts";
import { reachableAddresses } from "../own-addresses.ts";

/** Networks come and go: cables, DHCP, VPNs. */
const LOOK_EVERY_MS = 60_000;

/** Where others can reach it: the addresses of the setting, as far as this machine has them. */
export function namedAddresses({ listen, mdns }: Pick<Config, "listen" | "mdns">): string[] {
  if (mdns.mode === "off" || inContainer()) return [];
  const { hostname } = splitAddress(listen);
  const all = reachableAddresses();
  return ["0.0.0.0", "::"].includes(hostname) ? all : all.filter((address) => address === hostname);
}

/** Never fails and waits for nothing. Returns what ends it, when the neighbours are told. */
export function openLocalName(config: Config, port: number, parentLog: Log): () => Promise<void> {
  const log = logOf(parentLog, "mdns");
  let known = "";
  let responder: Responder | null = null;
  let closed = false;
  const look = async () => {
    const addresses = namedAddresses(config);
    const now = addresses.toSorted().join(" ");
    if (now === known) return;
    known = now;
    await responder?.close();
    responder = null;
    const wire = await openWire(
      addresses.filter((address) => !address.includes(":")),
      log,
    );
    if (wire === null) return;
    const tls = config.tls.mode !== "off";
    const path = `${config.http.basePath}/`;
    const identity = { name: config.mdns.name, port, tls, path, addresses };
    responder = new Responder({ identity, wire, log });
    // Closed while the sockets were opened.
    if (closed) await responder.close();
  };
  const lookSafely = () =>
    void look().catch((cause: unknown) =>
      log.debug({ err: cause }, "no name on the local network"),
    );
  lookSafely();
  const timer = setInterval(lookSafely, LOOK_EVERY_MS);
  timer.unref();
  return async () => {
    closed = true;
    clearInterval(timer);
    await responder?.close();
  };
}

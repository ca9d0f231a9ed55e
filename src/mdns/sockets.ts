/** Multicast on the networks of this machine: one socket for each IPv4 address, the first of them hears for all. */
import { createSocket, type Socket } from "node:dgram";
import { within } from "../clock.ts";
import type { Log } from "../log.ts";
import { MDNS_PORT, type Wire } from "./responder.ts";

const GROUP = "224.0.0.251";
/** Others check it: what comes from beyond a router has less. */
const HOPS = 255;

/** What was said last goes out within a moment, or not at all. */
const CLOSE_LIMIT_MS = 500;

/** A machine with more networks than this is a router. */
const NETWORKS_MAX = 16;

/** @returns null where none of the addresses takes part in multicast */
export async function openWire(
  addresses: readonly string[],
  log: Log,
  port = MDNS_PORT,
): Promise<Wire | null> {
  const opened = await Promise.all(
    addresses.slice(0, NETWORKS_MAX).map(async (address) => {
      const socket = await join(address, port).catch((cause: unknown) => {
        log.debug({ err: cause }, "no multicast on a network");
        return null;
      });
      return socket === null ? [] : [{ address, socket }];
    }),
  );
  const lines = new Map(opened.flat().map(({ address, socket }) => [address, socket]));
  const [first] = lines.values();
  if (first === undefined) return null;
  const underWay = new Set<Promise<void>>();
  return {
    addresses: [...lines.keys()],
    send: (address, bytes, to) => {
      const socket = lines.get(address);
      if (socket === undefined) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const sent = () => {
        underWay.delete(promise);
        resolve();
      };
      underWay.add(promise);
      socket.send(bytes, to?.port ?? port, to?.address ?? GROUP, sent);
    },
    listen: (onMessage) =>
      first.on("message", (bytes, { address, port: from }) =>
        onMessage(bytes, { address, port: from }),
      ),
    close: async () => {
      // A socket that is closed at once takes along what it was given to send.
      await within(CLOSE_LIMIT_MS, Promise.all(underWay));
      for (const socket of lines.values()) socket.close();
    },
  };
}

function join(address: string, port: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  // Others on this machine listen there too: avahi, browsers.
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  socket.once("error", reject);
  socket.bind(port, () => {
    try {
      socket.addMembership(GROUP, address);
      socket.setMulticastInterface(address);
      socket.setMulticastTTL(HOPS);
      socket.setMulticastLoopback(true);
      socket.removeListener("error", reject);
      // A network that goes is no reason to stop.
      socket.on("error", () => undefined);
      socket.unref();
      resolve(socket);
    } catch (cause) {
      socket.close();
      reject(cause);
    }
  });
  return promise;
}

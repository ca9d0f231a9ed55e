/**
 * Socket activation: systemd listens, and gives the server the listening socket. Connections that come while the server
 * restarts wait in that socket's queue instead of being refused. `Bun.serve` cannot be given a socket, so it listens on
 * one of its own, on a port of the loopback that nobody knows, and that socket is then replaced by systemd's, under the
 * same number and in the same event loop. What the event loop knows the socket by is read from /proc.
 * Held by tests/systemd and inherited-socket.test.ts: another Bun may need another way.
 */
import { closeSync, existsSync, fstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { libc, ptr } from "./libc.ts";

/** What systemd gave the process, out of its environment. */
export interface SocketEnvironment {
  LISTEN_FDS?: string | undefined;
  LISTEN_PID?: string | undefined;
}

/** The first descriptor that systemd hands over, by its protocol. */
const firstDescriptor = 3;

/** The listening socket that systemd handed to this process; null when it did not. */
export function inheritedSocket(environment: SocketEnvironment, pid: number): number | null {
  const { LISTEN_FDS: count = "", LISTEN_PID: owner } = environment;
  if (owner !== String(pid) || !/^[1-9]\d*$/.test(count)) return null;
  if (count !== "1") {
    throw new Error(
      `systemd handed over ${count} sockets; kinomill.socket may have one ListenStream=`,
    );
  }
  return fstatSync(firstDescriptor).isSocket() ? firstDescriptor : null;
}

const closeOnExec = 0o2000000;
const getFlags = 3;
const setFlags = 4;
const duplicateClosedOnExec = 1030;
const nonBlocking = 0o4000;
const epollAdd = 1;

/**
 * Lets a server that `listen` starts accept from the inherited socket instead of its own.
 * @param listen starts `Bun.serve` on 127.0.0.1, port 0, and does nothing else that opens sockets
 * @throws Error when this Bun cannot be given the socket; the server is then of no use
 */
export function acceptFrom<Server>(inherited: number, listen: () => Server): Listening<Server> {
  const { server, descriptor: number } = listeningSocket(listen);
  const watcher = watcherOf(number);
  const library = libc();
  const flags = library.fcntl(inherited, getFlags, 0);
  if (library.fcntl(inherited, setFlags, flags | nonBlocking) < 0) throw failed("fcntl");
  // The old socket closes by this, and leaves the event loop.
  if (library.dup3(inherited, number, closeOnExec) !== number) throw failed("dup3");
  if (library.epoll_ctl(watcher.descriptor, epollAdd, number, ptr(watcher.event)) !== 0) {
    throw failed("epoll_ctl");
  }
  closeSync(inherited);
  return { server, descriptor: number };
}

/** A server, and the number of the socket that it accepts from. */
export interface Listening<Server> {
  server: Server;
  descriptor: number;
}

/** @param listen starts `Bun.serve` and does nothing else that listens */
export function listeningSocket<Server>(listen: () => Server): Listening<Server> {
  const before = openSockets();
  const server = listen();
  // Other threads open connections at any time; they do not listen.
  const listens = listeningNames();
  const own = [...openSockets()].filter(([name]) => !before.has(name) && listens.has(name));
  const [, descriptor] = own[0] ?? [];
  if (descriptor === undefined || own.length !== 1) {
    throw new Error(`expected one new socket of Bun's server, found ${own.length}`);
  }
  return { server, descriptor };
}

/** A second number for the same socket, which goes on when the first is closed. */
export function duplicate(descriptor: number): number {
  const copy = libc().fcntl(descriptor, duplicateClosedOnExec, firstDescriptor);
  if (copy < 0) throw failed("fcntl");
  return copy;
}

/** What the kernel calls the sockets of TCP that listen: state 0A in its tables. */
function listeningNames(): Set<string> {
  const names = new Set<string>();
  for (const table of ["/proc/self/net/tcp", "/proc/self/net/tcp6"]) {
    if (!existsSync(table)) continue;
    for (const line of readFileSync(table, "utf8").split("\n")) {
      const [, , , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === "0A") names.add(`socket:[${inode}]`);
    }
  }
  return names;
}

function failed(call: string): Error {
  return new Error(`cannot take over the socket of systemd: ${call} failed`);
}

/** Sockets of this process by what the kernel calls them ("socket:[4711]"), with their numbers. */
function openSockets(): Map<string, number> {
  const sockets = new Map<string, number>();
  for (const [number, name] of descriptors()) {
    if (name.startsWith("socket:")) sockets.set(name, number);
  }
  return sockets;
}

function descriptors(): [number, string][] {
  return readdirSync("/proc/self/fd").flatMap((number): [number, string][] => {
    try {
      return [[Number(number), readlinkSync(`/proc/self/fd/${number}`)]];
    } catch {
      // The one that the folder itself was read by.
      return [];
    }
  });
}

/** The event loop that watches the descriptor, and its `struct epoll_event` there. */
function watcherOf(watched: number): { descriptor: number; event: Uint8Array } {
  for (const [descriptor, name] of descriptors()) {
    if (!name.includes("[eventpoll]")) continue;
    const line = new RegExp(`^tfd:\\s*${watched}\\s+events:\\s*(\\w+)\\s+data:\\s*(\\w+)`, "m");
    const found = line.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"));
    if (found === null) continue;
    const event = new DataView(new ArrayBuffer(16));
    event.setUint32(0, Number.parseInt(found[1] as string, 16), true);
    // Packed on x86-64 alone.
    const offset = process.arch === "x64" ? 4 : 8;
    event.setBigUint64(offset, BigInt(`0x${found[2]}`), true);
    return { descriptor, event: new Uint8Array(event.buffer) };
  }
  throw new Error("no event loop watches the socket of Bun's server");
}

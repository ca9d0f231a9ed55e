/**
 * Tells systemd how the server fares (sd_notify): ready, alive, stopping, and a line for `systemctl status`. Bun has no
 * datagram sockets of the kind that systemd listens on, and a child that tells it would need NotifyAccess=all, so this
 * calls the C library. Outside systemd, or of another type than notify, nothing is loaded and nothing is told.
 */
import { libc, ptr } from "./libc.ts";

/** What systemd gave the process, out of its environment. */
export interface NotifyEnvironment {
  NOTIFY_SOCKET?: string | undefined;
  WATCHDOG_USEC?: string | undefined;
  WATCHDOG_PID?: string | undefined;
}

export interface Supervision {
  /** Milliseconds after which systemd kills a server that has not said `WATCHDOG=1`; null when it does not watch. */
  readonly watchdogMs: number | null;
  /** Sends lines such as `READY=1`. Never throws: a supervisor that does not listen must not stop the server. */
  tell(...lines: string[]): void;
}

const addressUnix = 1;
/** SOCK_DGRAM | SOCK_CLOEXEC: ffmpeg must not be able to speak for the server. */
const datagramClosedOnExec = 0o2000002;
/** MSG_DONTWAIT: a systemd that hangs must not hang the server. */
const withoutWaiting = 0x40;
/** sockaddr_un: two bytes of family, 108 of path. */
const pathBytesMax = 108;

/** @param pid of this process, which alone may feed the watchdog when systemd names one */
export function openSupervision(environment: NotifyEnvironment, pid: number): Supervision {
  const path = environment.NOTIFY_SOCKET ?? "";
  const watchdogMs = watchdogOf(environment, pid);
  // A leading @ is a name in the abstract space, which begins with a zero byte.
  const name = new TextEncoder().encode(path.replace(/^@/, "\0"));
  if (!/^[/@]/.test(path) || name.length >= pathBytesMax) {
    return { watchdogMs: null, tell: () => {} };
  }
  const { socket, sendto } = libc();
  const descriptor = socket(addressUnix, datagramClosedOnExec, 0);
  const address = new Uint8Array(2 + name.length);
  address[0] = addressUnix;
  address.set(name, 2);
  return {
    watchdogMs,
    tell: (...lines) => {
      const text = new TextEncoder().encode(lines.map(oneLine).join("\n"));
      sendto(descriptor, ptr(text), text.length, withoutWaiting, ptr(address), address.length);
    },
  };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ");
}

/** Null when systemd does not watch, or watches another process. */
function watchdogOf(environment: NotifyEnvironment, pid: number): number | null {
  const { WATCHDOG_USEC: microseconds = "", WATCHDOG_PID: watched } = environment;
  if (!/^[1-9]\d*$/.test(microseconds)) return null;
  if (watched !== undefined && watched !== "" && watched !== String(pid)) return null;
  return Number(microseconds) / 1000;
}

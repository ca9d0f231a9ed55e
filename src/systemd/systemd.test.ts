/** What systemd says to the process by its environment. What the process says back is in tests/systemd. */
import { describe, expect, test } from "bun:test";
import { fstatSync } from "node:fs";
import { journalPrefix } from "../log.ts";
import { inheritedSocket } from "./inherited-socket.ts";
import { printsToJournal } from "./journal.ts";
import { openSupervision } from "./notify.ts";

describe("the watchdog", () => {
  const limitOf = (environment: Record<string, string>, socket = "/nowhere/notify") =>
    openSupervision({ NOTIFY_SOCKET: socket, ...environment }, 42).watchdogMs;

  test("is fed when systemd watches this process", () => {
    expect(limitOf({ WATCHDOG_USEC: "30000000" })).toBe(30_000);
    expect(limitOf({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "42" })).toBe(30_000);
  });

  test("is another's when systemd watches another process, none, or does not listen", () => {
    expect(limitOf({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "43" })).toBeNull();
    expect(limitOf({})).toBeNull();
    expect(limitOf({ WATCHDOG_USEC: "0" })).toBeNull();
    expect(limitOf({ WATCHDOG_USEC: "30000000" }, "")).toBeNull();
  });
});

test("a supervisor that does not listen stops nothing", () => {
  const paths = ["", "/nowhere/notify", "@nobody", "vsock:2:1", `/${"x".repeat(200)}`];
  for (const path of paths) {
    expect(() => openSupervision({ NOTIFY_SOCKET: path }, 42).tell("READY=1")).not.toThrow();
  }
});

test("a socket is inherited only by the process that it was meant for", () => {
  expect(inheritedSocket({}, 42)).toBeNull();
  expect(inheritedSocket({ LISTEN_FDS: "1", LISTEN_PID: "43" }, 42)).toBeNull();
  expect(inheritedSocket({ LISTEN_FDS: "0", LISTEN_PID: "42" }, 42)).toBeNull();
  expect(() => inheritedSocket({ LISTEN_FDS: "2", LISTEN_PID: "42" }, 42)).toThrow("2 sockets");
});

describe("the journal", () => {
  test("is meant only while the output still goes there", () => {
    const { dev, ino } = fstatSync(1, { bigint: true });
    expect(printsToJournal(`${dev}:${ino}`)).toBe(true);
    expect(printsToJournal(`${dev}:${ino + 1n}`)).toBe(false);
    expect(printsToJournal(undefined)).toBe(false);
  });

  test("gets pino's levels as syslog's", () => {
    const levels = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 };
    expect(Object.values(levels).map(journalPrefix).join("")).toBe("<7><7><6><4><3><3>");
  });
});

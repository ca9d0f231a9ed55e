import { describe, expect, test } from "bun:test";
import { parseSchedule } from "./schedule.ts";

const HOUR = 3_600_000;
const at = (text: string) => new Date(text).getTime();

describe("a schedule", () => {
  test("of hours counts from the last time", () => {
    const schedule = parseSchedule("6h");
    expect(schedule?.intervalMs()).toBe(6 * HOUR);
    expect(schedule?.nextMs(at("2026-01-01T00:00:00Z"), at("2026-01-09T00:00:00Z"))).toBe(
      at("2026-01-01T06:00:00Z"),
    );
    expect(schedule?.nextMs(null, 5)).toBe(5);
  });

  test("of cron gives the first moment after the last time, in the time of this box", () => {
    const schedule = parseSchedule("15 3 * * *");
    const last = new Date(2026, 0, 10, 3, 15, 0);
    expect(schedule?.nextMs(last.getTime(), last.getTime() + 99 * HOUR)).toBe(
      new Date(2026, 0, 11, 3, 15, 0).getTime(),
    );
    // A day of 25 hours at most, where clocks are changed.
    expect([24 * HOUR, 25 * HOUR]).toContain(schedule?.intervalMs() ?? 0);
    expect(parseSchedule("0 8 * * 1-5")?.intervalMs()).toBeGreaterThanOrEqual(71 * HOUR);
  });

  test("off is never", () => {
    const schedule = parseSchedule("off");
    expect([schedule?.nextMs(1, 2), schedule?.intervalMs()]).toEqual([null, null]);
  });

  test.each([
    "",
    "0h",
    "9999h",
    "6",
    "h",
    "* * * *",
    "* * * * * *",
    "61 * * * *",
    "daily",
    "x".repeat(99),
  ])("%p is none", (words) => expect(parseSchedule(words)).toBeNull());
});

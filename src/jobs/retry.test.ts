import { expect, test } from "bun:test";
import { failureCodes } from "../trouble.ts";
import { DELAY_MAX_MS, nextRun } from "./retry.ts";

const stalled = { code: "stalled", message: "It stalled.", retryable: true } as const;

test("what may pass is tried again later, each time four times as long, less by chance", () => {
  const delays = [1, 2, 3, 4].map((failures) => {
    const next = nextRun(stalled, failures, { runsMax: 5, random: 0 });
    return next.kind === "later" ? next.delayMs : null;
  });
  expect(delays).toEqual([10_000, 40_000, 160_000, 640_000]);
  const lucky = nextRun(stalled, 2, { runsMax: 5, random: 0.999 });
  expect(lucky.kind === "later" && lucky.delayMs).toBeWithin(20_000, 20_100);
  const late = nextRun(stalled, 19, { runsMax: 20, random: 0 });
  expect(late.kind === "later" && late.delayMs).toBe(DELAY_MAX_MS);
});

test("the last run that is allowed is the last", () => {
  expect(nextRun(stalled, 3, { runsMax: 3, random: 0 }).kind).toBe("never");
  expect(nextRun(stalled, 1, { runsMax: 1, random: 0 }).kind).toBe("never");
});

test("what the media or the request is to blame for is not tried again", () => {
  const chance = { runsMax: 5, random: 0 };
  const hopeless = failureCodes.filter(
    (code) => nextRun({ ...stalled, code }, 1, chance).kind === "never",
  );
  expect(hopeless).toEqual([
    "media_undecodable",
    "media_unsupported",
    "time_limit",
    "input_missing",
    "predecessor_failed",
    "quota_exceeded",
  ]);
  expect(nextRun({ ...stalled, retryable: false }, 1, chance).kind).toBe("never");
});

test("a full disk waits for room and not for time, but not for ever", () => {
  const full = { ...stalled, code: "disk_full" } as const;
  expect(nextRun(full, 3, { runsMax: 3, random: 0 }).kind).toBe("when-space");
  expect(nextRun(full, 10, { runsMax: 3, random: 0 }).kind).toBe("never");
});

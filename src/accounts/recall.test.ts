import { expect, test } from "bun:test";
import { ManualClock } from "../clock.ts";
import { Recall } from "./recall.ts";
import type { User } from "./user.ts";

const ann: User = { id: "us_1", name: "ann", role: "admin", createdAt: "2026-01-01T00:00:00.000Z" };

test("a secret is looked up once per moment, a stranger's each time", () => {
  const clock = new ManualClock();
  const recall = new Recall(clock);
  let looks = 0;
  const look = (user: User | null) => () => {
    looks += 1;
    return user === null ? null : { user, untilMs: Number.POSITIVE_INFINITY };
  };
  for (let request = 0; request < 10; request += 1) recall.user("kmt_ann", look(ann));
  expect(looks).toBe(1);
  clock.advance(100);
  // Revoked by another process meanwhile: from now on nobody.
  expect(recall.user("kmt_ann", look(null))).toBeNull();
  expect(recall.user("kmt_ann", look(null))).toBeNull();
  expect(looks).toBe(3);
});

test("what this process ends holds at once", () => {
  const recall = new Recall(new ManualClock());
  recall.user("kmt_ann", () => ({ user: ann, untilMs: Number.POSITIVE_INFINITY }));
  recall.forget();
  expect(recall.user("kmt_ann", () => null)).toBeNull();
});

test("an end that is known beforehand is kept to the millisecond", () => {
  const clock = new ManualClock();
  const recall = new Recall(clock);
  const untilMs = clock.nowMs() + 7;
  recall.user("secret", () => ({ user: ann, untilMs }));
  clock.advance(6);
  expect(recall.user("secret", () => null)).toEqual(ann);
  clock.advance(1);
  expect(recall.user("secret", () => null)).toBeNull();
});

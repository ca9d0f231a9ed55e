import { expect, test } from "bun:test";
import { allEnded } from "./ended.ts";

test("what all gave comes in their order", async () => {
  expect(await allEnded([Promise.resolve(1), Promise.resolve(2)])).toEqual([1, 2]);
});

test("what one throws comes when the others have ended too", async () => {
  const other = Promise.withResolvers<number>();
  let isOver = false;
  const both = allEnded([Promise.reject(new Error("one")), other.promise]).finally(() => {
    isOver = true;
  });
  both.catch(() => {});
  await Bun.sleep(5);
  expect(isOver).toBe(false);
  other.resolve(1);
  await expect(both).rejects.toThrow("one");
});

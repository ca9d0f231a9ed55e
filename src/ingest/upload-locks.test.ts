/** Who works on an upload: one at a time, and the later one wins. */
import { expect, test } from "bun:test";
import { Refusal } from "../trouble.ts";
import { UploadLocks } from "./upload-locks.ts";

test("who comes later stops the one before, and waits until it has let go", async () => {
  const locks = new UploadLocks();
  const order: string[] = [];
  const first = await locks.acquire("a", (cause) => {
    order.push(`stop ${cause.status}`);
    setTimeout(() => {
      order.push("first lets go");
      first();
    }, 20);
  });
  const second = await locks.acquire("a", () => undefined);
  order.push("second works");
  expect(order).toEqual(["stop 423", "first lets go", "second works"]);
  expect(locks.isHeld("a")).toBe(true);
  // Late, and not its lock any more.
  first();
  expect(locks.isHeld("a")).toBe(true);
  second();
  expect(locks.isHeld("a")).toBe(false);
});

test("who does not let go is waited for so long and no longer", async () => {
  const locks = new UploadLocks(20);
  await locks.acquire("a", () => undefined);
  const refused = await locks.acquire("a", () => undefined).catch((cause: unknown) => cause);
  expect(refused).toBeInstanceOf(Refusal);
  expect((refused as Refusal).status).toBe(423);
  expect(await locks.acquire("b", () => undefined)).toBeFunction();
});

test("a hundred at once: never two, and all have their turn", async () => {
  const locks = new UploadLocks();
  let working = 0;
  let most = 0;
  let turns = 0;
  const work = async () => {
    const release = await locks.acquire("a", () => undefined);
    working += 1;
    most = Math.max(most, working);
    await Bun.sleep(1);
    working -= 1;
    turns += 1;
    release();
  };
  await Promise.all(Array.from({ length: 100 }, work));
  expect([most, turns]).toEqual([1, 100]);
});

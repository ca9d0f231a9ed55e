import { expect, test } from "bun:test";
import { Refusal } from "../trouble.ts";
import { arrange } from "./arrangement.ts";

const ids = ["jb_0", "jb_1", "jb_2", "jb_3"];

function refusalOf(requests: Parameters<typeof arrange>[0]): Refusal {
  try {
    arrange(requests, ids);
  } catch (cause) {
    if (cause instanceof Refusal) return cause;
    throw cause;
  }
  throw new Error("nothing was refused");
}

test("jobs come after those that they wait for; ids of others go through", () => {
  const { order, of } = arrange(
    [{ after: ["#b", "jb_old"] }, { ref: "a" }, { ref: "b", after: ["#a", "#a"] }, {}],
    ids,
  );
  expect(order).toEqual([1, 2, 0, 3]);
  expect(of).toEqual([["jb_2", "jb_old"], [], ["jb_1"], []]);
});

test("a circle is refused with its way", () => {
  const refusal = refusalOf([
    { ref: "a", after: ["#c"] },
    { ref: "b", after: ["#a"] },
    { ref: "c", after: ["#b"] },
  ]);
  expect([refusal.status, refusal.code]).toEqual([422, "cycle"]);
  expect(refusal.message).toContain("#a waits for #c waits for #b waits for #a");
  expect(refusal.errors).toEqual([{ path: "after", message: "#a → #c → #b → #a" }]);
  expect(refusalOf([{ ref: "a", after: ["#a"] }]).errors[0]?.message).toBe("#a → #a");
});

test("names that are not there, or there twice, are refused with their place", () => {
  expect(refusalOf([{}, { after: ["jb_x", "#nobody"] }]).errors[0]?.path).toBe("jobs.1.after.1");
  expect(refusalOf([{ ref: "a" }, { ref: "a" }]).errors[0]?.path).toBe("jobs.1.ref");
});

test("a long chain is arranged without running out of stack", () => {
  const count = 1000;
  const chain = Array.from({ length: count }, (_, n) => ({
    ref: `r${n}`,
    after: n + 1 < count ? [`#r${n + 1}`] : [],
  }));
  const { order } = arrange(
    chain,
    chain.map((_, n) => `jb_${n}`),
  );
  expect(order[0]).toBe(count - 1);
});

import { expect, test } from "bun:test";
import { ratesOf } from "./rates.ts";

const megabit = 125_000;

test("the peak is that of the hardest stretch between half and one and a half targets", () => {
  const segments = [1, 3, 2].map((rate) => ({ bytes: 4 * rate * megabit, seconds: 4 }));
  expect(ratesOf(segments, 4)).toEqual({ peak: 3_000_000, average: 2_000_000 });
});

test("a short rest counts with what stands before it alone", () => {
  const rest = { bytes: megabit, seconds: 0.1 };
  const segments = [{ bytes: 4 * megabit, seconds: 4 }, rest];
  expect(ratesOf(segments, 4).peak).toBe(Math.ceil((5 * 8 * megabit) / 4.1));
});

test("where nothing is so long the average is the peak", () => {
  expect(ratesOf([{ bytes: 1000, seconds: 0.5 }], 4)).toEqual({ peak: 16_000, average: 16_000 });
});

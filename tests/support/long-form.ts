/** Tests that only `script/test --full` has: they take too long for every change. */
import { test } from "bun:test";

export const everything = process.env["KINOMILL_TEST_EVERYTHING"] === "1";

/** A test of the long form. In the usual run it is not there, rather than skipped: nothing is wrong then. */
export function testInLongForm(
  name: string,
  run: () => Promise<void>,
  limitMs?: number | undefined,
): void {
  if (everything) test(name, run, limitMs);
}

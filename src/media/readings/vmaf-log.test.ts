import { expect, test } from "bun:test";
import { vmafValues } from "./vmaf-log.ts";

/** Of libvmaf 3 with every fifth frame, and with the model that gives no points for enhancement. */
const logs = [
  ["Frame,integer_motion2,integer_motion,integer_adm2,vmaf,", "0,0.00,0.00,0.96,82.727770,"],
  ["Frame,integer_adm2_egl_1,integer_motion2,vmaf,", "0,0.95,0.00,79.951629,", "5,0.93,1.9,72.8,"],
];

async function* given(lines: string[]) {
  yield* lines;
}

test("scores are found in their column, with the number of their frame", async () => {
  const found = await Promise.all(logs.map((log) => Array.fromAsync(vmafValues(given(log)))));
  expect(found).toEqual([
    [{ frame: 0, score: 82.72777 }],
    [
      { frame: 0, score: 79.951629 },
      { frame: 5, score: 72.8 },
    ],
  ]);
  expect(await Array.fromAsync(vmafValues(given([])))).toEqual([]);
});

import { describe, expect, test } from "bun:test";
import { DecodeErrors } from "./decode-errors.ts";

function errorsIn(lines: (string | [stream: number, seconds: number])[]) {
  const errors = new DecodeErrors();
  for (const line of lines) {
    if (typeof line === "string") errors.see(line);
    else errors.reach(...line);
  }
  return errors.found();
}

const mapping = [
  "  Stream #0:0 (h264) -> blackdetect:default",
  "  Stream #0:1 (aac) -> silencedetect:default",
  "  Stream #0:2 (aac) -> silencedetect:default",
];

describe("errors of decoders", () => {
  test("are known by ffmpeg 5.1 and by ffmpeg 7 and later", () => {
    const spots = errorsIn([
      [0, 1.2],
      "[error] Error while decoding stream #0:0: Invalid data found when processing input",
      "[vist#0:0/h264 @ 0x2c7c] [dec:h264 @ 0x2c81] [error] Error submitting packet to decoder: Invalid data",
      "    Last message repeated 2 times",
      [0, 9],
      "[vist#0:0/h264 @ 0x3b01] [dec:h264 @ 0x3b06] [warning] corrupt decoded frame",
      "[warning] file:/x: corrupt decoded frame in stream 1",
    ]);
    const about = (stream: number, at: number | null, failures: number) => ({
      ...{ stream, fromSeconds: at, toSeconds: at, failures, complaints: 0 },
    });
    expect(spots).toEqual([about(0, 1.2, 4), about(0, 9, 1), about(1, null, 1)]);
  });

  test("of a decoder belong to its stream, and to none where two streams have such a one", () => {
    const spots = errorsIn([
      ...mapping,
      [0, 3],
      [1, 4],
      "[h264 @ 0x5624] [error] concealing 80 DC, 80 AC, 80 MV errors in P frame",
      "[h264 @ 0x5624] [warning] is no error",
      "[aac @ 0x77] [error] channel element 3.4 is not allocated",
      "[null @ 0x77] [error] Application provided invalid, non monotonically increasing dts",
    ]);
    expect(spots).toEqual([
      { stream: 0, fromSeconds: 3, toSeconds: 3, failures: 0, complaints: 1 },
      { stream: null, fromSeconds: 4, toSeconds: 4, failures: 0, complaints: 1 },
    ]);
  });

  test("in their millions take no more room than some thousand", () => {
    const lines = Array.from({ length: 5000 }, (_, index): [number, number] => [0, index * 5]);
    const line = "[error] Error while decoding stream #0:0: Invalid data";
    const spots = errorsIn(lines.flatMap((reached) => [reached, line]));
    expect(spots).toHaveLength(2000);
    expect(spots.reduce((sum, { failures }) => sum + failures, 0)).toBe(5000);
  });
});

import { expect, test } from "bun:test";
import type { RunOutcome } from "../media/ffmpeg.ts";
import { proofOf } from "./proof.ts";

const outcome = (outputSeconds: number) =>
  ({
    ...{ kind: "exited", stderr: "" },
    progress: { frame: 50, outputSeconds },
  }) as Extract<RunOutcome, { kind: "exited" }>;

test.each([
  [2, 2, "1.0 × real time"],
  [4, 2, "2.0 × real time"],
  [1, 3, "0.3 × real time"],
  [200, 2, "100.0 × real time"],
])("%d s of video in %d s is told as %s, always with one digit", (output, seconds, words) => {
  const proof = proofOf({
    placement: { decode: "cpu", filters: "cpu", encode: "cpu", because: "" },
    encoder: "libx264",
    device: { id: "cpu", kind: "cpu", title: "CPU, 2 cores", slots: 1 },
    outcome: outcome(output),
    seconds,
    command: "ffmpeg",
  });
  expect(proof.sentence).toEndWith(`, ${words}.`);
});

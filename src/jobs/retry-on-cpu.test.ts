import { expect, test } from "bun:test";
import { QueueGround } from "../../tests/queue/ground.ts";

test("a job that is retried on the CPU waits with those that want it, until the next retry", () => {
  const ground = new QueueGround();
  const { asks, waiting } = ground.queue;
  const id = ground.add({ need: "gpu" });
  const only = (closed: "cpu" | "gpu") => [...waiting.inTurn(new Set([closed]))];
  expect(only("cpu").map(({ jobId }) => jobId)).toEqual([id]);
  for (const round of [1, 2]) {
    asks.cancel(ground.ann, id);
    expect(asks.retry(ground.ann, id, "cpu")).toBe(true);
    expect([round, only("cpu"), only("gpu").map(({ onlyOn }) => onlyOn)]).toEqual([
      round,
      [],
      ["cpu"],
    ]);
  }
  expect([ground.job(id).onlyOn, ground.claimed().onlyOn]).toEqual(["cpu", "cpu"]);
  asks.cancel(ground.ann, id);
  asks.retry(ground.ann, id);
  expect(only("gpu")).toEqual([]);
  expect(only("cpu").map(({ onlyOn }) => onlyOn)).toEqual([null]);
  ground.close();
});

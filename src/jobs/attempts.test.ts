import { afterEach, beforeEach, expect, test } from "bun:test";
import { QueueGround } from "../../tests/queue/ground.ts";
import type { FailureReport } from "../trouble.ts";
import type { Claim } from "./queue.ts";
import { findJob } from "./rows.ts";

let ground: QueueGround;

beforeEach(() => {
  ground = new QueueGround();
});

afterEach(() => ground.close());

const error: FailureReport = {
  ...{ code: "encoder_failed", message: "It is gone.", hint: "", retryable: true, log: "" },
};

const endings: Record<string, [end: (claim: Claim) => unknown, outcomes: string[]]> = {
  running: [() => true, ["running"]],
  succeeded: [(claim) => ground.queue.succeed(claim, () => {}), ["succeeded"]],
  failed: [(claim) => ground.queue.failForGood(claim, error), ["failed"]],
  cancelled: [(claim) => ground.queue.asks.cancel(ground.ann, claim.jobId), ["cancelled"]],
  released: [(claim) => ground.queue.release(claim), ["interrupted"]],
  postponed: [(claim) => ground.queue.postpone(claim, error, 1_000, "Later."), ["failed"]],
  "out of room": [(claim) => ground.queue.makeRoom(claim, error, 1, "Full."), ["failed"]],
  died: [() => ground.queue.recover([], true), ["interrupted"]],
  elsewhere: [
    (claim) => ground.queue.tryElsewhere(claim, error, { id: "gpu:1" }),
    ["failed", "running"],
  ],
};

for (const [name, [end, outcomes]] of Object.entries(endings)) {
  test(`the attempts of a job that is ${name} are told with all that was known of them`, () => {
    const id = ground.add();
    const claim = ground.queue.claimNext({ id: "gpu:0" });
    if (claim === null) throw new Error("nothing to claim");
    ground.queue.noteRun(claim, { device: "gpu:0", deviceReason: "Free.", proof: null });
    ground.queue.noteAttempt(claim, ["Kept."]);
    expect(end(claim)).toBeTruthy();
    const attempts = findJob(ground.database, ground.ann.id, id)?.attempts ?? [];
    expect(attempts.map(({ outcome }) => outcome as string)).toEqual(outcomes);
    expect(attempts[0]).toMatchObject({
      ...{ fence: 1, device: "gpu:0", deviceReason: "Free.", notes: ["Kept."] },
    });
    const ended = attempts.map(({ finishedAt }) => finishedAt !== null);
    expect(ended).toEqual(outcomes.map((outcome) => outcome !== "running"));
    if (attempts[1] === undefined) return;
    expect(attempts[1]).toMatchObject({ fence: 2, device: "gpu:1", deviceReason: null, notes: [] });
  });
}

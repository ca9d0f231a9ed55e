import { afterEach, beforeEach, expect, test } from "bun:test";
import { failure, QueueGround } from "../../tests/queue/ground.ts";
import { Alarm, endBackOffs, wakeDue } from "./alarm.ts";

const DAY_MS = 86_400_000;

let ground: QueueGround;

beforeEach(() => {
  ground = new QueueGround({ random: () => 0, runsMax: 3 });
});

afterEach(() => ground.close());

const wake = () => wakeDue(ground.queue.ledger, 100);
const inMs = (ms: number) => new Date(ground.clock.nowMs() + ms).toISOString();

function backingOff(): string {
  const id = ground.add();
  ground.queue.fail(ground.claimed(), failure("stalled", true));
  return id;
}

test("a job with a time starts at that time of the clock on the wall, however that is set", () => {
  const id = ground.add({ notBefore: inMs(60_000) });
  ground.clock.advance(59_000);
  expect(wake()).toBe(0);
  ground.clock.setWall(-DAY_MS);
  ground.clock.advance(2_000);
  expect(wake()).toBe(0);
  ground.clock.setWall(DAY_MS);
  expect(wake()).toBe(1);
  expect(ground.job(id)).toMatchObject({ state: "queued", waitsFor: null, notBefore: null });
  expect(ground.moves(id).at(-1)).toBe("wake → queued");
});

test("a back-off takes its time, whatever is done to the clock on the wall", () => {
  const id = backingOff();
  ground.clock.setWall(DAY_MS);
  ground.clock.advance(9_000);
  expect(wake()).toBe(0);
  ground.clock.setWall(-2 * DAY_MS);
  ground.clock.advance(1_000);
  expect(wake()).toBe(1);
  expect(ground.claimed().jobId).toBe(id);
});

test("after a restart nothing backs off any more", () => {
  backingOff();
  ground.clock.setWall(-DAY_MS);
  ground.restart();
  endBackOffs(ground.queue.ledger);
  expect(wake()).toBe(1);
});

test("a person who takes the time away lets the job start at once", () => {
  const id = ground.add({ notBefore: inMs(60_000) });
  ground.queue.asks.setNotBefore(ground.ann, id, null);
  expect(ground.claimed().jobId).toBe(id);
});

test("the alarm rings in time, and for many at once", async () => {
  for (let n = 0; n < 3; n += 1) ground.add({ notBefore: inMs(5_000) });
  let rung = 0;
  const alarm = new Alarm(ground.queue.ledger, () => {
    rung += 1;
  });
  alarm.start();
  expect(rung).toBe(0);
  ground.clock.advance(5_000);
  const deadline = performance.now() + 5_000;
  while (rung === 0 && performance.now() < deadline) await Bun.sleep(5);
  alarm.stop();
  expect([rung, ground.queue.claimNext({ id: "cpu" }) !== null]).toEqual([1, true]);
});

import { describe, expect, test } from "bun:test";
import { ManualClock } from "../clock.ts";
import type { Progress } from "../media/progress.ts";
import { Feed, type FeedEvent, PROGRESS_INTERVAL_MS } from "./feed.ts";

const progress: Progress = {
  percent: 1,
  frame: null,
  fps: null,
  outputSeconds: null,
  speed: null,
  etaSeconds: null,
  sizeBytes: null,
};

describe("the feed", () => {
  test("tells an owner only what is the owner's, until the subscription ends", () => {
    const feed = new Feed(new ManualClock());
    const heard: FeedEvent[] = [];
    const end = feed.subscribe("us_1", (event) => heard.push(event));
    feed.publish("us_1", { type: "asset", assetId: "as_1", change: "added" });
    feed.publish("us_2", { type: "asset", assetId: "as_2", change: "added" });
    end();
    feed.publish("us_1", { type: "asset", assetId: "as_3", change: "added" });
    expect(heard.map((event) => event.type === "asset" && event.assetId)).toEqual(["as_1"]);
  });

  test("lets progress of one job through at most every 500 ms", () => {
    const clock = new ManualClock();
    const feed = new Feed(clock);
    let heard = 0;
    feed.subscribe("us_1", () => {
      heard += 1;
    });
    for (let ms = 0; ms < 2000; ms += 100) {
      feed.publish("us_1", { type: "progress", jobId: "jb_1", progress });
      feed.publish("us_1", { type: "progress", jobId: "jb_2", progress });
      clock.advance(100);
    }
    expect(heard).toBe((2 * 2000) / PROGRESS_INTERVAL_MS);
  });

  test("gives back what was missed, and null when it no longer knows", () => {
    const feed = new Feed(new ManualClock());
    const start = feed.latestId;
    for (let n = 0; n < 3; n += 1) {
      feed.publish(`us_${n % 2}`, { type: "asset", assetId: `as_${n}`, change: "added" });
    }
    expect(feed.since("us_0", start)?.length).toBe(2);
    expect(feed.since("us_0", feed.latestId)).toEqual([]);
    expect(feed.since("us_0", feed.latestId + 5)).toBeNull();
    for (let n = 0; n < 1500; n += 1) {
      feed.publish("us_0", { type: "asset", assetId: `as_${n}`, change: "added" });
    }
    expect(feed.since("us_0", start)).toBeNull();
  });
});

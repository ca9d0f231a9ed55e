/** Estimates of the real server: what its jobs were like is told of the next, also by its command line and after a restart. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { Api } from "./api.ts";
import { Appliance, eventually, kinomill } from "./appliance.ts";
import { plainClip } from "./clips.ts";

setDefaultTimeout(120_000);

const transcode = { operation: "transcode", params: { video: { quality: 50 } } };

test("the size of the next job is told within a fifth, and everybody's jobs count", async () => {
  await using appliance = await Appliance.start();
  const ann = new Api(appliance.url, await appliance.token("ann"));
  const bob = new Api(appliance.url, await appliance.token("bob"));
  const wish = { ...transcode, inputs: [(await ann.add(plainClip())).id] };
  const first = await ann.post("/api/v1/jobs/estimate", wish);
  expect(first.status).toBe(200);
  expect(first.body.basis).toBe("a first guess; it learns from finished jobs");
  expect(first.body.queuedAhead).toBe(0);

  const job = await ann.run("transcode", wish.inputs, wish.params);
  expect(job.predicted.basis).toBe(first.body.basis);
  const [made] = job.outputs;
  const { sizeBytes } = (await ann.get(`/api/v1/assets/${made}`)).body;

  const theirs = { ...transcode, inputs: [(await bob.add(plainClip())).id] };
  const next = (await bob.post("/api/v1/jobs/estimate", theirs)).body;
  expect(next.basis).toBe("from 1 job like it on this box");
  expect(Math.abs(next.predictedBytes / sizeBytes - 1)).toBeLessThan(0.2);
  // How busy the machine was is the learned part; that it was learned at all shows in the range.
  const spread = (range: { low: number; high: number }) => range.high / range.low;
  expect(spread(next.predictedSecondsRange)).toBeLessThan(spread(first.body.predictedSecondsRange));
  expect(JSON.stringify(next)).not.toContain("ann");

  await appliance.end();
  await using again = await Appliance.start({ folder: appliance.folder });
  const later = new Api(again.url, bob.token);
  // Until it has looked at its ffmpeg it answers 503.
  const after = await eventually("the server estimates", 20_000, async () => {
    const answer = await later.post("/api/v1/jobs/estimate", theirs);
    return answer.status === 200 ? answer : null;
  });
  expect(after.body.basis).toBe("from 1 job like it on this box");
  const argv = ["run", "transcode", plainClip(), "--estimate", "-p", "video.quality=50"];
  const data = ["--data", again.dataFolder];
  const told = await kinomill([...argv, ...data, "--json"]);
  expect(told.exitCode).toBe(0);
  const estimate = JSON.parse(told.stdout);
  expect(estimate.basis).toBe("from 1 job like it on this box");
  expect(estimate.predictedBytes).toBe(after.body.predictedBytes);
  const words = await kinomill([...argv, ...data]);
  expect(words.stdout).toContain("From 1 job like it on this box.");
});

test("the command line estimates without a server, and says what is missing", async () => {
  const argv = ["run", "transcode", plainClip(), "-p", "video.quality=50"];
  const told = await kinomill([...argv, "--estimate", "--data", "/nonexistent"]);
  expect(told.stdout).toContain("Encode H.264 at 320×180");
  expect(told.stdout).toMatch(
    /In all .*\(.* to .*\)\.\nA first guess; it learns from finished jobs\./,
  );
  const without = await kinomill(argv);
  expect(without.exitCode).toBe(2);
  expect(without.stderr).toContain("--estimate");
});

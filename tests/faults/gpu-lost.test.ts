/**
 * Promised: a GPU that is lost costs time, not the job, and the job tells the truth about where it ran. Injected: the
 * emulated GPU falls off the bus while it encodes. Counted: attempts, outputs, and what really reached the driver.
 */
import { expect, test } from "bun:test";
import { Api, type Json } from "../api.ts";
import { Appliance, eventually } from "../appliance.ts";
import { plainClip } from "../clips.ts";
import { type GpuBox, gpuBox } from "../gpu-box.ts";
import { note, roundsOf } from "./count.ts";

const params = { video: { codec: "h264", quality: 40 } };

/** Milliseconds for each picture: long enough to take the GPU away in the middle. */
const PICTURE_MS = 100;

const withGpus = (found: Json) => found.gpus.state === "found" && found;

/** Runs one job on a GPU; `during` is called while it encodes there. */
async function encode(
  { api, box }: { api: Api; box: GpuBox },
  during: (gpu: number) => void,
): Promise<Json> {
  const source = await api.add(plainClip());
  for (const gpu of [0, 1]) box.slow(gpu, PICTURE_MS);
  const before = box.logEvents().length;
  const job = await api.start("transcode", [source.id], params);
  const opened = await eventually("a GPU encodes", 60_000, async () =>
    box
      .logEvents()
      .slice(before)
      .find(({ ev }) => ev === "init"),
  );
  during(opened.gpu ?? 0);
  for (const gpu of [0, 1]) box.slow(gpu, 0);
  return await api.waitFor(job.id, "succeeded", "failed");
}

test("a GPU lost in the middle of an encode: the job goes on elsewhere and says so", async () => {
  using box = gpuBox({ gpus: "twoL4" });
  await using appliance = await Appliance.start({ environment: box.environment });
  const api = new Api(appliance.url, await appliance.token("ann"));
  await eventually("the GPUs are known", 60_000, async () =>
    withGpus((await api.get("/api/v1/system")).body),
  );
  // Control: with both GPUs there one attempt is enough, and it is a GPU's.
  const whole = await encode({ api, box }, () => {});
  expect([whole.state, whole.attempts.length]).toEqual(["succeeded", 1]);
  expect(whole.device).toStartWith("gpu:");
  const rounds = roundsOf(1, 10);
  for (let round = 0; round < rounds; round += 1) {
    let lost = 0;
    const job = await encode({ api, box }, (gpu) => {
      lost = gpu;
      box.lose(gpu);
    });
    expect([job.state, job.error, job.outputs.length]).toEqual(["succeeded", null, 1]);
    const [first, ...others] = job.attempts;
    expect([first.outcome, first.device]).toEqual(["failed", `gpu:${lost}`]);
    expect(others.length).toBeGreaterThan(0);
    expect(others.at(-1).device).not.toBe(`gpu:${lost}`);
    expect(first.error.message).toMatch(/lost|GPU|NVIDIA/);
    box.find(lost);
    if (round + 1 === rounds) break;
    await eventually("it is in service again", 120_000, async () => {
      const { body } = await api.get("/api/v1/system");
      const device = body.devices.find(({ id }: Json) => id === `gpu:${lost}`);
      return device !== undefined && /^Ready/.test(device.reason);
    });
  }
  note("gpu-lost", {
    ...{ rounds, acknowledged: 2 + 2 * rounds, lost: 0, doubled: 0, falsified: 0 },
    control: "with the GPU there the same job took one attempt on it",
  });
}, 300_000);

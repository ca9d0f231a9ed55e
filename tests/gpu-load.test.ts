/** What the GPUs of an emulated box are doing, as the executable tells it while a job runs on one. */
import { expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Api, type Json } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import { type GpuBox, gpuBox } from "./gpu-box.ts";

const LIMIT_MS = 60_000;

/** Puts a script before nvidia-smi that notes each time when one is asked for its load. */
function countSamples(box: GpuBox): () => number {
  const notes = join(box.stateFolder, "samples");
  const smi = Bun.which("nvidia-smi", { PATH: box.environment["PATH"] ?? "" });
  const script = `case "$1" in *temperature.gpu*) echo >> ${notes};; esac\nexec ${smi} "$@"`;
  const path = join(box.stateFolder, "nvidia-smi");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  box.environment["PATH"] = `${box.stateFolder}:${box.environment["PATH"]}`;
  return () => (existsSync(notes) ? readFileSync(notes, "utf8").length : 0);
}

async function clip(folder: string): Promise<string> {
  const file = join(folder, "clip.mp4");
  const argv = `ffmpeg -v error -nostdin -f lavfi -i testsrc2=s=320x240:r=25:d=6 -pix_fmt yuv420p ${file}`;
  if (!Bun.spawnSync(argv.split(" ")).success) throw new Error("ffmpeg made no clip");
  return file;
}

async function devicesOf(api: Api, query = ""): Promise<Json[]> {
  return (await api.get(`/api/v1/system/devices${query}`)).body.devices;
}

/** Reads the stream until a message holds what is looked for, and leaves. */
async function listenFor(api: Api, wanted: (devices: Json[]) => boolean): Promise<Json[]> {
  const response = await fetch(`${api.url}/api/v1/system/devices/events`, {
    headers: { Authorization: `Bearer ${api.token}` },
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += new TextDecoder().decode(chunk);
    const messages = text.split("\n\n");
    text = messages.pop() ?? "";
    for (const message of messages) {
      const [, data] = /^event: devices\ndata: (.*)$/.exec(message) ?? [];
      const { devices } = data === undefined ? { devices: null } : JSON.parse(data);
      if (devices !== null && wanted(devices)) return devices;
    }
  }
  throw new Error("the stream ended");
}

test(
  "nothing is sampled for nobody; a job on a GPU is seen in its load and proven on the job",
  async () => {
    using box = gpuBox({ gpus: "twoL4", fault: { delayMs: 20 } });
    const samples = countSamples(box);
    await using appliance = await Appliance.start({ environment: box.environment });
    const api = new Api(appliance.url, await appliance.token("ann"));
    await eventually("the GPUs are known", LIMIT_MS, async () => {
      return (await api.get("/api/v1/system")).body.gpus.state === "found";
    });
    // Nobody has looked: nothing was sampled.
    expect(samples()).toBe(0);
    const [, idle] = await devicesOf(api);
    expect(idle.load).toMatchObject({
      ...{ encoderPercent: 0, sessionCount: 0, temperatureCelsius: 41, powerWatts: 27.4 },
      memoryTotalBytes: 24_152_899_584,
    });
    expect(samples()).toBe(1);

    const asset = await api.add(await clip(box.stateFolder));
    const job = await api.start("transcode", [asset.id], { video: { maxHeight: 144 } });
    const atWork = await listenFor(api, (devices) =>
      devices.some(({ load }) => load?.sessionCount === 1),
    );
    const used = atWork.find(({ load }) => load?.sessionCount === 1);
    expect(used).toMatchObject({ kind: "gpu", busy: 1, load: { encoderPercent: 15 } });

    const done = await api.waitFor(job.id, "succeeded", "failed");
    const [step] = done.steps;
    expect(step.device).toBe(used.id);
    expect(step.proof).toMatchObject({ encoder: "h264_nvenc", decoder: "NVDEC" });
    expect(step.proof.sentence).toMatch(/^Decoded and encoded on NVIDIA L4.* fps/);
    expect(done.attempts[0].proof).toEqual(step.proof);

    const again = await devicesOf(api, "?history=60");
    const series = again.find(({ id }) => id === used.id).history;
    expect(series.some(({ sessionCount }: Json) => sessionCount === 1)).toBe(true);
    expect(series.length).toBe(samples());
  },
  LIMIT_MS,
);

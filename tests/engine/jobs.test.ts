/** Jobs on boxes with emulated GPUs, from upload to proof, through the executable and its API. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { Api, type Json } from "../api.ts";
import { Appliance, eventually, executable } from "../appliance.ts";
import { plainClip, rotatedClip } from "../clips.ts";
import { type BoxFault, type BoxName, type GpuBox, gpuBox } from "../gpu-box.ts";

setDefaultTimeout(120_000);

/** What goes on for longer than it takes to look, on a busy machine. */
const LIMIT_MS = 60_000;

interface Rig extends AsyncDisposable {
  box: GpuBox;
  api: Api;
  appliance: Appliance;
}

const boxes: GpuBox[] = [];
afterAll(() => {
  for (const box of boxes) box[Symbol.dispose]();
});

async function open(
  gpus: BoxName,
  options: { fault?: BoxFault; settings?: Record<string, string> } = {},
): Promise<Rig> {
  const box = gpuBox({ gpus, ...(options.fault === undefined ? {} : { fault: options.fault }) });
  boxes.push(box);
  const appliance = await Appliance.start({
    environment: { ...box.environment, ...options.settings },
  });
  const api = new Api(appliance.url, await appliance.token("ann", "admin"));
  return {
    box,
    api,
    appliance,
    [Symbol.asyncDispose]: () => appliance[Symbol.asyncDispose](),
  };
}

/** Resolves when every GPU of the box is tried. */
function tried(api: Api): Promise<Json> {
  return eventually("the GPUs are known", LIMIT_MS, async () => {
    const { body } = await api.get("/api/v1/system");
    return body.gpus.state === "found" ? body : null;
  });
}

const encode = { video: { codec: "h264", quality: 50, maxHeight: 180 } };

async function startJobs(api: Api, count: number, params: Json = encode): Promise<Json[]> {
  const asset = await api.add(plainClip());
  const jobs: Json[] = [];
  for (let index = 0; index < count; index += 1) {
    jobs.push(await api.start("transcode", [asset.id], params));
  }
  return jobs;
}

function ended(api: Api, jobs: Json[]): Promise<Json[]> {
  return Promise.all(jobs.map(({ id }) => api.waitFor(id, "succeeded", "failed")));
}

const devicesOf = (jobs: Json[]): string[] =>
  jobs.map(({ attempts }: Json) => attempts.map(({ device }: Json) => device).join(" → "));

describe("two L4", () => {
  test("fill evenly, and each job proves where it ran", async () => {
    await using rig = await open("twoL4");
    await tried(rig.api);
    const done = await ended(rig.api, await startJobs(rig.api, 4));
    expect(devicesOf(done)).toEqual(["gpu:0", "gpu:1", "gpu:0", "gpu:1"]);
    const { proof } = done[1].attempts[0];
    expect(proof).toMatchObject({ decoder: "NVDEC", filters: "CUDA", encoder: "h264_nvenc" });
    expect(proof.fenceLayers).toContain("seccomp");
    expect(proof.sentence).toStartWith("Decoded and encoded on NVIDIA L4 gpu:1 (NVDEC → CUDA");
    expect(proof.command).toMatch(/^ffmpeg .*-hwaccel cuda .*-i 'input 1' .*h264_nvenc .*\.mp4$/);
    expect(proof.command).not.toContain(rig.appliance.dataFolder);
    const opened = rig.box
      .logEvents()
      .filter(({ ev, w, h }) => ev === "init" && w === 320 && h === 180);
    expect(opened.map(({ gpu }) => gpu).toSorted()).toEqual([0, 0, 1, 1]);
    expect(opened[0]).toMatchObject({ codec: "h264", rc: 1, cq: opened[1]?.["cq"] });
  });

  test("one falls off the bus in the middle: the other one goes on, and it is back when it answers", async () => {
    await using rig = await open("twoL4");
    await tried(rig.api);
    rig.box.slow(0, 100);
    const [job] = await startJobs(rig.api, 1);
    await eventually("GPU 0 encodes", LIMIT_MS, async () =>
      rig.box.logEvents().some(({ ev, gpu, h }) => ev === "init" && gpu === 0 && h === 180),
    );
    rig.box.lose(0);
    const [done] = await ended(rig.api, [job]);
    expect(done.state).toBe("succeeded");
    expect(devicesOf([done])).toEqual(["gpu:0 → gpu:1"]);
    expect(done.attempts[0]).toMatchObject({ outcome: "failed", error: { retryable: true } });
    expect(done.attempts[0].error.message).toStartWith("NVIDIA L4");
    expect(done.deviceReason).toContain(done.attempts[0].error.message);
    const lost = (await rig.api.get("/api/v1/system")).body.devices[1];
    expect(lost).toMatchObject({ id: "gpu:0", slots: 0, gpu: { inService: false } });

    rig.box.slow(0, 0);
    rig.box.find(0);
    await eventually("GPU 0 is back by itself", LIMIT_MS, async () => {
      const { body } = await rig.api.get("/api/v1/system");
      return body.devices[1].gpu.inService;
    });
    const after = await ended(rig.api, await startJobs(rig.api, 2));
    expect(devicesOf(after)).toEqual(["gpu:0", "gpu:1"]);
  });

  test("an encoder that always breaks off costs the job time and nothing else; the next one tries it again", async () => {
    await using rig = await open("twoL4", { fault: { encodeFailsAfter: 20 } });
    await tried(rig.api);
    const [first] = await ended(rig.api, await startJobs(rig.api, 1));
    expect(devicesOf([first])).toEqual(["gpu:0 → gpu:1 → cpu"]);
    expect(first.deviceReason).toContain("NVIDIA L4 gpu:0: Its encoder (NVENC) broke off.");
    expect(first.steps[0].proof.encoder).toBe("libx264");
    await eventually("both are back", LIMIT_MS, async () => {
      const { body } = await rig.api.get("/api/v1/system");
      return body.devices.slice(1).every(({ gpu }: Json) => gpu.inService);
    });
    const [second] = await ended(rig.api, await startJobs(rig.api, 1));
    expect(devicesOf([second])[0]).toStartWith("gpu:");
    expect(second.state).toBe("succeeded");
  });

  test("work for the CPU goes on while the GPUs are full, and who waits says for what", async () => {
    await using rig = await open("twoL4", { settings: { KINOMILL_GPU_MAX_JOBS: "1" } });
    await tried(rig.api);
    for (const gpu of [0, 1]) rig.box.slow(gpu, 100);
    const slow = await startJobs(rig.api, 3);
    const [quick] = await startJobs(rig.api, 1, {
      video: { codec: "none" },
      audio: { codec: "mp3" },
    });
    expect((await rig.api.waitFor(quick.id, "succeeded", "failed")).device).toBe("cpu");
    const third = (await rig.api.get(`/api/v1/jobs/${slow[2].id}`)).body;
    expect([third.state, third.deviceReason]).toEqual([
      "queued",
      "NVIDIA L4 gpu:0 is at work on a job, as many as the settings allow.",
    ]);
    for (const gpu of [0, 1]) rig.box.slow(gpu, 0);
    expect((await ended(rig.api, slow)).map(({ state }) => state)).toEqual(
      Array(3).fill("succeeded"),
    );
  });

  test("a turned video is turned by the CPU and encoded by the GPU, and the job says so", async () => {
    await using rig = await open("twoL4");
    const asset = await rig.api.add(rotatedClip());
    const done = await rig.api.run("transcode", [asset.id], { video: { quality: 50 } });
    expect(done.steps[0].proof).toMatchObject({ filters: "CPU", encoder: "h264_nvenc" });
    expect(done.deviceReason).toMatch(/turned upright/);
  });
});

test("a driver that allows three sessions: all jobs run on the GPU, as many at a time as it allows", async () => {
  await using rig = await open("geforce3", { settings: { KINOMILL_GPU_MAX_JOBS: "6" } });
  await tried(rig.api);
  // None ends before the driver has refused one.
  rig.box.slow(0, 200);
  const started = await startJobs(rig.api, 6);
  await eventually("a session is refused", 60_000, async () => {
    const jobs = await Promise.all(started.map(({ id }) => rig.api.get(`/api/v1/jobs/${id}`)));
    return jobs.some(({ body }) => body.attempts.some(({ error }: Json) => error !== null));
  });
  rig.box.slow(0, 0);
  const done = await ended(rig.api, started);
  expect(done.map(({ state, device }) => [state, device])).toEqual(
    Array(6).fill(["succeeded", "gpu:0"]),
  );
  const refused = done.flatMap(({ attempts }) => attempts).filter(({ error }) => error !== null);
  expect(refused.length).toBeGreaterThan(0);
  for (const { error } of refused) expect(error.message).toMatch(/session/);
});

test("a GPU on which another program encodes is left to it when the settings say so", async () => {
  await using rig = await open("geforce3", { settings: { KINOMILL_GPU_YIELD_TO_OTHERS: "true" } });
  await tried(rig.api);
  const foreign = Bun.spawn(
    [
      ...[
        "ffmpeg",
        "-nostdin",
        "-v",
        "error",
        "-re",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=320x240:d=60",
      ],
      ...["-pix_fmt", "yuv420p", "-c:v", "h264_nvenc", "-f", "null", "-"],
    ],
    { env: { ...process.env, ...rig.box.environment }, stdio: ["ignore", "ignore", "inherit"] },
  );
  try {
    await eventually("the other program encodes", LIMIT_MS, async () =>
      rig.box.logEvents().some(({ ev, pid }) => ev === "init" && pid === foreign.pid),
    );
    // What is known of the GPU is two seconds old at most.
    await eventually("it is seen", LIMIT_MS, async () => {
      const { body } = await rig.api.get("/api/v1/system/devices");
      return body.devices.some(({ load }: Json) => load?.sessionCount === 1);
    });
    const [job] = await startJobs(rig.api, 1);
    const held = await eventually("the job says why it waits", LIMIT_MS, async () => {
      const { body } = await rig.api.get(`/api/v1/jobs/${job.id}`);
      return body.deviceReason === null ? null : body;
    });
    expect([held.state, held.deviceReason]).toEqual([
      "queued",
      "Another program encodes on NVIDIA GeForce RTX 4090, and the settings say to yield to it.",
    ]);
    foreign.kill("SIGKILL");
    const [done] = await ended(rig.api, [job]);
    expect(devicesOf([done])).toEqual(["gpu:0"]);
  } finally {
    foreign.kill("SIGKILL");
    await foreign.exited;
  }
});

test("a GPU without an encoder decodes and scales, and the CPU encodes", async () => {
  await using rig = await open("h200");
  await tried(rig.api);
  const [done] = await ended(
    rig.api,
    await startJobs(rig.api, 1, { video: { quality: 50, maxHeight: 120 } }),
  );
  expect(done.attempts[0].proof).toMatchObject({
    decoder: "NVDEC",
    filters: "CUDA",
    encoder: "libx264",
  });
  expect(rig.box.logEvents().some(({ ev }) => ev === "nvdec_open")).toBe(true);
});

test("a job that should wait for a GPU waits with its reason, and can be cancelled", async () => {
  await using rig = await open("smiFails", { settings: { KINOMILL_GPU_WHEN_NONE: "wait" } });
  const [job] = await startJobs(rig.api, 1);
  const waiting = await rig.api.waitFor(job.id, "waiting");
  expect(waiting.deviceReason).toBe(
    "No GPU can encode it. The NVIDIA driver is installed but not loaded.",
  );
  const cancelled = await rig.api.post(`/api/v1/jobs/${job.id}/cancel`, {});
  expect(cancelled.body.state).toBe("cancelled");
});

describe("the switch of all work", () => {
  /** State of each ffmpeg that encodes for this appliance, as the kernel has it: R, S, T (stopped). */
  function ffmpegStates(appliance: Appliance): string[] {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return pids.flatMap((pid) => {
      try {
        const program = readlinkSync(`/proc/${pid}/exe`);
        const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        // The thumbnailer runs ffmpeg as well; only jobs encode with this.
        const encodes = argv.includes(appliance.folder) && argv.includes("h264_nvenc");
        if (!program.endsWith("/ffmpeg") || !encodes) return [];
        const status = readFileSync(`/proc/${pid}/stat`, "utf8");
        return [status.slice(status.lastIndexOf(")") + 2, status.lastIndexOf(")") + 3)];
      } catch {
        return [];
      }
    });
  }

  test("pause stops what runs where it stands and starts nothing; continue ends it all well", async () => {
    await using rig = await open("twoL4", { settings: { KINOMILL_JOBS_STALL_SECONDS: "5" } });
    await tried(rig.api);
    for (const gpu of [0, 1]) rig.box.slow(gpu, 100);
    const [running] = await startJobs(rig.api, 1);
    await eventually("it encodes", LIMIT_MS, async () => ffmpegStates(rig.appliance).length > 0);
    const paused = await rig.api.call("PATCH", "/api/v1/system/work", {
      body: JSON.stringify({ mode: "paused" }),
      headers: { "Content-Type": "application/json" },
    });
    expect([paused.status, paused.body.mode]).toEqual([200, "paused"]);
    await eventually("it is stopped", LIMIT_MS, async () =>
      ffmpegStates(rig.appliance).every((state) => state === "T"),
    );
    const [next] = await startJobs(rig.api, 1);
    const held = await eventually("the next one says why", LIMIT_MS, async () => {
      const { body } = await rig.api.get(`/api/v1/jobs/${next.id}`);
      return body.deviceReason === null ? null : body;
    });
    expect([held.state, held.deviceReason]).toEqual([
      "queued",
      "All work is paused. Continue it on the System page.",
    ]);
    // Longer than a stall may take: being paused is none.
    const since = performance.now();
    await eventually("6 s pass", LIMIT_MS, async () => performance.now() - since > 6_000);
    expect((await rig.api.get(`/api/v1/jobs/${running.id}`)).body.state).toBe("running");
    for (const gpu of [0, 1]) rig.box.slow(gpu, 0);
    await rig.api.call("PATCH", "/api/v1/system/work", {
      body: JSON.stringify({ mode: "running" }),
      headers: { "Content-Type": "application/json" },
    });
    const done = await ended(rig.api, [running, next]);
    expect(devicesOf(done)).toEqual(["gpu:0", expect.stringMatching(/^gpu:.$/)]);
  });

  test("a paused job can be cancelled, draining ends what runs, and only an admin may switch", async () => {
    await using rig = await open("twoL4");
    await tried(rig.api);
    const patch = (api: Api, mode: string) =>
      api.call("PATCH", "/api/v1/system/work", {
        body: JSON.stringify({ mode }),
        headers: { "Content-Type": "application/json" },
      });
    const bob = new Api(rig.appliance.url, await rig.appliance.token("bob"));
    expect(await patch(bob, "paused")).toMatchObject({ status: 403, body: { code: "forbidden" } });
    for (const gpu of [0, 1]) rig.box.slow(gpu, 50);
    const [first, second] = await startJobs(rig.api, 2);
    await eventually("both encode", LIMIT_MS, async () => ffmpegStates(rig.appliance).length === 2);
    await patch(rig.api, "paused");
    await rig.api.post(`/api/v1/jobs/${first.id}/cancel`, {});
    await eventually(
      "its ffmpeg is gone",
      15_000,
      async () => ffmpegStates(rig.appliance).length === 1,
    );
    await patch(rig.api, "draining");
    const [third] = await startJobs(rig.api, 1);
    expect((await rig.api.waitFor(second.id, "succeeded", "failed")).state).toBe("succeeded");
    const drained = (await rig.api.get("/api/v1/system")).body.work;
    expect([drained.mode, drained.running]).toEqual(["draining", 0]);
    expect((await rig.api.get(`/api/v1/jobs/${third.id}`)).body.state).toBe("queued");
    await patch(rig.api, "running");
    expect((await ended(rig.api, [third]))[0].state).toBe("succeeded");
  });
});

describe("kinomill run", () => {
  async function runHere(
    box: GpuBox,
    ...more: string[]
  ): Promise<{ exitCode: number; events: Json[] }> {
    const output = join(box.stateFolder, `out-${crypto.randomUUID()}.mp4`);
    const child = Bun.spawn(
      [
        ...[executable, "run", "transcode", plainClip(), "-o", output, "--json"],
        ...["--param", "video.quality=50", ...more],
      ],
      { env: { ...process.env, ...box.environment }, stdout: "pipe", stderr: "inherit" },
    );
    const text = await child.stdout.text();
    const events = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Json);
    return { exitCode: await child.exited, events };
  }

  test("uses the GPU when there is one, and the CPU when asked to", async () => {
    const box = gpuBox({ gpus: "twoL4" });
    boxes.push(box);
    const auto = await runHere(box);
    const last = auto.events.findLast(({ type }) => type === "step");
    expect([auto.exitCode, last.encoder, last.device]).toEqual([0, "h264_nvenc", "gpu:0"]);
    const cpu = await runHere(box, "--device", "cpu");
    const step = cpu.events.findLast(({ type }) => type === "step");
    expect([cpu.exitCode, step.encoder, step.device]).toEqual([0, "libx264", "cpu"]);
  });
});

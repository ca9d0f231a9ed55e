/** What the devices do, over HTTP, with a script in the place of nvidia-smi. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Furnished, furnish, tableFor } from "../../tests/http/furnished.ts";
import { StreamReader } from "../../tests/http/reader.ts";
import { systemOfRig } from "../../tests/http/site.ts";
import { DeviceWatch } from "./device-watch.ts";
import type { DeviceReport } from "./parts.ts";

const gpu: DeviceReport = {
  ...{ id: "gpu:0", kind: "gpu", title: "NVIDIA L4", slots: 2, busy: 1, reason: "Ready." },
  gpu: {
    ...{ uuid: "GPU-aa", driver: "570.1", computeCapability: "8.9", pciBusId: null, mig: false },
    ...{ memoryTotalBytes: 1, memoryUsedBytes: 1, inService: true, suspended: null, abilities: [] },
  },
};

let home: Furnished;

beforeAll(async () => {
  home = await furnish();
  const { folder, parts } = home.site;
  // The rig's nvidia-smi is in its folder; until now there was none.
  const tool = join(folder, "nvidia-smi");
  const row = "GPU-aa, 35, 12, 7, 1024, 23034, 61, 54.20, 3, 118";
  writeFileSync(tool, `#!/bin/sh\necho >> ${folder}/asked\necho '${row}'\n`);
  chmodSync(tool, 0o755);
  const devices = [...systemOfRig.devices, gpu];
  parts.devices = () => devices;
  const { system } = parts;
  parts.system = async () => ({ ...(await system()), devices });
});

afterAll(() => home.site.close());

const asked = () => {
  const file = join(home.site.folder, "asked");
  return existsSync(file) ? readFileSync(file, "utf8").length : 0;
};

const table = tableFor(() => home);
const path = "/api/v1/system/devices";

table("the devices", [
  {
    name: "are told to every user, each GPU with a sample of now",
    path,
    as: "bob",
    status: 200,
    has: ['"id":"cpu"', '"id":"gpu:0"', '"uuid":"GPU-aa"', '"encoderPercent":35', '"load":null'],
    lacks: ["history", "abilities", "atMs"],
  },
  {
    name: "with their history when it is asked for",
    path: `${path}?history=60`,
    as: "ann",
    status: 200,
    has: ['"history":[{"takenAt"', '"history":[]'],
  },
  { name: "are not told to strangers", path, status: 401 },
  { name: "an hour is kept", path: `${path}?history=3600`, as: "ann", status: 200 },
  { name: "and no more", path: `${path}?history=3601`, as: "ann", status: 422, has: ["3600"] },
  { name: "no time is negative", path: `${path}?history=-1`, as: "ann", status: 422 },
  { name: "a time is a number", path: `${path}?history=all`, as: "ann", status: 422 },
  { name: "nothing else is asked", path: `${path}?uuid=GPU-aa`, as: "ann", status: 422 },
  {
    name: "HEAD of the stream opens none",
    path: `${path}/events`,
    as: "ann",
    method: "HEAD",
    status: 200,
    answers: { "content-type": "text/event-stream" },
  },
  { name: "the stream is not for strangers", path: `${path}/events`, status: 401 },
]);

test("a sample of now is not taken again", async () => {
  home.site.clock.advance(10_000);
  const before = asked();
  for (let time = 0; time < 3; time += 1) await home.site.ask(path, { as: "ann" });
  expect(asked()).toBe(before + 1);
});

test("a long history is told in 360 points at most", async () => {
  const { clock, parts } = home.site;
  const before = parts.gpuLoad.history("GPU-aa");
  const [newest] = before;
  if (newest === undefined) throw new Error("there is a sample");
  const samples = Array.from({ length: 1800 }, (_, number) => ({
    ...newest,
    ...{ atMs: clock.monotonicMs() - 3_600_000 + number * 2000, encoderPercent: number % 2 },
  }));
  const { gpuLoad } = parts;
  parts.gpuLoad = {
    ...{ latest: () => newest, history: () => samples, sampleNow: async () => undefined },
    ...{ watch: () => () => undefined, onSample: () => () => undefined },
  };
  try {
    const response = await home.site.ask(`${path}?history=3600`, { as: "ann" });
    const { devices } = (await response.json()) as {
      devices: { history: { encoderPercent: number }[] }[];
    };
    expect(devices[1]?.history.length).toBeGreaterThan(350);
    expect(devices[1]?.history.length).toBeLessThanOrEqual(360);
    const mean = devices[1]?.history[5]?.encoderPercent;
    expect(mean).toBeGreaterThan(0.3);
    expect(mean).toBeLessThan(0.7);
  } finally {
    parts.gpuLoad = gpuLoad;
  }
});

test("an nvidia-smi that is slow does not hold the answer up", async () => {
  const { parts } = home.site;
  const { gpuLoad } = parts;
  const never = Promise.withResolvers<void>();
  parts.gpuLoad = {
    ...{ latest: () => null, history: () => [], sampleNow: () => never.promise },
    ...{ watch: () => () => undefined, onSample: () => () => undefined },
  };
  try {
    const response = await home.site.ask(path, { as: "ann" });
    expect(await response.text()).toContain('"id":"gpu:0"');
  } finally {
    parts.gpuLoad = gpuLoad;
  }
});

test("the stream begins at once, goes on with samples, and ends the sampling", async () => {
  const { site } = home;
  site.clock.advance(10_000);
  const reader = new StreamReader(await site.ask(`${path}/events`, { as: "bob" }));
  expect(await reader.until("\n\n")).toContain("retry:");
  const text = await reader.until('"encoderPercent":35');
  expect(text).toContain('event: devices\ndata: {"devices":[{"id":"cpu"');
  expect(text).not.toContain("history");
  await reader.until("event: devices", 2);
  await reader.leave();
  expect(site.site.streams.count).toBe(0);
});

table("the devices on the page", [
  {
    name: "are there with what they do now",
    path: "/system",
    browser: "bob",
    status: 200,
    has: [
      "NVIDIA L4",
      "35 %",
      "1.1 GB of 24.2 GB",
      "3 encode sessions",
      'hx-sse:connect="/ui/system',
    ],
  },
  {
    name: "come as a panel alone",
    path: "/ui/system/devices",
    browser: "bob",
    headers: { "hx-request": "true" },
    status: 200,
    has: ['<section class="panel across" id="devices"', "NVIDIA L4"],
    lacks: ["<html"],
  },
  { name: "are not for strangers", path: "/ui/system/devices", status: 401 },
  { name: "neither is their stream", path: "/ui/system/events", status: 401 },
]);

test("a figure that is old is not shown as that of now", async () => {
  const { clock, parts } = home.site;
  const { gpuLoad } = parts;
  await gpuLoad.sampleNow();
  clock.advance(11_000);
  parts.gpuLoad = {
    ...{ latest: (uuid) => gpuLoad.latest(uuid), history: (uuid) => gpuLoad.history(uuid) },
    ...{ sampleNow: async () => undefined },
    ...{ watch: () => () => undefined, onSample: () => () => undefined },
  };
  try {
    const page = await (await home.site.ask("/system", { browser: "ann" })).text();
    expect(page).toContain("–");
    expect(page).not.toContain("35 %");
  } finally {
    parts.gpuLoad = gpuLoad;
  }
});

test("the page is told to fetch its panel when a device is another, and what they do", async () => {
  const { site } = home;
  const { devices } = site.parts;
  site.clock.advance(20_000);
  const reader = new StreamReader(await site.ask("/ui/system/events", { browser: "ann" }));
  const first = await reader.until(">35 %<");
  expect(first).toContain("event: devices\ndata: {}\n\n");
  expect(first).toContain('<hx-partial hx-target="#live-gpu-0"');
  expect(first.match(/event: devices/g)?.length).toBe(1);
  site.parts.devices = () => [{ ...gpu, reason: "Out of service." }];
  try {
    await reader.until("event: devices", 2);
  } finally {
    site.parts.devices = devices;
  }
  await reader.leave();
  expect(site.site.streams.count).toBe(0);
});

describe("the watch over the devices", () => {
  function watched() {
    let [watchers, told] = [0, 0];
    const listeners = new Set<() => void>();
    const gpuLoad = {
      ...{ latest: () => null, history: () => [], sampleNow: async () => undefined },
      watch: () => {
        watchers += 1;
        return () => {
          watchers -= 1;
        };
      },
      onSample: (listener: (samples: readonly never[]) => void) => {
        const call = () => listener([]);
        listeners.add(call);
        return () => listeners.delete(call);
      },
    };
    const sample = () => {
      for (const listener of listeners) listener();
    };
    return {
      gpuLoad,
      sample,
      counts: () => ({ watchers, listeners: listeners.size, told }),
      tell: () => {
        told += 1;
      },
    };
  }

  test("has GPUs sampled once for all, and only while somebody listens", () => {
    const { gpuLoad, sample, counts, tell } = watched();
    const watch = new DeviceWatch({ gpuLoad });
    expect(counts()).toEqual({ watchers: 0, listeners: 0, told: 0 });
    const [first, second] = [watch.subscribe(() => tell()), watch.subscribe(() => tell())];
    expect(counts()).toEqual({ watchers: 1, listeners: 1, told: 0 });
    sample();
    expect(counts().told).toBe(2);
    first();
    first();
    sample();
    expect(counts()).toEqual({ watchers: 1, listeners: 1, told: 3 });
    second();
    expect(counts()).toEqual({ watchers: 0, listeners: 0, told: 3 });
  });

  test("tells also where no sample comes", async () => {
    const { gpuLoad } = watched();
    const watch = new DeviceWatch({ gpuLoad }, 5);
    const twice = Promise.withResolvers<void>();
    let times = 0;
    const end = watch.subscribe(() => {
      times += 1;
      if (times === 2) twice.resolve();
    });
    await twice.promise;
    end();
  });

  test("a listener that leaves while it is told ends the watch", () => {
    const { gpuLoad, sample, counts, tell } = watched();
    const watch = new DeviceWatch({ gpuLoad });
    const end = watch.subscribe(() => {
      tell();
      end();
    });
    sample();
    sample();
    expect(counts()).toEqual({ watchers: 0, listeners: 0, told: 1 });
  });
});

/** `/metrics` of the executable: figures of a real job and of emulated GPUs, and what is drawn and alerted from them. */
import { beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Api } from "./api.ts";
import { Appliance, eventually } from "./appliance.ts";
import { plainClip } from "./clips.ts";
import { gpuBox } from "./gpu-box.ts";
import { type Sample, samplesOf } from "./support/prometheus.ts";

const folder = resolve(import.meta.dir, "../docs/monitoring");
const read = (name: string) => readFileSync(join(folder, name), "utf8");

/** One job of seconds on emulated GPUs; the rest is for a busy machine. */
const LIMIT_MS = 120_000;

let samples: Sample[];
let metadata: Map<string, string>;

beforeAll(async () => {
  using box = gpuBox({ gpus: "twoL4" });
  await using appliance = await Appliance.start({
    environment: { ...box.environment, KINOMILL_GPU_LEAVE_ALONE: "1" },
  });
  const api = new Api(appliance.url, await appliance.token("ann"));
  await eventually("the GPUs are known", LIMIT_MS, async () => {
    return (await api.get("/api/v1/system")).body.gpus.state === "found";
  });
  const asset = await api.add(plainClip());
  const params = { video: { codec: "h264", quality: 50 } };
  expect((await api.run("transcode", [asset.id], params)).state).toBe("succeeded");
  const scrape = async (headers: Record<string, string> = {}) => {
    const answer = await fetch(`${appliance.url}/metrics`, { headers });
    expect(answer.status).toBe(200);
    return await answer.text();
  };
  const text = await eventually("the GPUs were sampled", LIMIT_MS, async () => {
    const said = await scrape();
    return said.includes("kinomill_gpu_temperature_celsius{") && said;
  });
  samples = samplesOf(text);
  metadata = new Map(
    Array.from(text.matchAll(/^# TYPE (\S+) (\S+)$/gm), ([, name = "", type = ""]) => [name, type]),
  );
  // Behind a proxy it takes a token.
  const proxied = { "x-forwarded-for": "10.0.0.1" };
  expect((await fetch(`${appliance.url}/metrics`, { headers: proxied })).status).toBe(401);
}, LIMIT_MS);

const value = (name: string, labels: Record<string, string> = {}) =>
  samples.find((sample) => sample.name === name && Bun.deepMatch(labels, sample.labels))?.value;

test("a job that ran on a GPU is there with its device, its time and its × real time", () => {
  const where = { operation: "transcode", device: expect.stringMatching(/^gpu:[01]$/) as never };
  const ended = samples.filter(({ name }) => name === "kinomill_jobs_ended_total");
  expect(ended).toHaveLength(1);
  expect(ended[0]).toMatchObject({ value: 1, labels: { state: "succeeded", ...where } });
  expect(value("kinomill_job_realtime_factor_count")).toBe(1);
  expect(value("kinomill_job_realtime_factor_sum") ?? 0).toBeGreaterThan(0);
  expect(value("kinomill_job_duration_seconds_sum") ?? 0).toBeGreaterThan(0);
});

test("each GPU is there with what it does, the box with what it keeps", () => {
  for (const device of ["gpu:0", "gpu:1"]) {
    expect(value("kinomill_gpu_memory_total_bytes", { device }) ?? 0).toBeGreaterThan(20e9);
    expect(value("kinomill_gpu_utilisation_percent", { device, engine: "encoder" })).toBeDefined();
    expect(value("kinomill_gpu_encode_sessions", { device })).toBeDefined();
  }
  expect(value("kinomill_gpu_in_service", { device: "gpu:0" })).toBe(1);
  // Nobody is woken for one that a setting leaves alone.
  expect(value("kinomill_gpu_in_service", { device: "gpu:1" })).toBeUndefined();
  expect(value("kinomill_device_info", { device: "gpu:0", title: "NVIDIA L4" })).toBe(1);
  expect(value("kinomill_assets")).toBe(2);
  expect(value("kinomill_storage_used_bytes") ?? 0).toBeGreaterThan(1000);
  expect(value("kinomill_work_mode", { mode: "running" })).toBe(1);
  expect(value("kinomill_findings", { level: "fault" })).toBe(0);
});

/** Names in an expression of PromQL; labels and functions are none. */
function namesIn(expression: string): string[] {
  return [...expression.matchAll(/\b(?:kinomill|process)_[a-z0-9_]+\b/g)].map(([name]) => name);
}

/** Whether the server has it: a histogram's three series go by its name. */
function isThere(name: string): boolean {
  if (metadata.has(name)) return true;
  const base = name.replace(/_(bucket|sum|count)$/, "");
  return base !== name && metadata.get(base) === "histogram";
}

test("every metric that the dashboard draws is one of the server's, and none is forgotten", () => {
  const dashboard = JSON.parse(read("dashboard.json")) as {
    panels: { type: string; targets?: { expr: string }[]; gridPos: { x: number; w: number } }[];
  };
  const drawn = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  expect(drawn.length).toBeGreaterThan(25);
  const names = new Set(drawn.flatMap(namesIn));
  expect([...names].filter((name) => !isThere(name))).toEqual([]);
  for (const { gridPos } of dashboard.panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  const bases = new Set([...names].map((name) => name.replace(/_(bucket|sum|count)$/, "")));
  const undrawn = [...metadata.keys()].filter((name) => !bases.has(name));
  // What only names others, and what stands in an alert.
  const known = ["kinomill_build_info", "kinomill_device_info", "kinomill_work_mode"];
  expect(undrawn.toSorted()).toEqual(known.toSorted());
});

test("every metric of the alert rules is one of the server's, with labels that it has", () => {
  const rules = Bun.YAML.parse(read("alerts.yaml")) as {
    groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
  };
  const all = rules.groups.flatMap((group) => group.rules);
  expect(all.length).toBeGreaterThan(8);
  expect(new Set(all.map(({ alert }) => alert)).size).toBe(all.length);
  for (const { expr, annotations } of all) {
    expect(namesIn(expr).filter((name) => !isThere(name))).toEqual([]);
    expect(Object.keys(annotations)).toEqual(["summary", "description"]);
    for (const [, name = "", inside = ""] of expr.matchAll(/(\w+)\{([^}]*)\}/g)) {
      if (name === "up") continue;
      const seen = samples.filter((sample) => sample.name === name);
      const has = new Set(seen.flatMap(({ labels }) => Object.keys(labels)));
      const asked = [...inside.matchAll(/(\w+)(?:=|!=|=~)"/g)].map(([, label = ""]) => label);
      // A metric that has no series now cannot be looked at.
      if (seen.length > 0) expect(asked.filter((label) => !has.has(label))).toEqual([]);
    }
  }
  expect(namesIn("sum(kinomill_nothing_here)").filter((name) => !isThere(name))).toHaveLength(1);
});

test("the page about it names every metric", () => {
  const page = readFileSync(resolve(folder, "../monitoring.md"), "utf8");
  expect([...metadata.keys()].filter((name) => !page.includes(`\`${name}`))).toEqual([]);
});

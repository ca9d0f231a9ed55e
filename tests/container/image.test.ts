/** The image on a stand-in for NVIDIA's base: built, run read-only by nobody in particular, a job through it, stopped. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Api } from "../api.ts";
import { eventually, kinomill as kinomillCommand } from "../appliance.ts";
import { plainClip } from "../clips.ts";
import { ContainerEngine } from "./engine.ts";

setDefaultTimeout(900_000);

const root = resolve(import.meta.dir, "../..");
const base = "localhost/stand-in-cuda-base";
const image = "localhost/kinomill";
const name = "kinomill";
const port = 17_633;
const url = `http://127.0.0.1:${port}`;

let engine: ContainerEngine;

beforeAll(async () => {
  // Made once and kept, in half a minute.
  const files = join(root, ".tools/container/bookworm");
  mkdirSync(dirname(files), { recursive: true });
  const make = ["script/debian-root", "bookworm", files, "apt", "ca-certificates"];
  const made = Bun.spawnSync(make, { cwd: root, timeout: 600_000 });
  if (made.exitCode !== 0) throw new Error(made.stderr.toString());
  engine = await ContainerEngine.open();
  await engine.imageOf(files, base);
  await engine.build("Dockerfile.cuda", image, { BASE_IMAGE: base, KINOMILL: "given" });
});

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
});

/** As docs/compose.yaml does it, on the network of this machine. */
async function start(): Promise<void> {
  await engine.podman(
    ...["run", "--detach", "--name", name, "--network", "host", "--read-only", "--tmpfs", "/tmp"],
    ...["--cap-drop", "all", "--security-opt", "no-new-privileges", "--pids-limit", "512"],
    ...["--ulimit", "nofile=20000:20000", "--ulimit", "nproc=1024:1024", "--memory", "2g"],
    ...["--volume", "kinomill-data:/data", "--env", `KINOMILL_LISTEN=127.0.0.1:${port}`, image],
  );
  await eventually("the container is ready", 120_000, async () => {
    return (await fetch(`${url}/health/ready`).catch(() => null))?.status === 200;
  });
}

const inside = (...argv: string[]) => engine.podman("exec", name, ...argv);

async function token(): Promise<string> {
  const { body } = await setUp();
  expect(body).toContain("ann");
  return (await inside("kinomill", "tokens", "create", "--user", "ann")).trim();
}

/** As the first visitor does. */
async function setUp(): Promise<{ body: string }> {
  const log = await engine.podman("logs", name);
  const code = /setup code: (\S+)/.exec(log)?.[1] ?? "no code in the log";
  const password = "correct horse battery staple";
  const form = new URLSearchParams({ code, name: "ann", password, repeat: password });
  const headers = { Origin: url, "Content-Type": "application/x-www-form-urlencoded" };
  const answer = await fetch(`${url}/setup`, {
    ...{ method: "POST", headers, body: form.toString(), redirect: "manual" },
  });
  expect(answer.status).toBe(303);
  return { body: await inside("kinomill", "users", "list") };
}

test("what is over the base is small", async () => {
  const added = (await engine.sizeBytes(image)) - (await engine.sizeBytes(base));
  expect(added).toBeGreaterThan(100_000_000);
  expect(added).toBeLessThan(450_000_000);
});

test("a job runs in it, read-only, as nobody in particular; a new container goes on with the data", async () => {
  await start();
  expect(await inside("id", "-u")).toBe("10001");
  expect((await engine.tried("exec", name, "touch", "/usr/local/bin/x")).output).toContain(
    "Read-only file system",
  );
  const api = new Api(url, await token());
  const { id } = await api.add(plainClip(), "clip.mp4");
  const request = { operation: "transcode", inputs: [id], params: { video: { maxHeight: 90 } } };
  const asked = await api.post("/api/v1/jobs", request);
  const job = await eventually("the job is done", 120_000, async () => {
    const { body } = await api.get(`/api/v1/jobs/${asked.body.id}`);
    return ["succeeded", "failed"].includes(body.state) ? body : null;
  });
  expect({ state: job.state, error: job.error }).toEqual({ state: "succeeded", error: null });
  expect(await inside("kinomill", "doctor")).toMatch(/sandbox\s+ffmpeg runs fenced in by Landlock/);
  expect((await engine.tried("healthcheck", "run", name)).exitCode).toBe(0);
  // Whoever is process 1 has buried what ended.
  const states = await inside("sh", "-c", "cat /proc/[0-9]*/stat");
  expect(states.split("\n").filter((line) => /\) Z /.test(line))).toEqual([]);

  await engine.podman("stop", "--time", "30", name);
  expect(await engine.podman("inspect", "--format", "{{.State.ExitCode}}", name)).toBe("0");
  await engine.podman("rm", name);
  await start();
  const output = await api.download(job.outputs[0]);
  expect(output.length).toBeGreaterThan(1_000);
});

interface Compose {
  services: Record<
    string,
    {
      image: string;
      environment?: Record<string, string>;
      deploy?: { resources: { reservations: { devices: { driver: string }[] } } };
    }
  >;
}

test.each(["compose.yaml", "compose.minio.yaml"])("docs/%s says what there is", async (file) => {
  const compose = Bun.YAML.parse(readFileSync(join(root, "docs", file), "utf8")) as Compose;
  const { kinomill } = compose.services;
  expect(kinomill?.deploy?.resources.reservations.devices[0]?.driver).toBe("nvidia");
  // An unknown variable or a value that is none makes it fail.
  const check = await kinomillCommand(["config", "check", "--data", tmpdir()], {
    environment: kinomill?.environment ?? {},
  });
  expect(check).toMatchObject({ exitCode: 0, stderr: "" });
});

/** One large upload over the loopback: speed next to a splice sink, and how far memory grows. */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Appliance } from "../tests/appliance.ts";
import { bearer } from "./connection.ts";
import { type Extent, type Figure, median, megabytes } from "./figure.ts";
import { type ApiAsset, paddedClip, storeAsset } from "./material.ts";
import { cpuSeconds, forgetPeak, peakResidentBytes, residentBytes } from "./usage.ts";

const GIB = 1024 ** 3;
const SINK_PORT = "17611";

export function compileSplice(): string {
  const program = join(tmpdir(), "splice");
  const source = resolve(import.meta.dir, "splice.c");
  const build = Bun.spawnSync(["gcc", "-O2", "-o", program, source]);
  if (!build.success) throw new Error(build.stderr.toString());
  return program;
}

/** Sends the file and returns the seconds from the first byte to the answer. */
export async function send(argv: string[], status = 201): Promise<number> {
  const started = performance.now();
  const child = Bun.spawn(argv, { stdout: "pipe" });
  const answer = await new Response(child.stdout).text();
  if (!answer.startsWith(`HTTP/1.1 ${status}`))
    throw new Error(`the upload was answered: ${answer}`);
  return (performance.now() - started) / 1000;
}

export async function sendToSink(program: string, file: string, sync: boolean): Promise<number> {
  const target = join(tmpdir(), "sunk");
  const argv = [program, "sink", SINK_PORT, target, sync ? "1" : "0"];
  const sink = Bun.spawn(argv, { stdout: "ignore" });
  // It listens within a few milliseconds; connecting to try would be taken for the upload.
  await Bun.sleep(100);
  const seconds = await send([program, "send", SINK_PORT, "/", file, "none"]);
  await sink.exited;
  rmSync(target);
  return seconds;
}

/** Seconds that one thread needs to hash so much: no upload with a SHA-256 can be faster than that. */
export function hashSeconds(sizeBytes: number): number {
  const block = new Uint8Array(1024 * 1024);
  const hasher = new Bun.CryptoHasher("sha256");
  const started = performance.now();
  for (let done = 0; done < sizeBytes; done += block.length) hasher.update(block);
  hasher.digest();
  return (performance.now() - started) / 1000;
}

export async function upload({ quick }: Extent): Promise<Figure[]> {
  const sizeBytes = quick ? GIB / 8 : GIB;
  const program = compileSplice();
  const file = await paddedClip(sizeBytes);
  await using appliance = await Appliance.start();
  const headers = bearer(await appliance.token("bench"));
  // One small upload first: what a process needs once is not growth with the file.
  await storeAsset(appliance.url, headers);
  const { port } = new URL(appliance.url);
  const times = {
    ours: [] as number[],
    hash: [] as number[],
    sink: [] as number[],
    syncedSink: [] as number[],
  };
  const growths: number[] = [];
  let cpu = 0;
  const rounds = quick ? 1 : 5;
  for (let round = 0; round < rounds; round += 1) {
    times.sink.push(await sendToSink(program, file, false));
    times.syncedSink.push(await sendToSink(program, file, true));
    times.hash.push(hashSeconds(sizeBytes));
    const restBytes = residentBytes(appliance.pid);
    forgetPeak(appliance.pid);
    const cpuBefore = cpuSeconds(appliance.pid);
    const path = "/api/v1/assets?name=large.mp4";
    const argv = [program, "send", port, path, file, headers.Authorization];
    times.ours.push(await send(argv));
    cpu += cpuSeconds(appliance.pid) - cpuBefore;
    growths.push(peakResidentBytes(appliance.pid) - restBytes);
    await removeAll(appliance.url, headers);
  }
  rmSync(file);
  const speed = (seconds: number[]) => sizeBytes / median(seconds);
  const shown = (seconds: number[]) => `${megabytes(speed(seconds))}/s`;
  return [
    {
      what: `upload of ${megabytes(sizeBytes)} with SHA-256 and fsync`,
      ours: shown(times.ours),
      other: `${shown(times.sink)}, splice sink without either`,
      value: speed(times.ours) / speed(times.sink),
      target: { atLeast: 0.28 },
    },
    {
      what: "the same, next to a sink that also syncs",
      ours: shown(times.ours),
      other: `${shown(times.syncedSink)}, splice sink with fsync`,
      value: speed(times.ours) / speed(times.syncedSink),
      target: null,
    },
    {
      what: "the same, next to hashing alone",
      ours: shown(times.ours),
      other: `${shown(times.hash)}, SHA-256 on one thread`,
      value: speed(times.ours) / speed(times.hash),
      target: null,
    },
    {
      what: "growth of resident memory during the upload, in MB",
      ours: megabytes(Math.max(...growths)),
      other: null,
      value: Math.max(...growths) / 1e6,
      target: { atMost: 60 },
    },
    {
      what: "the server's CPU seconds per gigabyte uploaded",
      ours: `${(cpu / rounds / (sizeBytes / 1e9)).toFixed(2)} s`,
      other: null,
      value: cpu / rounds / (sizeBytes / 1e9),
      target: null,
    },
  ];
}

/** Five gigabytes of uploads would not fit on every machine's disk. */
export async function removeAll(url: string, headers: Record<string, string>): Promise<void> {
  const list = await fetch(`${url}/api/v1/assets`, { headers });
  const page = (await list.json()) as { items: ApiAsset[] };
  for (const { id } of page.items) {
    await fetch(`${url}/api/v1/assets/${id}?forever=true`, { method: "DELETE", headers });
  }
}

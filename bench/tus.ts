/** One large upload by tus over the loopback: speed next to a splice sink, and how far memory grows. */
import { rmSync } from "node:fs";
import { Appliance } from "../tests/appliance.ts";
import { Ceph, settingsFor } from "../tests/ceph.ts";
import { bearer } from "./connection.ts";
import { type Extent, type Figure, median, megabytes } from "./figure.ts";
import { paddedClip, storeAsset } from "./material.ts";
import { compileSplice, hashSeconds, removeAll, send, sendToSink } from "./upload.ts";
import { cpuSeconds, forgetPeak, peakResidentBytes, residentBytes } from "./usage.ts";

const GIB = 1024 ** 3;

/** Begins an upload and gives its path. */
async function begin(url: string, headers: Record<string, string>, bytes: number): Promise<string> {
  const response = await fetch(`${url}/api/v1/uploads`, {
    method: "POST",
    headers: { ...headers, "Tus-Resumable": "1.0.0", "Upload-Length": String(bytes) },
  });
  const path = response.headers.get("location");
  if (path === null) throw new Error(`the upload was not begun: ${await response.text()}`);
  return path;
}

/** Sends a file as one upload and gives the seconds. */
function sender(program: string, url: string, headers: ReturnType<typeof bearer>) {
  const { port } = new URL(url);
  return async (path: string): Promise<number> => {
    const target = await begin(url, headers, Bun.file(path).size);
    return await send([program, "patch", port, target, path, headers.Authorization], 204);
  };
}

export async function tus({ quick }: Extent): Promise<Figure[]> {
  const sizeBytes = quick ? GIB / 8 : GIB;
  const program = compileSplice();
  const file = await paddedClip(sizeBytes);
  await using appliance = await Appliance.start();
  const headers = bearer(await appliance.token("bench"));
  await storeAsset(appliance.url, headers);
  const sendOurs = sender(program, appliance.url, headers);
  // One first, so that what a process needs once is not growth with the file.
  await sendOurs(file);
  await removeAll(appliance.url, headers);
  const times = { ours: [] as number[], sink: [] as number[], hash: [] as number[] };
  let cpu = 0;
  const rounds = quick ? 1 : 5;
  for (let round = 0; round < rounds; round += 1) {
    times.sink.push(await sendToSink(program, file, false));
    times.hash.push(hashSeconds(sizeBytes));
    const cpuBefore = cpuSeconds(appliance.pid);
    times.ours.push(await sendOurs(file));
    cpu += cpuSeconds(appliance.pid) - cpuBefore;
    await removeAll(appliance.url, headers);
  }
  rmSync(file);
  const growthBytes = await growthOf(appliance, quick ? GIB / 2 : 4 * GIB, sendOurs);
  const speed = (seconds: number[]) => sizeBytes / median(seconds);
  const shown = (seconds: number[]) => `${megabytes(speed(seconds))}/s`;
  return [
    {
      what: `upload of ${megabytes(sizeBytes)} by tus, with SHA-256 and fsync`,
      ours: shown(times.ours),
      other: `${shown(times.sink)}, splice sink without either`,
      value: speed(times.ours) / speed(times.sink),
      target: { atLeast: 0.2 },
    },
    {
      what: "the same, next to hashing alone",
      ours: shown(times.ours),
      other: `${shown(times.hash)}, SHA-256 on one thread`,
      value: speed(times.ours) / speed(times.hash),
      target: null,
    },
    {
      what: `growth of resident memory during one of ${quick ? "half a" : "four"} GiB, in MB`,
      ours: megabytes(growthBytes),
      other: null,
      value: growthBytes / 1e6,
      target: { atMost: 80 },
    },
    {
      what: "the server's CPU seconds per gigabyte uploaded by tus",
      ours: `${(cpu / rounds / (sizeBytes / 1e9)).toFixed(2)} s`,
      other: null,
      value: cpu / rounds / (sizeBytes / 1e9),
      target: null,
    },
  ];
}

async function growthOf(
  { pid }: Appliance,
  sizeBytes: number,
  sendOurs: (path: string) => Promise<number>,
): Promise<number> {
  const file = await paddedClip(sizeBytes);
  const restBytes = residentBytes(pid);
  forgetPeak(pid);
  await sendOurs(file);
  rmSync(file);
  return peakResidentBytes(pid) - restBytes;
}

/** The same four GiB where the storage is a bucket: they go on into it while they come. */
export async function tusBucket({ quick }: Extent): Promise<Figure[]> {
  const sizeBytes = quick ? GIB / 2 : 4 * GIB;
  const program = compileSplice();
  const ceph = await Ceph.start();
  try {
    const environment = settingsFor(await ceph.bucket());
    await using appliance = await Appliance.start({ environment });
    const headers = bearer(await appliance.token("bench"));
    const sendOurs = sender(program, appliance.url, headers);
    const first = await paddedClip(GIB / 8);
    await sendOurs(first);
    rmSync(first);
    await removeAll(appliance.url, headers);
    let seconds = 0;
    const growthBytes = await growthOf(appliance, sizeBytes, async (path) => {
      seconds = await sendOurs(path);
      return seconds;
    });
    return [
      {
        what: `growth of resident memory while ${megabytes(sizeBytes)} go into a bucket by tus, in MB`,
        ours: `${megabytes(growthBytes)} at ${megabytes(sizeBytes / seconds)}/s`,
        other: null,
        value: growthBytes / 1e6,
        target: { atMost: 80 },
      },
    ];
  } finally {
    await ceph.stop();
  }
}

/** A long encode in chunks next to the same in one pass on the CPU, and on four GPUs next to one. */
import { availableParallelism } from "node:os";
import { Appliance, eventually } from "../tests/appliance.ts";
import { gpuBox } from "../tests/gpu-box.ts";
import { bearer } from "./connection.ts";
import type { Extent, Figure } from "./figure.ts";
import { filmClip, jobOf, softClip, startJob, storeAsset } from "./material.ts";
import { kinomillRun, pairFigure, pairs } from "./pairs.ts";

export async function chunks(extent: Extent): Promise<Figure[]> {
  return [...(await nextToOnePass(extent)), await fourGpus(extent)];
}

/** The usual seconds of work in a chunk, for a film that becomes six of them on two cores. */
async function nextToOnePass({ quick }: Extent): Promise<Figure[]> {
  const { seconds, chunkSeconds } = quick
    ? { seconds: 10, chunkSeconds: 4 }
    : { seconds: 120, chunkSeconds: 45 };
  const film = await filmClip(seconds);
  const params = { speed: "fast", video: { codec: "h264", quality: 65 } };
  const run = (chunk: number) => () =>
    kinomillRun("transcode", [film], params, "out.mp4", {
      KINOMILL_JOBS_CHUNK_SECONDS: String(chunk),
    });
  const found = await pairs(quick ? 1 : 3, run(chunkSeconds), run(0));
  const cores = availableParallelism();
  const what = `${seconds} s 1080p in chunks of ${chunkSeconds} s of work, on ${cores} cores`;
  const compared = { with: "in one pass" };
  // With more cores one pass leaves some of them idle, and the ratio only becomes smaller.
  return [
    pairFigure(what, found, "wallSeconds", { ...compared, target: { atMost: 1.02 } }),
    pairFigure(what, found, "cpuSeconds", { ...compared, target: null }),
  ];
}

const JOB_LIMIT_MS = 1_200_000;

/**
 * Of one frame, on top of what the emulator needs itself: what is measured is how well four are used, and not how
 * fast the processor is that plays them.
 */
const PICTURE_MS = 120;

async function fourGpus({ quick }: Extent): Promise<Figure> {
  // As many chunks as places, and twice as many.
  const seconds = quick ? 24 : 80;
  const film = await softClip(seconds);
  // It waits rather than works, so that one round says it.
  const four = await jobSeconds(film, 4);
  const one = await jobSeconds(film, 1);
  return {
    what: `a film of ${seconds} s on four emulated GPUs that take ${PICTURE_MS} ms for each frame, one job on each`,
    ours: `${four.toFixed(1)} s`,
    other: `${one.toFixed(1)} s, on one`,
    value: four / one,
    target: { atMost: 0.35 },
  };
}

/** From when it is asked for to when it is published. */
async function jobSeconds(film: string, gpus: 1 | 4): Promise<number> {
  using box = gpuBox({ gpus: gpus === 1 ? "oneL4" : "fourL4" });
  await using appliance = await Appliance.start({
    environment: {
      ...box.environment,
      KINOMILL_GPU_MAX_JOBS: "1",
      // The film is small, for the emulator encodes it on the processor: seconds of work there.
      KINOMILL_JOBS_CHUNK_SECONDS: "1",
    },
  });
  const headers = bearer(await appliance.token("bench"));
  await eventually("the GPUs are tried", 60_000, async () => {
    const answer = await fetch(`${appliance.url}/api/v1/system`, { headers });
    return ((await answer.json()) as { gpus: { state: string } }).gpus.state === "found";
  });
  for (let number = 0; number < gpus; number += 1) box.slow(number, PICTURE_MS);
  const asset = await storeAsset(appliance.url, headers, film);
  const params = { video: { codec: "h264", quality: 50, maxHeight: 170 } };
  const request = { operation: "transcode", inputs: [asset.id], params };
  const { id } = await startJob(appliance.url, headers, request);
  const done = await eventually("the job ends", JOB_LIMIT_MS, async () => {
    // Asking often would take the processor from the emulator: the job's own times are exact.
    await Bun.sleep(500);
    const now = await jobOf(appliance.url, headers, id);
    return now.finishedAt === null ? null : now;
  });
  if (done.state !== "succeeded") throw new Error(`the job ${done.state}: ${done.error?.message}`);
  return (Date.parse(done.finishedAt ?? "") - Date.parse(done.createdAt)) / 1000;
}

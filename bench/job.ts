/** A job through the server next to the very same ffmpeg command, run bare. */
import { readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Appliance, eventually } from "../tests/appliance.ts";
import { gpuBox } from "../tests/gpu-box.ts";
import { bearer } from "./connection.ts";
import { type Extent, type Figure, median } from "./figure.ts";
import { hdClip, jobOf, startJob, storeAsset } from "./material.ts";
import { childrenOf } from "./usage.ts";

/** A minute of 1080p takes well under a minute on two cores; ten are for a busy machine. */
const JOB_LIMIT_MS = 600_000;

/** The argument vector of the ffmpeg that a server runs now, with the folder that it works in. */
function runningFfmpeg(serverPid: number, encoder: string): { argv: string[]; cwd: string } | null {
  for (const pid of childrenOf(serverPid)) {
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
      const program = basename(readlinkSync(`/proc/${pid}/exe`));
      // The thumbnailer runs ffmpeg as well; only the job encodes with this.
      if (program === "ffmpeg" && argv.includes(encoder)) {
        return { argv, cwd: readlinkSync(`/proc/${pid}/cwd`) };
      }
    } catch {
      // It ended while we looked.
    }
  }
  return null;
}

export async function job(extent: Extent): Promise<Figure[]> {
  const onCpu = await ratio(extent, { encoder: "libx264", environment: {} });
  const box = gpuBox({ gpus: "twoL4" });
  try {
    const environment = { ...box.environment, CUDA_VISIBLE_DEVICES: box.uuid(0) };
    const onGpu = await ratio(extent, { encoder: "h264_nvenc", environment });
    return [onCpu, { ...onGpu, what: `on an emulated GPU: ${onGpu.what}` }];
  } finally {
    box[Symbol.dispose]();
  }
}

async function ratio(
  { quick }: Extent,
  { encoder, environment }: { encoder: string; environment: Record<string, string> },
): Promise<Figure> {
  const seconds = quick ? 10 : 60;
  const file = await hdClip(seconds);
  await using appliance = await Appliance.start({ environment });
  const headers = bearer(await appliance.token("bench"));
  const asset = await storeAsset(appliance.url, headers, file);
  const request = {
    operation: "transcode",
    inputs: [asset.id],
    params: { video: { codec: "h264", maxHeight: 720 }, speed: "fast" },
  };
  const ours: number[] = [];
  const bare: number[] = [];
  await eventually("the thumbnail is made", 60_000, async () => {
    return childrenOf(appliance.pid).length === 0;
  });
  for (let round = 0; round < (quick ? 1 : 3); round += 1) {
    const { id } = await startJob(appliance.url, headers, request);
    const ffmpeg = await eventually("ffmpeg runs", 20_000, async () =>
      runningFfmpeg(appliance.pid, encoder),
    );
    const done = await eventually("the job ends", JOB_LIMIT_MS, async () => {
      // Asking often would take the processor from the encoder: the job's own times are exact.
      await Bun.sleep(500);
      const now = await jobOf(appliance.url, headers, id);
      return now.finishedAt === null ? null : now;
    });
    ours.push((Date.parse(done.finishedAt ?? "") - Date.parse(done.createdAt)) / 1000);
    if (done.state !== "succeeded")
      throw new Error(`the job ${done.state}: ${done.error?.message}`);
    bare.push(await runBare(ffmpeg, environment));
  }
  return {
    what: `a job of ${seconds} s 1080p to 720p, from asking to published and verified`,
    ours: `${median(ours).toFixed(2)} s`,
    other: `${median(bare).toFixed(2)} s, the same ffmpeg bare`,
    value: median(ours.map((time, index) => time / (bare[index] ?? Number.NaN))),
    target: { atMost: 1.05 },
  };
}

/** The outputs go into a folder of our own: the job's is gone, and it was not ours to write in. */
async function runBare(
  { argv, cwd }: { argv: string[]; cwd: string },
  environment: Record<string, string>,
): Promise<number> {
  const folder = join(tmpdir(), "bare");
  await Bun.$`rm -rf ${folder} && mkdir -p ${folder}`.quiet();
  const moved = argv.map((word) => word.replaceAll(cwd, folder));
  const started = performance.now();
  const child = Bun.spawn(["nice", "-n", "10", ...moved], {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said = await new Response(child.stderr).text();
  const seconds = (performance.now() - started) / 1000;
  if ((await child.exited) !== 0) throw new Error(`${moved.join(" ")}: ${said}`);
  return seconds;
}

/**
 * What the fence costs, how soon a box with four GPUs is ready, and whether it keeps them at work. The GPUs
 * are emulated: what is measured is Kinomill's own part, not the speed of an encoder.
 */
import { tmpdir } from "node:os";
import { Appliance, eventually, executable } from "../tests/appliance.ts";
import { type DriverEvent, gpuBox } from "../tests/gpu-box.ts";
import { bearer } from "./connection.ts";
import { type Extent, type Figure, median, milliseconds } from "./figure.ts";
import { jobOf, smallClip, startJob, storeAsset } from "./material.ts";

const JOBS_LIMIT_MS = 600_000;

export async function gpu({ quick }: Extent): Promise<Figure[]> {
  return [await fence(quick), ...(await fourGpus(quick))];
}

/** The start of a program through the fence, less its start without. */
async function fence(quick: boolean): Promise<Figure> {
  const rules = JSON.stringify({
    ...{ parentPid: process.pid, cwd: "/", niceness: 0, programPaths: ["/bin/true"] },
    ...{ readPaths: [], writePaths: [tmpdir()], devicePaths: [] },
    ...{ fileBytes: 1024 ** 3, memoryBytes: 4 * 1024 ** 3 },
  });
  const fenced = [executable, "fence", rules, "--", "/bin/true"];
  const [ours, bare]: [number[], number[]] = [[], []];
  for (let round = 0; round < (quick ? 10 : 60); round += 1) {
    ours.push(await spawnMs(fenced));
    bare.push(await spawnMs(["/bin/true"]));
  }
  const extra = median(ours) - median(bare);
  return {
    what: "what the fence adds to the start of a program, in ms",
    ours: `${extra.toFixed(1)} ms (${median(ours).toFixed(1)} with, ${median(bare).toFixed(1)} without)`,
    other: null,
    value: extra,
    target: { atMost: 25 },
  };
}

async function spawnMs(argv: string[]): Promise<number> {
  const begun = performance.now();
  const child = Bun.spawn(argv, { cwd: "/", stdio: ["ignore", "ignore", "inherit"] });
  if ((await child.exited) !== 0) throw new Error(`${argv[0]} ended with ${child.exitCode}`);
  return performance.now() - begun;
}

/** Jobs of which each takes long next to what stands between two of them, as real ones do. */
const PICTURE_MS = 400;
const JOBS_PER_GPU = 3;
const GPUS = 4;

async function fourGpus(quick: boolean): Promise<Figure[]> {
  const box = gpuBox({ gpus: "fourL4" });
  try {
    const begun = performance.now();
    await using appliance = await Appliance.start({
      environment: { ...box.environment, KINOMILL_GPU_MAX_JOBS: String(JOBS_PER_GPU) },
    });
    const readyMs = performance.now() - begun;
    const headers = bearer(await appliance.token("bench"));
    await eventually("the GPUs are tried", 60_000, async () => {
      const answer = await fetch(`${appliance.url}/api/v1/system`, { headers });
      return ((await answer.json()) as { gpus: { state: string } }).gpus.state === "found";
    });
    const triedMs = performance.now() - begun;
    for (let number = 0; number < GPUS; number += 1) box.slow(number, PICTURE_MS);
    const asset = await storeAsset(appliance.url, headers, await smallClip());
    const params = { video: { codec: "h264", quality: 50, maxHeight: 170 } };
    const request = { operation: "transcode", inputs: [asset.id], params };
    const ids: string[] = [];
    for (let job = 0; job < (quick ? 16 : 40); job += 1) {
      ids.push((await startJob(appliance.url, headers, request)).id);
    }
    for (const id of ids) {
      await eventually(`job ${id} ends`, JOBS_LIMIT_MS, async () => {
        const { state, error } = await jobOf(appliance.url, headers, id);
        if (state === "failed") throw new Error(error?.message);
        if (state === "succeeded") return true;
        await Bun.sleep(200);
        return false;
      });
    }
    const share = busyShare(box.logEvents(), ids.length);
    return [
      {
        what: "a box with four GPUs: start to the first answer",
        ours: milliseconds(readyMs),
        other: null,
        value: readyMs,
        target: { atMost: 1000 },
      },
      {
        what: "the same: start to all four tried with seven probes each",
        ours: milliseconds(triedMs),
        other: null,
        value: triedMs,
        target: null,
      },
      {
        what: `share of the encode slots of four GPUs at work while ${ids.length} jobs wait`,
        ours: `${(share * 100).toFixed(1)} %`,
        other: null,
        value: share,
        target: { atLeast: 0.95 },
      },
    ];
  } finally {
    box[Symbol.dispose]();
  }
}

/**
 * Time that sessions were open ÷ time that they could have been, from the moment when all slots were taken
 * first to the moment when the last job got its session: after that nothing waits any more.
 */
function busyShare(events: readonly DriverEvent[], jobs: number): number {
  const slots = GPUS * JOBS_PER_GPU;
  // The sessions of the probes ended before the first job.
  const sessions = events.filter(({ ev, h }) => ev === "init" && h === 170).map(({ pid }) => pid);
  const of = (kind: string) =>
    events.filter(({ ev, pid }) => ev === kind && sessions.includes(pid));
  const begins = of("init")
    .map(({ t }) => t)
    .toSorted((a, b) => a - b);
  const ends = of("close").map(({ t }) => t);
  if (begins.length !== jobs) throw new Error(`${begins.length} sessions for ${jobs} jobs`);
  const from = begins[slots - 1] ?? Number.NaN;
  const to = begins.at(-1) ?? Number.NaN;
  const within = (t: number) => Math.min(Math.max(t, from), to);
  const sum = (times: number[]) => times.reduce((total, t) => total + within(t), 0);
  return (sum(ends) - sum(begins)) / (slots * (to - from));
}

/**
 * The process that strace follows: puts each hostile file to each use, one after the other, in one of
 * three ways. `bun follow.ts WAY ROOT SHARD SHARDS REPORT`; the report is JSON.
 */
import { openSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadConfig } from "../../src/config.ts";
import { captionText } from "../../src/media/captions/file.ts";
import { cpuDevice } from "../../src/media/devices.ts";
import { type FfmpegRun, runFfmpeg, runFfprobe } from "../../src/media/ffmpeg.ts";
import type { MediaInfo } from "../../src/media/media.ts";
import { probe } from "../../src/media/probe.ts";
import { findOperation, parseParams, planFor } from "../../src/operations/index.ts";
import type { Plan } from "../../src/operations/operation.ts";
import { LocalRunner } from "../../src/runners/local.ts";
import { Refusal } from "../../src/trouble.ts";
import { ffmpeg } from "../clips.ts";
import { media as specimen, video } from "../operations/specimen.ts";
import { toolchain } from "../support/toolchain.ts";
import type { HostileFile, Use } from "./ground.ts";
import { markerFolder } from "./trace.ts";
import { type Report, trialsOf, type Way, wallLimitSeconds, ways } from "./ways.ts";

const memoryBytes = 1024 ** 3;

interface Case {
  file: HostileFile;
  use: Use;
  path: string;
  storage: string;
  /** Exists, and is this run's alone. */
  folder: string;
}

const flags = {
  "storage.reserveBytes": 0,
  "jobs.wallLimitSeconds": wallLimitSeconds,
  "jobs.stallSeconds": 5,
  "ffmpeg.niceness": 0,
};
const config = await loadConfig({ file: null, environment: {}, flags });

const runner = new LocalRunner({ toolchain, config });

/** What probe said of a file: it is asked once, not before each use. */
const probed = new Map<string, Promise<MediaInfo | Refusal>>();

function probeOnce(path: string): Promise<MediaInfo | Refusal> {
  const known = probed.get(path);
  if (known !== undefined) return known;
  const asked = probe(path, toolchain).catch((trouble: unknown) => {
    if (trouble instanceof Refusal) return trouble;
    throw trouble;
  });
  probed.set(path, asked);
  return asked;
}

/** Kinomill's own way. A file that probe refuses is put to the use all the same, as if it were a video. */
async function ours({ use, path, folder }: Case): Promise<string> {
  const said = await probeOnce(path);
  if (use === "probe") return said instanceof Refusal ? `${said.code}: ${said.message}` : "done";
  // Transcode takes no stills: a picture is handed to it as a video.
  const unfit = said instanceof Refusal || (said.kind === "image" && use !== "thumbnail");
  const media = unfit ? taken : said;
  if (use === "subtitles") {
    const burnt = await asCaptions(path, folder);
    if (burnt !== null && burnt !== "done") return burnt;
  }
  const { operation, params } = jobs[use];
  const wanted = findOperation(operation);
  const plan = planFor(wanted, parseParams(wanted, params), [{ name: "x", media }], toolchain);
  return await carryOut(plan, path, folder);
}

/** The file as captions of a film: read by Kinomill, drawn by libass. Null when it is none. */
async function asCaptions(path: string, folder: string): Promise<string | null> {
  let captions: ReturnType<typeof captionText>;
  try {
    captions = captionText(path);
  } catch (trouble) {
    if (trouble instanceof Refusal) return `${trouble.code}: ${trouble.message}`;
    throw trouble;
  }
  if (captions === null) return null;
  const film = join(folder, "film.mkv");
  const flat = ["-f", "lavfi", "-i", "color=s=64x48:r=5:d=1", "-c:v", "mpeg4"];
  ffmpeg(...flat, film);
  const burn = findOperation("captions");
  const inputs = [{ name: "x", media: await probe(film, toolchain) }];
  const texts = [{ name: "y", text: captions.text }];
  const endings: string[] = [];
  for (const action of ["burn", "embed"]) {
    const params = parseParams(burn, { action, container: "mkv", speed: "fast", quality: 10 });
    const plan = planFor(burn, params, inputs, toolchain, texts);
    endings.push(await carryOut(plan, film, join(folder, action)));
  }
  return endings.find((ending) => ending !== "done") ?? "done";
}

async function carryOut(plan: Plan, path: string, folder: string): Promise<string> {
  for (const step of plan.steps) {
    const outcome = await runner.run({
      device: cpuDevice(1),
      work: step.work,
      assetPaths: [path],
      jobFolder: folder,
      step: step.name,
      expectations: step.outputs.map(({ expectation }) => expectation),
      verify: "quick",
      signal: AbortSignal.timeout(30_000),
      onProgress: () => {},
    });
    if (outcome.kind === "failed") return `${outcome.report.code}: ${outcome.report.message}`;
    if (outcome.kind === "aborted") return outcome.kind;
  }
  return "done";
}

/** What the plans are told of files that are no media. */
const taken = specimen({
  durationSeconds: 1,
  video: video({ width: 64, height: 48 }),
  audio: [],
  subtitles: [
    { codec: "subrip", language: null, title: null, default: false, forced: false, index: 1 },
  ],
});

const encode = { video: { codec: "h264", quality: 10 }, speed: "fast" };
const jobs = {
  thumbnail: { operation: "thumbnails", params: {} },
  transcode: { operation: "transcode", params: encode },
  subtitles: { operation: "transcode", params: { ...encode, container: "mkv" } },
};

/** As tutorials say: the name as it is, and whatever flags made the error go away. */
function carelessArgv({ file, use, folder }: Case): string[] {
  const input = [...(file.careless ?? []), "-i", file.name];
  switch (use) {
    case "probe":
      return ["-show_format", "-show_streams", ...input];
    case "thumbnail":
      return [...input, "-frames:v", "1", "-update", "1", join(folder, "poster.png")];
    case "transcode":
      return [...input, "-t", "1", "-c:v", "mpeg4", join(folder, "output.mkv")];
    case "subtitles": {
      const name = file.name.replaceAll(/[\\':]/g, "\\$&").replaceAll(/[\\'[\],;]/g, "\\$&");
      const picture = ["-f", "lavfi", "-i", "color=s=64x48:r=5:d=0.4"];
      return [...picture, "-vf", `subtitles=filename=${name}`, "-f", "null", "-"];
    }
  }
}

async function fence(run: Case): Promise<string> {
  const { use, path, storage, folder } = run;
  const common: FfmpegRun = {
    tool: use === "probe" ? toolchain.ffprobePath : toolchain.ffmpegPath,
    argv: carelessArgv(run),
    cwd: storage,
    readPaths: [path],
    writePaths: [folder],
    wallLimitSeconds,
    niceness: 0,
    memoryBytes,
    fileBytes: 8 * 1024 ** 2,
    stallSeconds: 5,
    expectedSeconds: null,
  };
  const outcome = use === "probe" ? (await runFfprobe(common)).outcome : await runFfmpeg(common);
  return outcome.kind === "exited" ? `exited ${outcome.code}` : outcome.kind;
}

/** Some wait for a network that is not there; what they open, they open at once, as soon as a busy machine lets them. */
const unguardedSeconds = 6;

async function unguarded(run: Case): Promise<string> {
  const { use, storage } = run;
  const tool =
    use === "probe"
      ? [toolchain.ffprobePath, "-v", "quiet"]
      : [toolchain.ffmpegPath, "-nostdin", "-v", "quiet", "-y"];
  const child = Bun.spawn([...tool, ...carelessArgv(run)], {
    cwd: storage,
    stdio: ["ignore", "ignore", "ignore"],
    timeout: unguardedSeconds * 1000,
    killSignal: "SIGKILL",
  });
  return `exited ${await child.exited}`;
}

const carry: Record<Way, (run: Case) => Promise<string>> = { ours, fence, unguarded };

/** strace sees the attempt; the path never exists. */
function mark(label: string): void {
  try {
    openSync(`${markerFolder}${label}`, "r");
  } catch {
    // As it should be.
  }
}

async function follow(way: Way, root: string, shard: number, shards: number): Promise<Report[]> {
  const storage = join(root, "storage");
  const reports: Report[] = [];
  const mine = trialsOf(way).filter(({ index }) => index % shards === shard);
  for (const { file, use, label } of mine) {
    const folder = join(root, "jobs", way, label);
    await mkdir(folder, { recursive: true });
    mark(label);
    const started = performance.now();
    const path = join(storage, file.name);
    const ending = await carry[way]({ file, use, storage, folder, path });
    reports.push({ label, seconds: (performance.now() - started) / 1000, ending });
  }
  mark("");
  return reports;
}

if (import.meta.main) {
  const [way, root, shard, shards, report] = process.argv.slice(2);
  const known = ways.find((name) => name === way);
  if (known === undefined || root === undefined || report === undefined) {
    throw new Error("usage: follow.ts WAY ROOT SHARD SHARDS REPORT");
  }
  const reports = await follow(known, root, Number(shard), Number(shards));
  await writeFile(report, JSON.stringify(reports));
}

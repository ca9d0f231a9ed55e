/** A step that looks up where a picture is cut into chunks: its packets are read, and a few frames decoded. */
import { join } from "node:path";
import { allEnded } from "../ended.ts";
import type { StepWork } from "../media/description.ts";
import type { Toolchain } from "../media/devices.ts";
import { runFfprobe } from "../media/ffmpeg.ts";
import { inputPath, safeInputFlags } from "../media/safety.ts";
import { type Seams, type SeamWish, seamsOf } from "../media/seams.ts";
import { fractionOf, microsecond, microsecondsOf, rescale } from "../media/ticks.ts";
import type { PictureTimes } from "../media/timeline.ts";
import { assert, Failure } from "../trouble.ts";
import type { CarriedOut, LocalConfig } from "./described-run.ts";
import { explainRun } from "./explain.ts";
import { pathOf, refuseMissing, writeDurably } from "./job-files.ts";
import type { AttemptRequest } from "./runner.ts";

/** ffprobe keeps nothing of the packets; the index of a long file has some hundred MB. */
const MEMORY_BYTES = 2 * 1024 ** 3;

/** Packets of a picture: a day at 60 a second. */
const PACKETS_MAX = 6_000_000;

interface Local {
  toolchain: Toolchain;
  config: LocalConfig;
}

/** @throws Failure as a run does, and `media_undecodable` when there is no picture in the file */
export async function seams(
  local: Local,
  request: AttemptRequest,
  work: Extract<StepWork, { kind: "seams" }>,
  folder: string,
): Promise<CarriedOut | null> {
  const { wish, file } = work;
  const found = await seamsIn(local, request, wish);
  if (found === null) return null;
  await writeDurably(join(folder, file), JSON.stringify(found));
  const used = found.chunks.filter(({ frames }) => frames > 0).length;
  const parts = used === 1 ? "one part" : `${used} parts`;
  return {
    ...{ encoder: null, proof: null, placement: null },
    deviceReason: "The packets are read; next to nothing is decoded",
    checks: [`Cut into ${parts}`, ...(found.because === null ? [] : [found.because])],
  };
}

async function seamsIn(
  local: Local,
  request: AttemptRequest,
  wish: SeamWish,
): Promise<Seams | null> {
  const times = await pictureTimes(local, request, wish);
  if (times === null) return null;
  const found = seamsOf(times, wish);
  const honest = await keyframesAreHonest(local, request, { wish, found, times });
  if (honest === null) return null;
  // Only the very first can be believed then, for every player begins there.
  return honest ? found : seamsOf({ ...times, keys: onlyFirst(times.keys) }, wish);
}

function onlyFirst(keys: readonly boolean[]): boolean[] {
  const first = keys.indexOf(true);
  return keys.map((_, index) => index === first);
}

type Packets = Pick<PictureTimes, "pts" | "dts" | "keys" | "hidden">;

async function pictureTimes(
  local: Local,
  request: AttemptRequest,
  wish: SeamWish,
): Promise<PictureTimes | null> {
  const heads: string[][] = [];
  const packets: Packets = { pts: [], dts: [], keys: [], hidden: [] };
  const shown = "stream=index,time_base,start_pts:format=start_time";
  const argv = ["-show_entries", shown, "-of", "csv"];
  const ofPackets = [
    ...["-select_streams", String(wish.stream), "-show_entries", "packet=pts,dts,flags"],
    ...["-of", "csv=p=0"],
  ];
  // Side by side: each opens the file anew, which takes longer than what it asks.
  const asked = await allEnded([
    ask(local, request, { wish, argv }, (line) => heads.push(line.split(","))),
    ask(local, request, { wish, argv: ofPackets }, (line) => addPacket(packets, line)),
  ]);
  if (asked.includes(false)) return null;
  const times = { ...clocksOf(heads, wish.stream), ...packets };
  if (times.pts.length > 0) return times;
  throw new Failure("media_undecodable", "The picture of the source has no frames.", {
    hint: "Check that the source plays on your own machine.",
  });
}

/** By the lines of streams and format. */
function clocksOf(lines: readonly string[][], stream: number): Omit<PictureTimes, keyof Packets> {
  const streams = lines.filter(([section]) => section === "stream");
  const about = (index: number) => streams.find(([, found]) => Number(found) === index);
  const timeBase = fractionOf(about(stream)?.find((field) => field.includes("/")) ?? "");
  const streamStarts = new Map<number, number>();
  for (const [, index, ...fields] of streams) {
    const base = fields.find((field) => field.includes("/"));
    const start = wholeOf(fields.find((field) => !field.includes("/")));
    if (base === undefined || start === null) continue;
    streamStarts.set(Number(index), rescale(start, fractionOf(base), microsecond));
  }
  const format = lines.find(([section]) => section === "format");
  const seconds = Number(format?.[1] ?? 0);
  const startMicroseconds = Number.isFinite(seconds) ? microsecondsOf(seconds) : 0;
  return { timeBase, startMicroseconds, streamStarts };
}

function addPacket(times: Packets, line: string): void {
  const [pts, dts, flags = ""] = line.split(",");
  if (pts === undefined || dts === undefined) return;
  if (times.pts.length >= PACKETS_MAX) {
    throw new Failure("media_unsupported", "The source has more frames than Kinomill can count.", {
      hint: "Cut it into several files first.",
    });
  }
  times.pts.push(wholeOf(pts));
  times.dts.push(wholeOf(dts));
  times.keys.push(flags.includes("K"));
  times.hidden.push(flags.includes("D"));
}

function wholeOf(text: string | undefined): number | null {
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : null;
}

/** Codecs whose pictures say whether they stand alone; others are believed. */
const tellingTypes = new Set(["I", "S", "?"]);

/**
 * Whether what comes first after each seek is a picture that stands alone: where an index calls every frame a
 * keyframe, it is not. Null when it was aborted.
 */
async function keyframesAreHonest(
  local: Local,
  request: AttemptRequest,
  { wish, found, times }: { wish: SeamWish; found: Seams; times: PictureTimes },
): Promise<boolean | null> {
  const seeks = found.chunks.flatMap(({ frames, fromTick, seekSeconds }) =>
    frames > 0 && fromTick !== null && seekSeconds !== null ? [seekSeconds] : [],
  );
  if (seeks.length === 0 || wish.broadcast || wish.intra) return true;
  const start = times.startMicroseconds / 1e6;
  const intervals = seeks.map((seek) => `${(start + seek).toFixed(6)}%+#1`).join(",");
  const argv = [
    ...["-select_streams", String(wish.stream), "-read_intervals", intervals],
    ...["-show_entries", "frame=pict_type", "-of", "csv=p=0"],
  ];
  const types: string[] = [];
  const done = await ask(local, request, { wish, argv }, (line) => {
    const [type = ""] = line.split(",");
    if (type !== "") types.push(type);
  });
  return done ? types.every((type) => tellingTypes.has(type)) : null;
}

/** False when it was aborted. */
async function ask(
  { toolchain, config }: Local,
  request: AttemptRequest,
  { wish, argv }: { wish: SeamWish; argv: string[] },
  onLine: (line: string) => void,
): Promise<boolean> {
  const { jobs, ffmpeg } = config;
  const path = pathOf(request, wish.from);
  const files = [{ path, name: "input 1" }];
  await refuseMissing(files);
  const { outcome } = await runFfprobe(
    {
      tool: toolchain.ffprobePath,
      argv: [...safeInputFlags(), ...argv, "-i", inputPath(path)],
      ...{ cwd: "/", readPaths: [path], writePaths: [], signal: request.signal },
      ...{ wallLimitSeconds: jobs.wallLimitSeconds, niceness: ffmpeg.niceness, pausable: true },
      ...{ memoryBytes: MEMORY_BYTES, fileBytes: 0 },
    },
    onLine,
  );
  if (outcome.kind === "aborted") return false;
  assert(outcome.kind !== "too_much_output", "lines are taken as they come");
  if (outcome.kind !== "exited" || outcome.code !== 0) throw explainRun(outcome, files, jobs);
  return true;
}

/** What script/pull-the-plug does once everything is built. It works in a folder that is gone at the end. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Api, type Json } from "../tests/api.ts";
import { Appliance, eventually } from "../tests/appliance.ts";
import { ffmpeg, ffprobe } from "../tests/clips.ts";

/** An hour: a file of one's own may be long. */
const JOB_LIMIT_MS = 3_600_000;

const wishes = process.argv.slice(2);
const quick = wishes.includes("--quick");
const given = wishes.find((wish) => !wish.startsWith("-"));

const step = (text: string) => console.log(`\n\x1b[1m${text}\x1b[0m`);

/** Seconds of the clip, and of work in a chunk: a dozen chunks, of which some are done at the cut. */
const { clipSeconds, height, chunkSeconds } = quick
  ? { clipSeconds: 24, height: 270, chunkSeconds: 1 }
  : { clipSeconds: 60, height: 720, chunkSeconds: 4 };

/** Moving noise over a test picture: as hard to encode as film. */
function makeClip(path: string): void {
  const size = `${Math.round((height * 16) / 9 / 2) * 2}x${height}`;
  const picture = `testsrc2=size=${size}:rate=30:duration=${clipSeconds},noise=alls=12:allf=t`;
  ffmpeg(
    ...["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", `sine=440:duration=${clipSeconds}`],
    ...["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-crf", "30", "-g", "30"],
    ...["-c:a", "aac", path],
  );
}

function frames(path: string): number {
  const argv = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-count_packets"];
  const entries = ["-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", path];
  return Number.parseInt(Bun.spawnSync([...argv, ...entries]).stdout.toString(), 10);
}

const stepsOf = (job: Json, state: string): Json[] =>
  job.steps.filter((each: Json) => each.state === state);

function tell(job: Json): string {
  const words = `${stepsOf(job, "done").length} of ${job.steps.length} steps are done`;
  return `${words}, ${stepsOf(job, "running").length} run, ${Math.round(job.progressPercent)} %`;
}

async function main(folder: string): Promise<void> {
  const environment = { KINOMILL_JOBS_CHUNK_SECONDS: String(chunkSeconds) };
  const path = given ?? join(folder, "clip.mp4");
  if (given === undefined) {
    step(`A clip: ${clipSeconds} s at ${height} lines`);
    makeClip(path);
  }
  step("Kinomill starts, takes the file in and encodes it in chunks");
  await using first = await Appliance.start({ environment });
  const token = await first.token("demo");
  const api = new Api(first.url, token);
  const asset = await api.add(path, basename(path));
  const params = { video: { codec: "h264", quality: 60 } };
  const { id } = await api.start("transcode", [asset.id], params);
  const before = await eventually("half of the chunks are done", JOB_LIMIT_MS, async () => {
    const { body } = await api.get(`/api/v1/jobs/${id}`);
    if (["succeeded", "failed"].includes(body.state)) return body;
    return stepsOf(body, "done").length >= Math.ceil(body.steps.length / 2) ? body : null;
  });
  if (before.state !== "running")
    throw new Error(`The job ${before.state} before the plug was pulled: take a longer file.`);
  console.log(tell(before));

  step("The plug: kill -9");
  await first.end("SIGKILL");
  const cut = performance.now();

  step("Kinomill starts again on the same data");
  await using second = await Appliance.start({ folder: first.folder, environment });
  const again = new Api(second.url, token);
  await eventually("the job runs again", 60_000, async () => {
    return (
      (await again.get(`/api/v1/jobs/${id}`).catch(() => null))?.body.state !== "queued" || null
    );
  });
  console.log(`It works on after ${((performance.now() - cut) / 1000).toFixed(1)} s.`);
  const after = await eventually("the job ends", JOB_LIMIT_MS, async () => {
    const { body } = await again.get(`/api/v1/jobs/${id}`);
    return ["succeeded", "failed", "cancelled"].includes(body.state) ? body : null;
  });
  if (after.state !== "succeeded")
    throw new Error(`The job ${after.state}: ${after.error?.message}`);
  for (const note of after.attempts.flatMap(({ notes }: Json) => notes ?? [])) console.log(note);

  step("The output");
  const output = join(folder, "output.mp4");
  await Bun.write(output, await again.download(after.outputs[0]));
  const { format } = ffprobe(output);
  console.log(
    `${format["duration"]} s, ${frames(output)} frames; the source has ${frames(path)} frames.`,
  );
  if (frames(output) !== frames(path)) throw new Error("The output has another number of frames.");
  const kept = stepsOf(before, "done").map(({ name }: Json) => name);
  const redone = after.steps.filter(
    (each: Json) => kept.includes(each.name) && startedLater(each, before),
  );
  console.log(
    `${kept.length} steps were done when the plug was pulled, and ${redone.length} of them were done again.`,
  );
  if (redone.length > 0) throw new Error("Finished steps were done again.");
}

/** Whether a step that was done has begun again since. */
function startedLater(each: Json, before: Json): boolean {
  const then = before.steps.find(({ name }: Json) => name === each.name);
  return each.startedAt !== then.startedAt;
}

const folder = await mkdtemp(join(tmpdir(), "plug-"));
try {
  await main(folder);
} catch (trouble) {
  console.error(trouble instanceof Error ? trouble.message : trouble);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

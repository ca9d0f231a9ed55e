/** ffmpeg crashes, hangs, is stopped, killed, talks without end, lies: the real server, its real ffmpeg. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Api, type Json } from "../api.ts";
import { Appliance, eventually } from "../appliance.ts";
import { clip, ffmpeg, plainClip } from "../clips.ts";
import { note, roundsOf } from "./count.ts";

setDefaultTimeout(900_000);

const root = mkdtempSync(join(tmpdir(), "ffmpeg-faults-"));
afterAll(() => rmSync(root, { recursive: true }));

/** The least that the setting allows, so that a hang is seen soon. */
const STALL_SECONDS = 5;
/** A stall, and a second or two until ffmpeg is gone. */
const STALLED_WITHIN_MS = (STALL_SECONDS + 15) * 1000;

/** An ffmpeg of ours in front of the real one: `lines` run when a job encodes while the fault is on. */
async function fakeFfmpeg(
  lines: string,
): Promise<{ path: string; faulty(on: boolean): Promise<void> }> {
  const folder = mkdtempSync(join(root, "fake-"));
  const path = join(folder, "ffmpeg");
  const flag = join(folder, "on");
  const real = Bun.which("ffmpeg");
  // Only runs that write an MP4 are jobs; the server's own look at ffmpeg must go on working.
  const text = `#!/bin/sh\nFFMPEG=${real}\ncase "$*" in *output.mp4*) if [ -e ${flag} ]; then\n${lines}\nfi;; esac\nexec "$FFMPEG" "$@"\n`;
  await Bun.write(path, text);
  chmodSync(path, 0o755);
  return {
    path,
    faulty: async (on) => {
      if (on) await Bun.write(flag, "");
      else rmSync(flag, { force: true });
    },
  };
}

/** Takes some seconds to encode, so that there is an ffmpeg to send a signal to. */
function noisyClip(): string {
  return clip("noisy.mp4", (path) =>
    ffmpeg(
      ...["-f", "lavfi", "-i", "testsrc2=size=480x270:rate=30:duration=16,noise=alls=20:allf=t"],
      ...["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-crf", "40", path],
    ),
  );
}

interface Wish {
  /** Lines of the stand-in; absent: the real ffmpeg. */
  lines?: string;
  /** A signal that the encoding ffmpeg gets. */
  signal?: NodeJS.Signals;
}

/** A group of processes whose memory the kernel limits; it kills what needs more. It needs root, as CI has. */
function memoryGroup(limitBytes: number) {
  const single = existsSync("/sys/fs/cgroup/cgroup.controllers");
  const folder = join(
    single ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory",
    `kinomill-${process.pid}`,
  );
  if (single) writeFileSync("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
  mkdirSync(folder);
  const limit = single ? "memory.max" : "memory.limit_in_bytes";
  writeFileSync(join(folder, limit), String(limitBytes));
  const events = join(folder, single ? "memory.events" : "memory.oom_control");
  return {
    folder,
    processes: join(folder, "cgroup.procs"),
    /** Processes that the kernel killed in it. */
    kills: () => Number(/^oom_kill (\d+)$/m.exec(readFileSync(events, "utf8"))?.[1] ?? 0),
    [Symbol.dispose]: () => rmdirSync(folder),
  };
}

/** @param writable folder that ffmpeg may write into besides its own */
async function startBox(
  ffmpegPath: string | null,
  writable: string | null,
): Promise<{ appliance: Appliance; api: Api }> {
  const appliance = await Appliance.start({
    environment: {
      KINOMILL_JOBS_STALL_SECONDS: String(STALL_SECONDS),
      ...(ffmpegPath === null
        ? {}
        : { KINOMILL_FFMPEG_PATH: ffmpegPath, KINOMILL_FFMPEG_SANDBOX_READ: root }),
      ...(writable === null ? {} : { KINOMILL_FFMPEG_SANDBOX_WRITE: writable }),
    },
  });
  const api = new Api(appliance.url, await appliance.token("ann"));
  await eventually("the server is ready", 30_000, async () => {
    return (await api.get("/health/ready")).status === 200;
  });
  return { appliance, api };
}

/** The ffmpeg that encodes inside the appliance's folder. */
function encoderOf(appliance: Appliance): number | null {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      const program = readlinkSync(`/proc/${pid}/exe`);
      if (
        /ffmpeg$/.test(program) &&
        argv.includes(appliance.folder) &&
        argv.includes("output.mp4")
      ) {
        return Number(pid);
      }
    } catch {
      // It ended while we looked.
    }
  }
  return null;
}

/**
 * Makes a fault happen to an encode so often, and after each the same job again without it.
 * @param expected what a job that failed of it says; a job may also be tried again by itself and succeed
 */
async function suffer(
  id: string,
  wish: Wish,
  expected: RegExp,
  rounds: number,
  writable: string | null = null,
): Promise<void> {
  const fake = wish.lines === undefined ? null : await fakeFfmpeg(wish.lines);
  const box = await startBox(fake?.path ?? null, writable);
  await using appliance = box.appliance;
  const { api } = box;
  const source = await api.add(wish.signal === undefined ? plainClip() : noisyClip());
  const params = { video: { codec: "h264", quality: 40 } };
  let failed = 0;
  const recovery: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await fake?.faulty(true);
    const job = await api.start("transcode", [source.id], params);
    if (wish.signal !== undefined) await signalEncoder(appliance, wish.signal);
    const hurt = await eventually("the job says what happened", STALLED_WITHIN_MS, async () => {
      const { body } = await api.get(`/api/v1/jobs/${job.id}`);
      return troubleOf(body) === null ? null : body;
    });
    await fake?.faulty(false);
    const started = performance.now();
    expect(troubleOf(hurt)).toMatch(expected);
    expect(hurt.outputs).toEqual([]);
    failed += 1;
    // Whoever failed is asked for again by hand; whoever tries again by itself is waited for.
    if (hurt.state === "failed") {
      expect(hurt.error.hint).not.toBe("");
      await api.post(`/api/v1/jobs/${job.id}/retry`, {});
    }
    const done = await api.waitFor(job.id, "succeeded", "cancelled");
    recovery.push((performance.now() - started) / 1000);
    expect([done.state, done.outputs.length]).toEqual(["succeeded", 1]);
    await eventually("no ffmpeg stays", 10_000, async () => encoderOf(appliance) === null);
  }
  note(id, {
    ...{ rounds, acknowledged: rounds, lost: 0, doubled: 0, falsified: 0 },
    recoverySeconds: Math.max(...recovery),
    control: `${failed} of ${rounds} were hurt; without the fault the same jobs succeeded`,
  });
}

/** What an attempt that ended badly says; null while none did. */
function troubleOf(job: Json): string | null {
  const reports = [job.error, ...job.attempts.map(({ error }: Json) => error)].filter(Boolean);
  const [report] = reports;
  return report === undefined ? null : `${report.code}: ${report.message} ${report.hint}`;
}

async function signalEncoder(appliance: Appliance, signal: NodeJS.Signals): Promise<void> {
  const pid = await eventually("ffmpeg encodes", 30_000, async () => encoderOf(appliance));
  process.kill(pid, signal);
}

test("a crash: the job says so, nothing is published, and it works again", async () => {
  await suffer("ffmpeg-crash", { signal: "SIGSEGV" }, /crash|SIGSEGV/i, roundsOf(1, 10));
});

test("killed by the kernel for its memory", async () => {
  await suffer("ffmpeg-out-of-memory", { signal: "SIGKILL" }, /kill|memory/i, roundsOf(1, 10));
});

test("out of the memory that the kernel allows it: the kernel kills it, and the job says so", async () => {
  using group = memoryGroup(24 * 1024 ** 2);
  const lines = `echo $$ > ${group.processes}`;
  await suffer("ffmpeg-memory-limit", { lines }, /kill|memory/i, roundsOf(1, 10), group.folder);
  expect(group.kills()).toBeGreaterThan(0);
});

test("stopped from outside: it counts as hanging and is killed", async () => {
  await suffer("ffmpeg-stopped", { signal: "SIGSTOP" }, /progress|stall/i, roundsOf(1, 5));
});

test("a hang that ignores SIGTERM", async () => {
  const lines = "trap '' TERM\nwhile :; do sleep 1; done";
  await suffer("ffmpeg-hang", { lines }, /progress|stall/i, roundsOf(1, 5));
});

test("talk without end is no progress", async () => {
  const said = "x".repeat(200);
  const lines = `while :; do i=0; while [ $i -lt 500 ]; do echo "${said}" >&2; i=$((i+1)); done; printf 'frame=1\\nout_time_us=40000\\nprogress=continue\\n'; sleep 0.05; done`;
  await suffer("ffmpeg-chatter", { lines }, /progress|stall/i, roundsOf(1, 5));
});

test("exit code 0 and half a file: it is not published", async () => {
  const lines = `"$FFMPEG" "$@" || exit $?\nsize=$(stat -c %s output.mp4)\ntruncate -s $((size / 2)) output.mp4\nexit 0`;
  await suffer("ffmpeg-lies", { lines }, /output_rejected|verif|whole|shorter/i, roundsOf(1, 10));
});

/**
 * Files that attack whoever opens them. Each attack is also run against ffmpeg without our flags and
 * without the fence, where it must succeed: a detector that sees no leak there would prove nothing here.
 */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { ffmpeg } from "../../tests/clips.ts";
import { Refusal } from "../trouble.ts";
import { runFfmpeg, runFfprobe } from "./ffmpeg.ts";
import { probe } from "./probe.ts";
import { inputPath, safeInputFlags } from "./safety.ts";

/** Traced processes are slow, and machines that test are busy. */
setDefaultTimeout(120_000);

const root = mkdtempSync(join(tmpdir(), "hostile-test-"));
afterAll(() => rmSync(root, { recursive: true }));

/** What must stay unread: a video of another tenant. */
const secret = join(root, "tenant-b", "secret.ts");
mkdirSync(join(root, "tenant-b"));
ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1", "-c:v", "mpeg2video", secret);

const job = join(root, "tenant-a");
mkdirSync(job);

function plant(name: string, text: string): string {
  const path = join(job, name);
  writeFileSync(path, text);
  return path;
}

const hls = `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://${secret}\n#EXT-X-ENDLIST\n`;
const attacks: [name: string, text: string, demuxer: string][] = [
  // ffmpeg believes a playlist only with its own ending or with none; assets are stored without one.
  ["playlist", hls, "hls"],
  ["playlist.mp4", hls, "hls"],
  ["concat", `ffconcat version 1.0\nfile ${secret}\n`, "concat"],
];

/** Opens of the secret, as the kernel saw them, of a command and its children. */
async function opens(command: string[]): Promise<string[]> {
  const log = join(root, `trace-${crypto.randomUUID()}`);
  const child = Bun.spawn(
    ["/usr/bin/strace", "-f", "-qq", "-e", "trace=open,openat,openat2", "-o", log, ...command],
    { cwd: job, stdio: ["ignore", "ignore", "ignore"], timeout: 60_000, killSignal: "SIGKILL" },
  );
  await child.exited;
  return readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => line.includes("secret.ts"));
}

/** The server's own way to look at a file, in a process that strace can follow. */
function ownProbe(path: string): string[] {
  const program = join(root, "probe.ts");
  writeFileSync(
    program,
    `import { probe } from ${JSON.stringify(join(import.meta.dir, "probe.ts"))};
     await probe(process.argv[2], { ffprobePath: "ffprobe" }).catch(() => {});`,
  );
  return [process.execPath, program, path];
}

const picture = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1"];

function newRun(argv: string[], readPaths: string[]) {
  return {
    argv,
    cwd: job,
    readPaths,
    writePaths: [job],
    wallLimitSeconds: 30,
    stallSeconds: 30,
    niceness: 0,
    expectedSeconds: null,
  };
}

describe("a playlist under another name", () => {
  test.each(attacks)("%s is refused and opens nothing of others", async (name, text, demuxer) => {
    const path = plant(name, text);
    const trouble = await probe(path, { ffprobePath: "ffprobe" }).catch((cause) => cause);
    expect(trouble).toBeInstanceOf(Refusal);
    expect((trouble as Refusal).code).toBe("not_media");
    // The control: the same file, opened as tutorials say.
    const careless = ["/usr/bin/ffprobe", "-v", "quiet", "-f", demuxer];
    const unsafe = [...careless, ...(demuxer === "concat" ? ["-safe", "0"] : []), "-i", path];
    expect((await opens(unsafe)).length).toBeGreaterThan(0);
    expect(await opens(ownProbe(path))).toEqual([]);
  });

  test("the closed list of protocols alone leaks; the closed list of formats does not", async () => {
    const path = plant("list-control", hls);
    const ffprobe = ["/usr/bin/ffprobe", "-v", "quiet"];
    const protocols = [...ffprobe, "-protocol_whitelist", "file", "-i", inputPath(path)];
    expect((await opens(protocols)).length).toBeGreaterThan(0);
    expect(await opens([...ffprobe, ...safeInputFlags(), "-i", inputPath(path)])).toEqual([]);
  });

  test("the fence alone keeps it from the secret, when a format slips through", async () => {
    const path = plant("slipped", hls);
    const argv = ["-f", "hls", "-i", path, "-f", "null", "-"];
    const tool = "/usr/bin/ffmpeg";
    const denied = await runFfmpeg({ tool, ...newRun(argv, [path]) });
    expect(denied).toMatchObject({ kind: "exited", code: 1 });
    expect("stderr" in denied && denied.stderr).toContain("Failed to open segment 0");
    // The control: the same run with the secret among its files goes through.
    const allowed = await runFfmpeg({ tool, ...newRun(argv, [path, secret]) });
    expect(allowed).toMatchObject({ kind: "exited", code: 0 });
  });
});

describe("a filter that names files, which no list of ffmpeg's own stops,", () => {
  test("finds no file of others behind the fence", async () => {
    const tool = "/usr/bin/ffmpeg";
    const graph = `movie=${secret}[m];[0:v][m]overlay`;
    const argv = [...picture, "-filter_complex", graph, "-frames:v", "1", "-f", "null", "-"];
    const denied = await runFfmpeg({ tool, ...newRun(argv, []) });
    expect(denied).toMatchObject({ kind: "exited", code: 1 });
    expect("stderr" in denied && denied.stderr).toContain("Permission denied");
    const allowed = await runFfmpeg({ tool, ...newRun(argv, [secret]) });
    expect(allowed).toMatchObject({ kind: "exited", code: 0 });
  });
});

describe("bombs", () => {
  /** A picture of 16,000 × 16,000 pixels, the most that ffmpeg itself takes, in 2 kB. */
  function pngBomb(): string {
    const side = 16_000;
    const chunk = (type: string, data: Buffer) => {
      const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
      const framed = Buffer.alloc(8 + data.length + 4);
      framed.writeUInt32BE(data.length, 0);
      body.copy(framed, 4);
      framed.writeUInt32BE(crc32(body), 8 + data.length);
      return framed;
    };
    const header = Buffer.alloc(13);
    header.writeUInt32BE(side, 0);
    header.writeUInt32BE(side, 4);
    header.set([8, 2, 0, 0, 0], 8);
    // A row of black packs a thousandfold, as bombs do.
    const rows = deflateSync(Buffer.alloc(side * 3 * 50));
    const path = join(job, "bomb.png");
    const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    const parts = [chunk("IHDR", header), chunk("IDAT", rows), chunk("IEND", Buffer.alloc(0))];
    writeFileSync(path, Buffer.concat([signature, ...parts]));
    return path;
  }

  /**
   * Largest resident memory in bytes that a command took. A small process of its own starts it: the
   * kernel counts the starter's memory in, and this one has grown with the tests before.
   */
  async function peakBytes(command: string[]): Promise<number> {
    const measure = `
      const child = Bun.spawn(process.argv.slice(1), { stdio: ["ignore", "ignore", "ignore"] });
      await child.exited;
      console.log(child.resourceUsage().maxRSS);`;
    const starter = Bun.spawn([process.execPath, "-e", measure, ...command], { timeout: 60_000 });
    return Number(await new Response(starter.stdout).text());
  }

  test("a picture of 256 million pixels is refused in the memory of a small one", async () => {
    const path = pngBomb();
    const trouble = await probe(path, { ffprobePath: "ffprobe" }).catch((cause) => cause);
    expect((trouble as Refusal).message).toContain("more than 67108864 pixels");
    const ffprobe = ["/usr/bin/ffprobe", "-v", "quiet"];
    const guarded = await peakBytes([...ffprobe, ...safeInputFlags(), "-i", path]);
    const control = await peakBytes([...ffprobe, "-i", path]);
    expect(control).toBeGreaterThan(700_000_000);
    expect(guarded).toBeLessThan(300_000_000);
  });

  test("two frames ten hours apart do not become two million", async () => {
    const path = join(job, "gap.mkv");
    ffmpeg(
      ...["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.08"],
      ...["-vf", "setpts='if(eq(N,0),0,36000/TB)'", "-fps_mode", "passthrough"],
      ...["-enc_time_base", "1/1000", "-c:v", "mjpeg", path],
    );
    expect(readFileSync(path).length).toBeLessThan(10_000);
    const rate = ["-i", path, "-r", "60", "-fps_mode", "cfr", "-c:v", "mpeg4", "out.mkv"];
    const bounded = { ...newRun(rate, [path]), wallLimitSeconds: 3 };
    const outcome = await runFfmpeg({ tool: "/usr/bin/ffmpeg", ...bounded });
    expect(["time_limit", "stalled"]).toContain(outcome.kind);
  });

  test("a file of hundreds of tracks is refused", async () => {
    const count = 70;
    const path = join(job, "tracks.mkv");
    const maps = Array.from({ length: count }, () => ["-map", "0:a"]).flat();
    ffmpeg("-f", "lavfi", "-i", "sine=d=0.1:r=8000", ...maps, "-c:a", "pcm_s16le", path);
    const tool = "/usr/bin/ffprobe";
    const show = ["-show_entries", "stream=index", "-of", "csv=p=0"];
    const run = newRun([...show, "-i", path], [path]);
    const control = await runFfprobe({ tool, ...run });
    expect(control.stdout.trim().split("\n")).toHaveLength(count);
    const trouble = await probe(path, { ffprobePath: "ffprobe" }).catch((cause) => cause);
    expect(trouble).toBeInstanceOf(Refusal);
    expect((trouble as Refusal).message).toContain("more than 64 tracks");
  });
});

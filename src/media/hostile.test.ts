/**
 * Files that attack whoever opens them: what flags and fence stop, each by itself. The whole collection
 * is in tests/hostile. Each attack is also run against ffmpeg without our flags and
 * without the fence, where it must succeed: a detector that sees no leak there would prove nothing here.
 */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ffmpeg } from "../../tests/clips.ts";
import { Refusal } from "../trouble.ts";
import { type RunOutcome, runFfmpeg } from "./ffmpeg.ts";
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

/** ffmpeg itself gave up: with 1 up to 6.1, with the error's own number from 7.0 on. */
function expectGivenUp(outcome: RunOutcome): void {
  expect(outcome.kind).toBe("exited");
  expect(outcome).not.toMatchObject({ code: 0 });
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
    // Under its own name, without which ffmpeg 7.1 and later do not take it for a playlist.
    const path = plant("list-control.m3u8", hls);
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
    expectGivenUp(denied);
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
    expectGivenUp(denied);
    expect("stderr" in denied && denied.stderr).toContain("Permission denied");
    const allowed = await runFfmpeg({ tool, ...newRun(argv, [secret]) });
    expect(allowed).toMatchObject({ kind: "exited", code: 0 });
  });
});

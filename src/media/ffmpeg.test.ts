import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processesNaming, until } from "../../tests/support/processes.ts";
import { fenceLayers } from "./fence.ts";
import { configureFence } from "./fence-settings.ts";
import { askTool, type FfmpegRun, type RunOutcome, runFfmpeg, runFfprobe } from "./ffmpeg.ts";
import type { Progress } from "./progress.ts";
import { childEnvironment } from "./surroundings.ts";

/** Waits for real processes to end, on machines that are busy. */
setDefaultTimeout(60_000);

/** Also the marker by which this file's processes are found. */
const root = mkdtempSync(join(tmpdir(), "ffmpeg-test-"));
afterEach(() => expect(processesNaming(root)).toEqual([]));
afterAll(() => rmSync(root, { recursive: true }));

/** On a kernel without Landlock nothing hides files; `doctor` reports it. */
const noLandlock = fenceLayers().landlock === null;

let folders = 0;

function newRun(overrides: Partial<FfmpegRun> = {}): FfmpegRun {
  const cwd = join(root, `run-${++folders}`);
  mkdirSync(cwd);
  return {
    tool: "/usr/bin/ffmpeg",
    argv: [],
    cwd,
    readPaths: [],
    writePaths: [cwd],
    wallLimitSeconds: 30,
    stallSeconds: 30,
    niceness: 0,
    expectedSeconds: null,
    ...overrides,
  };
}

const picture = (seconds: number) => ["-f", "lavfi", "-i", `testsrc2=s=64x48:r=25:d=${seconds}`];

/** Runs at the speed of time for ten minutes: long enough for everything that a test does to it. */
const endless = (marker: string) => [
  ...["-re", ...picture(600), "-metadata", `comment=${marker}`, "-f", "null", "-"],
];

/** A tool that is a shell script; it lies outside the job's folder, as real tools do. */
function script(lines: string): string {
  const path = join(root, `tool-${++folders}`);
  writeFileSync(path, `#!/bin/sh\n${lines}\n`);
  chmodSync(path, 0o755);
  return path;
}

const findFfmpeg = (marker: string) =>
  until("ffmpeg runs behind its fence", () => {
    const [found] = processesNaming(marker).filter(({ name }) => name === "ffmpeg");
    return found?.pid ?? null;
  });

/** ffmpeg itself gave up: with 1 up to 6.1, with the error's own number from 7.0 on. */
function expectGivenUp(outcome: RunOutcome): void {
  expect(outcome.kind).toBe("exited");
  expect(outcome).not.toMatchObject({ code: 0 });
}

/** How many timers that were set meanwhile are neither over nor cleared: each would keep a command from ending. */
async function timersLeftBy(work: () => Promise<unknown>): Promise<number> {
  const real = { setTimeout, clearTimeout, sleep: Bun.sleep };
  const left = new Set<unknown>();
  const set = (work: () => void, delayMs: number): unknown => {
    const timer = real.setTimeout(() => {
      left.delete(timer);
      work();
    }, delayMs);
    left.add(timer);
    return timer;
  };
  const clear = (timer: unknown) => {
    left.delete(timer);
    real.clearTimeout(timer as Timer);
  };
  Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
  Bun.sleep = ((delayMs: number) => new Promise<void>((over) => set(over, delayMs))) as never;
  try {
    await work();
    return left.size;
  } finally {
    Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
    Bun.sleep = real.sleep;
  }
}

describe("a run of ffmpeg", () => {
  test("leaves no timer behind that would keep a command from ending", async () => {
    const run = newRun({ argv: [...picture(0.2), "out.mp4"] });
    expect(await timersLeftBy(() => runFfmpeg(run))).toBe(0);
    expect(await timersLeftBy(async () => void Bun.sleep(50))).toBe(1);
  });

  test("ends with its exit code and the last progress", async () => {
    const seen: Progress[] = [];
    const run = newRun({
      argv: [...picture(1), "out.mp4"],
      expectedSeconds: 1,
      onProgress: (progress) => seen.push(progress),
    });
    const outcome = await runFfmpeg(run);
    expect(outcome).toMatchObject({ kind: "exited", code: 0, stderr: "", progress: { frame: 25 } });
    expect(seen.length).toBeGreaterThan(0);
    expect(await Bun.file(join(run.cwd, "out.mp4")).exists()).toBeTrue();
  });

  test("keeps what ffmpeg said when it fails", async () => {
    const outcome = await runFfmpeg(newRun({ argv: ["-i", "absent", "out.mp4"] }));
    expectGivenUp(outcome);
    expect("stderr" in outcome && outcome.stderr).toContain("absent");
    expect("stderr" in outcome && outcome.stderr).toContain("No such file or directory");
  });

  test("is not begun when it was cancelled before", async () => {
    const run = newRun({ argv: [...picture(1), "out.mp4"], signal: AbortSignal.abort() });
    expect(await runFfmpeg(run)).toEqual({ kind: "aborted" });
    expect(await Bun.file(join(run.cwd, "out.mp4")).exists()).toBeFalse();
  });

  test("says why it could not start", async () => {
    const missing = await runFfmpeg(newRun({ tool: "/nowhere/ffmpeg" }));
    expect(missing.kind).toBe("not_started");
    const folder = await runFfmpeg(newRun({ tool: "/usr" }));
    expect(folder).toMatchObject({ kind: "not_started" });
  });

  test("says so when its file grows beyond the room that it was given, whatever its exit code", async () => {
    const outcome = await runFfmpeg(newRun({ argv: [...picture(2), "out.mkv"], fileBytes: 4096 }));
    expect("stderr" in outcome && outcome.stderr).toContain("File too large");
  });

  test("sees only its own folder and what it was given", async () => {
    const other = join(root, "other.mp4");
    await runFfmpeg(newRun({ argv: [...picture(1), other], writePaths: [root] }));
    const copy = ["-i", other, "-c", "copy", "out.mp4"];
    const denied = await runFfmpeg(newRun({ argv: copy }));
    expectGivenUp(denied);
    expect("stderr" in denied && denied.stderr).toContain("Permission denied");
    const given = await runFfmpeg(newRun({ argv: copy, readPaths: [other] }));
    expect(given).toMatchObject({ kind: "exited", code: 0 });
  });
});

describe("ending a run", () => {
  test("by cancel, within two seconds, though ffmpeg is stopped and hears no signal", async () => {
    const abort = new AbortController();
    const run = newRun({ signal: abort.signal });
    let moves = false;
    const onProgress = () => {
      moves = true;
    };
    const ended = runFfmpeg({ ...run, argv: endless(run.cwd), onProgress });
    // Before that it has no handler of its own, and SIGTERM ends even a stopped process.
    await until("ffmpeg handles signals", () => moves);
    process.kill(await findFfmpeg(run.cwd), "SIGSTOP");
    const startMs = performance.now();
    abort.abort();
    expect(await ended).toEqual({ kind: "aborted" });
    const tookMs = performance.now() - startMs;
    expect(tookMs).toBeGreaterThan(400);
    expect(tookMs).toBeLessThan(2_000);
  });

  test("by cancel at once when ffmpeg hears", async () => {
    const abort = new AbortController();
    const run = newRun({ signal: abort.signal });
    const ended = runFfmpeg({ ...run, argv: endless(run.cwd), onProgress: () => abort.abort() });
    const startMs = performance.now();
    expect(await ended).toEqual({ kind: "aborted" });
    expect(performance.now() - startMs).toBeLessThan(4_000);
  });

  test("by cancel with all that it started, though it ignores SIGTERM", async () => {
    const abort = new AbortController();
    const run = newRun({ signal: abort.signal });
    const tool = script(`trap '' TERM; /bin/sh -c 'trap "" TERM; : ${run.cwd}; sleep 60; :'; :`);
    const ended = runFfmpeg({ ...run, tool });
    await until("the grandchild runs", () => processesNaming(`: ${run.cwd}`).length > 0);
    abort.abort();
    expect(await ended).toEqual({ kind: "aborted" });
    await until("the whole group is gone", () => processesNaming(run.cwd).length === 0);
  });

  test("when nothing moves any more", async () => {
    const run = newRun({ stallSeconds: 1 });
    const ended = runFfmpeg({ ...run, argv: endless(run.cwd) });
    process.kill(await findFfmpeg(run.cwd), "SIGSTOP");
    expect((await ended).kind).toBe("stalled");
  });

  test("not while its files still change, as when the index moves to the front", async () => {
    const tool = script("for i in 1 2 3 4 5 6 7 8 9 10; do echo $i >> index; sleep 0.3; done");
    const outcome = await runFfmpeg(newRun({ tool, stallSeconds: 1 }));
    expect(outcome).toMatchObject({ kind: "exited", code: 0 });
  });

  test("when it repeats the same progress for ever", async () => {
    const tool = script("while :; do echo frame=1; echo progress=continue; sleep 0.2; done");
    expect((await runFfmpeg(newRun({ tool, stallSeconds: 1 }))).kind).toBe("stalled");
  });

  test("when its time is up, though it moves", async () => {
    const run = newRun({ wallLimitSeconds: 1 });
    expect((await runFfmpeg({ ...run, argv: endless(run.cwd) })).kind).toBe("time_limit");
  });

  test("by somebody else is told apart from our own reasons", async () => {
    const run = newRun();
    const ended = runFfmpeg({ ...run, argv: endless(run.cwd) });
    process.kill(await findFfmpeg(run.cwd), "SIGKILL");
    expect(await ended).toMatchObject({ kind: "signalled", signal: "SIGKILL" });
  });

  test("happens when its server is killed with -9", async () => {
    const run = newRun();
    const server = join(root, "server.ts");
    writeFileSync(
      server,
      `import { runFfmpeg } from ${JSON.stringify(join(import.meta.dir, "ffmpeg.ts"))};
       await runFfmpeg(${JSON.stringify({ ...run, argv: endless(run.cwd) })});`,
    );
    const parent = Bun.spawn([process.execPath, server], { stdio: ["ignore", "ignore", "ignore"] });
    const pid = await findFfmpeg(run.cwd);
    parent.kill("SIGKILL");
    await parent.exited;
    await until(
      "ffmpeg went with its server",
      () => !processesNaming(run.cwd).some((found) => found.pid === pid),
      5_000,
    );
  });
});

describe("a run of ffprobe", () => {
  test("gives its words as text, or line by line", async () => {
    const run = newRun({ tool: "/usr/bin/ffprobe" });
    const argv = [...["-show_entries", "format=format_name", "-of", "csv=p=0"], ...picture(1)];
    const { outcome, stdout } = await runFfprobe({ ...run, argv });
    expect(outcome).toMatchObject({ kind: "exited", code: 0 });
    expect(stdout).toBe("lavfi\n");
    const lines: string[] = [];
    await runFfprobe({ ...run, argv }, (line) => lines.push(line));
    expect(lines).toEqual(["lavfi"]);
  });

  test("is ended when it floods us", async () => {
    const tool = script("yes a-long-line-without-any-meaning");
    const { outcome, stdout } = await runFfprobe(newRun({ tool }));
    expect(outcome).toEqual({ kind: "too_much_output" });
    expect(stdout).toBe("");
  });

  test("gives lines of any number in constant memory", async () => {
    const tool = script("yes 0,1.000,0.040 | head -n 1000000");
    let count = 0;
    const { outcome } = await runFfprobe(newRun({ tool }), () => count++);
    expect(outcome).toMatchObject({ kind: "exited", code: 0 });
    expect(count).toBe(1_000_000);
  });
});

describe("the environment of ffmpeg", () => {
  test("is a closed list without secrets, proxies and report files", () => {
    const environment = childEnvironment({
      PATH: "/usr/bin",
      LD_LIBRARY_PATH: "/opt/lib",
      CUDA_VISIBLE_DEVICES: "GPU-1",
      NVIDIA_VISIBLE_DEVICES: "all",
      LANG: "de_DE.UTF-8",
      FFREPORT: "file=/tmp/report",
      HTTPS_PROXY: "http://proxy",
      AWS_SECRET_ACCESS_KEY: "secret",
      KINOMILL_DATA: "/srv",
      LD_PRELOAD: "/tmp/evil.so",
      HOME: "/root",
    });
    expect(environment).toEqual({
      PATH: "/usr/bin",
      LD_LIBRARY_PATH: "/opt/lib",
      CUDA_VISIBLE_DEVICES: "GPU-1",
      NVIDIA_VISIBLE_DEVICES: "all",
      LANG: "C.UTF-8",
    });
  });

  test("reaches the program through the fence", async () => {
    const outcome = await runFfmpeg(newRun({ tool: script("/usr/bin/env >&2") }));
    const names = ("stderr" in outcome ? outcome.stderr : "").match(/^\w+(?==)/gm) ?? [];
    const allowed = /^(PATH|LANG|LD_LIBRARY_PATH|CUDA_\w+|NVIDIA_\w+|PWD|OLDPWD|SHLVL|_)$/;
    expect(names).toContain("PATH");
    expect(names.filter((name) => !allowed.test(name))).toEqual([]);
  });
});

describe("what the settings add to the fence", () => {
  afterEach(() => configureFence(null));
  const nothing = { passEnvironment: [], sandboxRead: [], sandboxWrite: [] };
  const shell = async (lines: string, more: Partial<FfmpegRun> = {}) => {
    const outcome = await runFfmpeg(newRun({ tool: script(lines), ...more }));
    return "stderr" in outcome ? outcome : { ...outcome, stderr: "" };
  };
  const newFolder = () => {
    const path = join(root, `folder-${++folders}`);
    mkdirSync(path);
    writeFileSync(join(path, "file"), "kept there");
    return path;
  };

  test("a variable that is named reaches the program, others do not", async () => {
    const given = { ONE: "1", ONE_MORE: "2", MANY_A: "3", MANY_: "4", MAN: "5", LANG: "de_DE" };
    expect(childEnvironment(given)).toEqual({ LANG: "C.UTF-8" });
    configureFence({ ...nothing, passEnvironment: ["ONE", "MANY_*"] });
    expect(childEnvironment(given)).toEqual({ ONE: "1", MANY_A: "3", MANY_: "4", LANG: "C.UTF-8" });
    // HOME is in the environment of the tests, and the list has never let it through.
    configureFence({ ...nothing, passEnvironment: ["HOM*"] });
    expect((await shell("/usr/bin/env >&2")).stderr).toContain(`HOME=${process.env["HOME"]}`);
  });

  test.skipIf(noLandlock)(
    "a folder to read can be read, not written, nor its sibling",
    async () => {
      const [named, sibling] = [newFolder(), newFolder()];
      configureFence({ ...nothing, sandboxRead: [named] });
      expect((await shell(`cat ${named}/file >&2`)).stderr).toContain("kept there");
      expect((await shell(`cat ${sibling}/file >&2`)).stderr).toContain("Permission denied");
      expect(await shell(`: > ${named}/made`)).toMatchObject({ kind: "exited", code: 2 });
      configureFence(null);
      expect((await shell(`cat ${named}/file >&2`)).stderr).toContain("Permission denied");
    },
  );

  test.skipIf(noLandlock)("a folder to write can be written, its sibling not", async () => {
    const [named, sibling] = [newFolder(), newFolder()];
    configureFence({ ...nothing, sandboxWrite: [named] });
    expect(await shell(`echo new > ${named}/made`)).toMatchObject({ kind: "exited", code: 0 });
    expect(readFileSync(join(named, "made"), "utf8")).toBe("new\n");
    expect(await shell(`echo new > ${sibling}/made`)).toMatchObject({ kind: "exited", code: 2 });
  });

  test("a run on a GPU sees that one alone", async () => {
    const { stderr } = await shell("/usr/bin/env >&2", { gpuUuid: "GPU-2" });
    expect(stderr).toContain("CUDA_VISIBLE_DEVICES=GPU-2\n");
    expect(stderr).toContain("CUDA_DEVICE_ORDER=PCI_BUS_ID\n");
    expect((await shell("/usr/bin/env >&2")).stderr).not.toContain("GPU-2");
  });
});

describe("asking a tool about itself", () => {
  test("gives null for one that is missing, fails or does not answer", async () => {
    expect(await askTool("/nowhere/ffmpeg", ["-version"])).toBeNull();
    expect(await askTool("/bin/false", [])).toBeNull();
    expect(await askTool(script(`sleep 60; : ${root}`), [], 300)).toBeNull();
    expect(await askTool("/usr/bin/ffmpeg", ["-version"])).toStartWith("ffmpeg version");
  });
});

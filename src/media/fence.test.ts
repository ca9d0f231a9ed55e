import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fenceLayers } from "./fence.ts";
import { type FenceRules, smallBun } from "./fence-rules.ts";
import { fenceLauncher } from "./ffmpeg.ts";

/** Starts real processes, on machines that are busy. */
setDefaultTimeout(60_000);

const root = mkdtempSync(join(tmpdir(), "fence-"));
const job = mkdtempSync(join(root, "job-"));
const foreign = join(mkdtempSync(join(root, "other-")), "secret");
writeFileSync(foreign, "of another tenant");
writeFileSync(join(job, "own"), "of this job");
afterAll(() => rmSync(root, { recursive: true }));

const open: FenceRules = {
  parentPid: process.pid,
  cwd: job,
  niceness: 10,
  programPaths: [],
  readPaths: [],
  writePaths: [job],
  devicePaths: [],
  fileBytes: null,
  memoryBytes: null,
};

async function run(command: string[], inherited: number[] = []) {
  const child = Bun.spawn(command, {
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe", ...inherited],
    timeout: 20_000,
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, stdout, stderr };
}

async function fenced(command: string[], rules: Partial<FenceRules> = {}) {
  return await run([...fenceLauncher(), JSON.stringify({ ...open, ...rules }), "--", ...command]);
}

/** On a kernel without Landlock the rest of the fence still stands; `doctor` reports it. */
const noLandlock = fenceLayers().landlock === null;

describe("the fence", () => {
  test("becomes the program: nothing of Bun, no privileges to gain, its own limits", async () => {
    const { stdout, code } = await fenced(["/bin/cat", "/proc/self/status", "/proc/self/limits"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Name:\tcat$/m);
    expect(stdout).toMatch(/^Threads:\t1$/m);
    expect(stdout).toMatch(/^NoNewPrivs:\t1$/m);
    expect(stdout).toMatch(/^Seccomp:\t2$/m);
    expect(stdout).toMatch(/^Max core file size +0 +0 /m);
    expect(stdout).toMatch(/^Max open files +1024 +1024 /m);
    const bun = await run(["/bin/cat", "/proc/self/status"]);
    expect(bun.stdout).toMatch(/^NoNewPrivs:\t0$/m);
  });

  test("passes no descriptor on besides the three", async () => {
    const list = ["/bin/ls", "/proc/self/fd"];
    const handed = openSync(foreign, "r");
    const launch = [...fenceLauncher(), JSON.stringify(open), "--", ...list];
    const count = ({ stdout }: { stdout: string }) => stdout.trim().split("\n").length;
    try {
      // The last one is the folder that ls has open.
      expect(count(await run(list, [handed]))).toBe(5);
      expect(count(await run(launch, [handed]))).toBe(4);
    } finally {
      closeSync(handed);
    }
  });

  test("works at the niceness and with the arguments that it was given, word for word", async () => {
    expect((await fenced(["/usr/bin/nice"], { niceness: 7 })).stdout.trim()).toBe("7");
    const odd = ["$(id)", "a b", "", "ü\n'\"", "--"];
    const { stdout } = await fenced(["/usr/bin/printf", "%s|", ...odd]);
    expect(stdout).toBe(`${odd.join("|")}|`);
  });

  test("offers itself first when memory runs out", async () => {
    expect((await fenced(["/bin/cat", "/proc/self/oom_score_adj"])).stdout.trim()).toBe("800");
  });

  test.skipIf(noLandlock)(
    "hides another tenant's file, and shows it when it is named",
    async () => {
      expect((await run(["/bin/cat", foreign])).stdout).toBe("of another tenant");
      const denied = await fenced(["/bin/cat", foreign]);
      expect(denied).toMatchObject({ code: 1, stdout: "" });
      expect(denied.stderr).toContain("Permission denied");
      expect((await fenced(["/bin/cat", foreign], { readPaths: [foreign] })).code).toBe(0);
      expect((await fenced(["/bin/cat", "own"])).stdout).toBe("of this job");
      expect((await fenced(["/bin/cat", "/etc/passwd"])).code).toBe(1);
    },
  );

  test.skipIf(noLandlock)(
    "lets files be written in the job's folder and nowhere else",
    async () => {
      expect((await fenced(["/usr/bin/touch", join(job, "made")])).code).toBe(0);
      expect((await fenced(["/usr/bin/touch", join(root, "made")])).code).toBe(1);
      expect(existsSync(join(job, "made"))).toBeTrue();
      expect(existsSync(join(root, "made"))).toBeFalse();
      const readOnly = { writePaths: [], readPaths: [job] };
      expect((await fenced(["/usr/bin/touch", join(job, "other")], readOnly)).code).toBe(1);
    },
  );

  test.skipIf((fenceLayers().landlock ?? 0) < 5)(
    "lets a device be driven when it is named as one, and not when its file may only be written",
    async () => {
      // A terminal, because every machine can make one; a GPU is driven by the same call.
      const ask = ["/usr/bin/stty", "-F", "/dev/ptmx"];
      expect((await fenced(ask, { devicePaths: ["/dev/ptmx"] })).code).toBe(0);
      const written = await fenced(ask, { writePaths: ["/dev/ptmx"] });
      expect(written.stderr).toContain("Permission denied");
      expect((await fenced(ask)).code).toBe(1);
    },
  );

  test.skipIf(noLandlock)("executes nothing that lies in the job's folder", async () => {
    const planted = join(job, "planted");
    copyFileSync("/bin/true", planted);
    chmodSync(planted, 0o755);
    expect((await run([planted])).code).toBe(0);
    const denied = await fenced(["/bin/sh", "-c", planted]);
    expect(denied.code).toBe(126);
  });

  test("opens no internet socket, where the same program without a fence does", async () => {
    let visits = 0;
    const canary = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => {
          visits++;
          socket.end();
        },
        data: () => {},
      },
    });
    try {
      const argv = ["/usr/bin/ffmpeg", "-v", "error", "-i", `tcp://127.0.0.1:${canary.port}`];
      await run(argv);
      expect(visits).toBe(1);
      const { stderr, code } = await fenced(argv);
      expect(visits).toBe(1);
      expect(code).not.toBe(0);
      expect(stderr).toContain("Operation not permitted");
    } finally {
      canary.stop(true);
    }
  });

  test("makes no namespaces and signals no other process", async () => {
    const namespace = await fenced(["/usr/bin/unshare", "--user", "/bin/true"]);
    expect(namespace.stderr).toContain("Operation not permitted");
    const signal = await fenced(["/bin/sh", "-c", `kill -0 ${process.pid}`]);
    expect(signal.code).not.toBe(0);
    expect((await run(["/bin/sh", "-c", `kill -0 ${process.pid}`])).code).toBe(0);
  });

  test("stops a file at its largest size", async () => {
    const command = ["/bin/dd", "if=/dev/zero", `of=${join(job, "big")}`, "bs=1k", "count=64"];
    expect((await fenced(command)).code).toBe(0);
    const stopped = await fenced(command, { fileBytes: 16_384 });
    expect(stopped.code).toBe(1);
    expect(stopped.stderr).toContain("File too large");
  });

  test("has no thread of Bun's beside it that could die of the limit before the program begins", async () => {
    // Long enough for Bun to compile what it runs, which it does in a thread of its own.
    const busy = `const tasks = () => require("fs").readdirSync("/proc/self/task").length;
      const end = performance.now() + 500; let x = 0; let most = 0;
      const work = (i) => { x = (x * 31 + i) | 0; };
      while (performance.now() < end && most < 2) {
        for (let i = 0; i < 100_000; i += 1) work(i);
        most = Math.max(most, tasks());
      }
      console.log(most);`;
    const file = join(root, "busy.ts");
    writeFileSync(file, busy);
    const threads = async (environment: Record<string, string>) => {
      const argv = [process.execPath, "--no-env-file", file];
      const child = Bun.spawn(argv, { env: environment, stdio: ["ignore", "pipe", "inherit"] });
      return Number(await child.stdout.text());
    };
    expect(await threads(smallBun)).toBe(1);
    expect(await threads({})).toBeGreaterThan(1);
  });

  test("holds less memory of Bun's than the smallest limit, so that nothing dies of it before the program begins", async () => {
    const held = async (environment: Record<string, string>) => {
      const text = `console.log(/VmData:\\s+(\\d+)/.exec(require("fs").readFileSync("/proc/self/status", "utf8"))[1])`;
      const argv = [process.execPath, "--no-env-file", "-e", text];
      const child = Bun.spawn(argv, { env: environment, stdio: ["ignore", "pipe", "inherit"] });
      return Number(await child.stdout.text()) * 1024;
    };
    // ffprobe's: see ask-ffprobe.ts.
    const smallest = 2 * 1024 ** 3;
    expect(await held(smallBun)).toBeLessThan(0.8 * smallest);
    expect(await held({})).toBeGreaterThan(smallest);
  });

  test("refuses memory beyond the limit", async () => {
    const command = ["/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=256M", "count=1"];
    expect((await fenced(command)).code).toBe(0);
    const refused = await fenced(command, { memoryBytes: 128 * 1024 ** 2 });
    expect(refused.stderr).toContain("memory exhausted");
  });

  test("does not start when the server that asked is gone", async () => {
    const { code, stderr } = await fenced(["/bin/true"], { parentPid: 1 });
    expect(code).toBe(125);
    expect(stderr).toBe("kinomill-fence: the server that asked has ended\n");
  });

  test("says why a program could not be started", async () => {
    const { code, stderr } = await fenced(["/nowhere/ffmpeg"]);
    expect(code).toBe(125);
    expect(stderr).toBe("kinomill-fence: cannot start /nowhere/ffmpeg (error 2)\n");
  });

  test("tells doctor which layers this kernel has", () => {
    const { landlock, seccomp, reason } = fenceLayers();
    expect(seccomp).toBeTrue();
    expect(reason === "").toBe(landlock !== null);
  });
});

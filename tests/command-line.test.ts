/** The command line as somebody at a shell meets it: the compiled executable, its words and exit codes. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Api } from "./api.ts";
import { Appliance, eventually, executable, kinomill } from "./appliance.ts";
import { ffprobe, plainClip, slowClip } from "./clips.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "command-line-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const here = () => ["--data", join(folder, "data")];

describe("run", () => {
  test("makes the file, says so and leaves nothing beside it", async () => {
    const output = join(folder, "small.mp4");
    const argv = ["run", "transcode", plainClip(), "-o", output, "--param", "video.maxHeight=90"];
    const done = await kinomill(argv, { cwd: folder });
    expect(done.stderr).not.toContain("kinomill:");
    expect(done.exitCode).toBe(0);
    expect(done.stdout).toContain(output);
    const video = ffprobe(output).streams[0];
    expect([video?.["codec_name"], video?.["height"]]).toEqual(["h264", 90]);
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
  });

  test("takes the container from the name of the output", async () => {
    const output = join(folder, "by-name.webm");
    expect((await kinomill(["run", "transcode", plainClip(), "-o", output])).exitCode).toBe(0);
    expect(ffprobe(output).format["format_name"]).toContain("webm");
    expect(ffprobe(output).streams.map(({ codec_name }) => codec_name)).toEqual(["vp9", "opus"]);
  });

  test("takes parameters from a file, with those of the command line over them", async () => {
    const params = join(folder, "params.json");
    await Bun.write(params, JSON.stringify({ video: { maxHeight: 90, codec: "hevc" } }));
    const output = join(folder, "from-file.mkv");
    const argv = ["run", "transcode", plainClip(), "-o", output, "--params", params];
    const done = await kinomill([...argv, "-p", "video.maxHeight=64"]);
    expect([done.exitCode, done.stderr.includes("kinomill:")]).toEqual([0, false]);
    const video = ffprobe(output).streams[0];
    expect([video?.["codec_name"], video?.["height"]]).toEqual(["hevc", 64]);
    await Bun.write(params, "[1]");
    const refused = await kinomill([...argv, "--overwrite"]);
    expect([refused.exitCode, refused.stderr]).toEqual([
      2,
      expect.stringContaining("it must hold one JSON object"),
    ]);
  });

  test("writes several outputs into a folder", async () => {
    const output = join(folder, "pictures");
    const done = await kinomill([
      "run",
      "thumbnails",
      plainClip(),
      "-o",
      output,
      "-p",
      "sprite.every=1",
    ]);
    expect(done.exitCode).toBe(0);
    expect(readdirSync(output).some((name) => name.endsWith(".vtt"))).toBe(true);
  });

  test("with --json prints JSON lines alone: progress, steps and what was proven", async () => {
    const output = join(folder, "lines.mp4");
    const { stdout, exitCode } = await kinomill([
      "run",
      "transcode",
      plainClip(),
      "-o",
      output,
      "--json",
      "-p",
      "video.quality=40",
    ]);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const last = events.at(-1);
    expect([exitCode, last.type, last.outputs[0].path]).toEqual([0, "done", output]);
    expect(last.outputs[0].checks.length).toBeGreaterThan(0);
    expect(events.some(({ type }) => type === "step")).toBe(true);
  });

  test("draws a progress bar with speed and ETA on a terminal, and clears it", async () => {
    const output = join(folder, "terminal.mp4");
    const line = [
      executable,
      "run",
      "transcode",
      slowClip(),
      "-o",
      output,
      "-p",
      "video.quality=20",
    ]
      .concat("-p", "speed=fast")
      .join(" ");
    const child = Bun.spawn(["script", "-qec", line, "/dev/null"], {
      stdout: "pipe",
      stdin: "ignore",
    });
    const shown = await new Response(child.stdout).text();
    expect(await child.exited).toBe(0);
    expect(shown).toMatch(/\[=+ +\] +\d+\.\d % +\d+(\.\d)?× +ETA /);
    expect(shown).toContain("\r\u001b[2K");
  }, 120_000);

  test("never writes over a file that is there, nor over its source", async () => {
    const output = join(folder, "kept.mp4");
    await Bun.write(output, "precious");
    const refused = await kinomill(["run", "transcode", plainClip(), "-o", output]);
    expect([refused.exitCode, await Bun.file(output).text()]).toEqual([2, "precious"]);
    expect(refused.stderr).toContain("--overwrite");
    const replaced = await kinomill(["run", "transcode", plainClip(), "-o", output, "--overwrite"]);
    expect(replaced.exitCode).toBe(0);
    const source = join(folder, "source.mp4");
    await Bun.write(source, Bun.file(plainClip()));
    const argv = ["run", "transcode", source, "-o", source, "--overwrite"];
    expect((await kinomill(argv)).exitCode).toBe(2);
  });

  test("ends with 1 and a sentence when the file is not media", async () => {
    const text = join(folder, "notes.txt");
    await Bun.write(text, "Dear diary");
    const done = await kinomill(["run", "transcode", text, "-o", join(folder, "never.mp4")]);
    expect([done.exitCode, done.stdout]).toEqual([1, ""]);
    expect(done.stderr).toMatch(/^kinomill: [A-Z].*\.\n$/s);
  });

  test.each([
    [["run", "explode", "a.mp4", "-o", "b.mp4"], "transcode"],
    [["run", "transcode", "a.mp4", "-o", "b.mp4", "--param", "video.quality=500"], "video.quality"],
    [["run", "transcode", "a.mp4", "-o", "b.mp4", "--param", "nonsense"], "key=value"],
    [["run", "transcode", "a.mp4"], "--output"],
    [["fly"], "unknown command"],
    [["serve", "--listen", "everywhere"], "HOST:PORT"],
    [["serve", "extra"], "too many arguments"],
  ])("%j is bad usage: 2, and the message names the remedy", async (argv, words) => {
    const done = await kinomill(argv, { cwd: folder });
    expect(done.exitCode).toBe(2);
    expect(done.stderr).toContain(words);
  });

  test("Ctrl-C ends with 130, ends ffmpeg and leaves nothing", async () => {
    const target = mkdtempSync(join(folder, "interrupted-"));
    const argv = [
      executable,
      "run",
      "transcode",
      slowClip(),
      "-o",
      join(target, "out.mp4"),
      "--json",
    ];
    const child = Bun.spawn([...argv, "-p", "speed=best", "-p", "video.quality=70"], {
      stdout: Bun.file(join(folder, "interrupted.log")),
      stdin: "ignore",
    });
    await eventually("it encodes", 20_000, async () =>
      (await Bun.file(join(folder, "interrupted.log")).text()).includes('"progress"'),
    );
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    expect(readdirSync(target)).toEqual([]);
  }, 60_000);
});

describe("probe", () => {
  test("says what a file is, in words and as JSON", async () => {
    const words = await kinomill(["probe", plainClip()]);
    expect(words.stdout).toMatch(/MP4.*\n.*H\.264.*25 fps.*\n.*AAC/);
    const json = JSON.parse((await kinomill(["probe", plainClip(), "--json"])).stdout);
    expect([json.container, json.video.width, json.audio.length]).toEqual(["mp4", 320, 1]);
  });

  test("of a file that is not there says so and ends with 1", async () => {
    const done = await kinomill(["probe", join(folder, "nowhere.mp4")]);
    expect(done.exitCode).toBe(1);
    expect(done.stderr).toMatch(/nowhere\.mp4/);
  });
});

test("operations lists what there is, and one with its parameters", async () => {
  expect((await kinomill(["operations"])).stdout).toMatch(/^transcode .*\nthumbnails /m);
  const one = (await kinomill(["operations", "transcode"])).stdout;
  expect(one).toContain("video.codec=");
  expect(one).toContain("video.quality=");
  const all = JSON.parse((await kinomill(["operations", "--json"])).stdout);
  expect(all[0].params.type).toBe("object");
});

test("doctor says that this box is fit, or what to type", async () => {
  const fit = await kinomill(["doctor", ...here()]);
  expect(fit.exitCode).toBe(0);
  expect(fit.stdout).toMatch(/ok +ffmpeg +ffmpeg \d/);
  const child = Bun.spawn([executable, "doctor", ...here()], {
    env: { ...process.env, PATH: "/nowhere" },
    stdout: "pipe",
  });
  const poor = await new Response(child.stdout).text();
  expect(await child.exited).toBe(1);
  expect(poor).toContain("apt-get install ffmpeg");
});

test("config check names every fault at once: the key, the value and what is allowed", async () => {
  const file = join(folder, "bad.toml");
  await Bun.write(file, 'listen = "x"\nport = 1\n[jobs]\ncpuSlots = 0\nverify = "never"\n');
  const done = await kinomill(["config", "check", "--config", file]);
  expect(done.exitCode).toBe(2);
  for (const words of ["listen", '"x"', "HOST:PORT", "port", "jobs.cpuSlots", "0", '"full"']) {
    expect(done.stderr).toContain(words);
  }
  expect((await kinomill(["config", "check"])).exitCode).toBe(0);
});

test("flags beat the environment, the environment beats the file", async () => {
  const file = join(folder, "good.toml");
  await Bun.write(file, 'data = "/from-file"\nlisten = "127.0.0.1:1"\n[jobs]\ncpuSlots = 3\n');
  const argv = [executable, "config", "check", "--list", "--config", file, "--data", "/from-flag"];
  const child = Bun.spawn(argv, {
    env: { ...process.env, KINOMILL_DATA: "/from-environment", KINOMILL_LISTEN: "127.0.0.1:2" },
    stdout: "pipe",
  });
  const listed = await new Response(child.stdout).text();
  expect(listed).toContain('data = "/from-flag"');
  expect(listed).toContain('listen = "127.0.0.1:2"');
  expect(listed).toContain("jobs.cpuSlots = 3");
});

test("users and tokens work beside a running server, and the token prints alone", async () => {
  await using appliance = await Appliance.start();
  const data = ["--data", appliance.dataFolder];
  const weak = await kinomill(["users", "create", "ann", "--password-stdin", ...data], {
    stdin: "short",
  });
  expect(weak.exitCode).not.toBe(0);
  expect(weak.stderr).toMatch(/10/);
  const noStdin = await kinomill(["users", "create", "ann", ...data]);
  expect([noStdin.exitCode, noStdin.stderr.includes("--password-stdin")]).toEqual([2, true]);
  const token = await appliance.token("ann");
  expect(token).toMatch(/^kmt_[\w-]{43}$/);
  const bearer = { Authorization: `Bearer ${token}` };
  expect((await fetch(`${appliance.url}/api/v1/assets`, { headers: bearer })).status).toBe(200);
  const twice = await kinomill(["users", "create", "ANN", "--password-stdin", ...data], {
    stdin: "correct horse battery",
  });
  expect(twice.exitCode).toBe(1);
  expect(twice.stderr).toContain("ANN");
  const nobody = await kinomill(["tokens", "create", "--user", "nobody", ...data]);
  expect(nobody.exitCode).toBe(1);
});

test("version tells version and commit, and a .env beside it is not read", async () => {
  await Bun.write(join(folder, ".env"), "KINOMILL_JOBS_CPU_SLOTS=nonsense\n");
  await Bun.write(join(folder, "bunfig.toml"), 'preload = ["./gone.ts"]\n');
  const version = await kinomill(["version"], { cwd: folder });
  expect(version.stdout).toMatch(/^kinomill \d+\.\d+\.\d+ \([0-9a-f]{12}/);
  expect((await kinomill(["config", "check"], { cwd: folder })).exitCode).toBe(0);
});

describe("jobs", () => {
  test("are listed, shown, paused, cancelled and retried on a server", async () => {
    await using appliance = await Appliance.start();
    const token = await appliance.token("ann");
    const api = new Api(appliance.url, token);
    const asset = await api.add(plainClip());
    const later = { notBefore: "2099-01-01T00:00:00Z", labels: { ticket: "42" } };
    const request = { operation: "thumbnails", inputs: [asset.id], params: {}, ...later };
    const { body: job } = await api.post("/api/v1/jobs", request);
    const environment = { KINOMILL_URL: appliance.url, KINOMILL_TOKEN: token };
    const run = (...argv: string[]) => kinomill(["jobs", ...argv], { environment });
    const list = await run("list", "--label", "ticket:42");
    expect([list.exitCode, list.stderr]).toEqual([0, ""]);
    expect(list.stdout).toContain(`${job.id}  queued`);
    expect(list.stdout).toContain("It is to start not before 2099-01-01 00:00 UTC.");
    expect((await run("pause", job.id)).stdout).toContain("paused");
    expect((await run("resume", job.id)).stdout).toContain("queued");
    expect((await run("cancel", job.id)).stdout.trim()).toBe(job.id);
    const twice = await run("cancel", job.id);
    expect([twice.exitCode, twice.stderr]).toEqual([
      1,
      expect.stringContaining("The job was cancelled already."),
    ]);
    expect((await run("retry", "--all", "--label", "ticket:42")).stdout.trim()).toBe(job.id);
    const again = ["retry", "--on", "cpu", job.id];
    await run("cancel", job.id);
    expect((await run(...again)).stdout.trim()).toBe(job.id);
    expect((await run("show", job.id, "--json")).stdout).toContain('"onlyOn": "cpu"');
    expect((await run("retry", "--on", "gpu:9", job.id)).exitCode).toBe(2);
    const shown = await run("show", job.id);
    expect(shown.stdout).toMatch(/retry +ann \(token command line\)/);
    expect((await run("cancel")).exitCode).toBe(2);
    expect((await kinomill(["jobs", "list"])).stderr).toContain("KINOMILL_TOKEN");
  });
});

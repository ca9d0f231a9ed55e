/** The commands of the documents are run as they stand there, against the compiled executable. */
import { expect, test } from "bun:test";
import { mkdir, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Appliance } from "./appliance.ts";

const root = resolve(import.meta.dir, "..");

/** A job of a two-second clip takes a second or two; two minutes are for a busy machine. */
const LIMIT_MS = 120_000;

/** The ```sh blocks of a document, joined; the line that names the reader's own server is left out. */
async function commandsOf(document: string): Promise<string> {
  const text = await Bun.file(join(root, document)).text();
  const blocks = Array.from(text.matchAll(/^```sh\n([\s\S]*?)^```$/gm), ([, block]) => block);
  return blocks.join("\n").replace(/^export KINOMILL_URL=.*\n/gm, "");
}

async function makeClip(path: string): Promise<void> {
  const picture = ["-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25"];
  const sound = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"];
  const argv = ["ffmpeg", "-nostdin", "-v", "error", ...picture, ...sound, "-t", "2"];
  const encode = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", path];
  expect(await Bun.spawn([...argv, ...encode]).exited).toBe(0);
}

async function heightOf(path: string): Promise<string> {
  const show = ["-v", "error", "-select_streams", "v", "-show_entries", "stream=height"];
  const child = Bun.spawn(["ffprobe", ...show, "-of", "csv=p=0", path], { stdout: "pipe" });
  return (await new Response(child.stdout).text()).trim();
}

/** Runs the commands of a document in an empty folder with `match.mov` in it. */
async function follow(document: string) {
  await using appliance = await Appliance.start();
  const token = await appliance.token("reader", "admin");
  const folder = join(appliance.folder, "reader");
  await mkdir(folder);
  await makeClip(join(folder, "match.mov"));
  const script = `set -eu -o pipefail\n${await commandsOf(document)}`;
  const child = Bun.spawn(["bash", "-c", script], {
    cwd: folder,
    env: { PATH: process.env["PATH"], KINOMILL_URL: appliance.url, KINOMILL_TOKEN: token },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect({ exitCode: await child.exited, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const made = (await readdir(folder)).filter((name) => name.endsWith(".mp4"));
  return { stdout, made, height: await heightOf(join(folder, made[0] ?? "nothing")) };
}

test(
  "the README's job through curl gives a video of the height it asks for",
  async () => {
    const { made, height } = await follow("README.md");
    expect({ made, height }).toEqual({ made: ["match.mp4"], height: "480" });
  },
  LIMIT_MS,
);

test(
  "the commands of docs/api.md work one after another",
  async () => {
    const { stdout, made, height } = await follow("docs/api.md");
    expect({ made, height }).toEqual({ made: ["match-480p.mp4"], height: "480" });
    expect(stdout).toContain("event: job");
    expect(stdout).toContain('"name":"transcode"');
    expect(stdout).toContain('"name":"match.mov"');
  },
  LIMIT_MS,
);

test(
  "the commands of docs/uploads.md give an asset",
  async () => {
    const { stdout } = await follow("docs/uploads.md");
    expect(stdout).toMatch(/^as_[0-9a-f]{32}$/m);
  },
  LIMIT_MS,
);

test(
  "the program of docs/uploads.md gives an asset too",
  async () => {
    await using appliance = await Appliance.start();
    const token = await appliance.token("reader");
    const folder = join(appliance.folder, "reader");
    await mkdir(folder);
    await makeClip(join(folder, "match.mov"));
    const text = await Bun.file(join(root, "docs/uploads.md")).text();
    const program = /^```js\n(import \{ createReadStream[\s\S]*?)^```$/m.exec(text)?.[1] ?? "";
    const client = Bun.resolveSync("tus-js-client", import.meta.dir);
    await Bun.write(
      join(folder, "send.mjs"),
      program.replace('"tus-js-client"', JSON.stringify(client)),
    );
    const child = Bun.spawn([process.execPath, "send.mjs"], {
      cwd: folder,
      env: { PATH: process.env["PATH"], KINOMILL_URL: appliance.url, KINOMILL_TOKEN: token },
      stdio: ["ignore", "pipe", "inherit"],
      timeout: LIMIT_MS,
    });
    expect(await new Response(child.stdout).text()).toMatch(/^as_[0-9a-f]{32}$/m);
    expect(await child.exited).toBe(0);
  },
  LIMIT_MS,
);

test("every error code that the documents name is one that the program gives", async () => {
  const text = await Bun.file(join(root, "docs/api.md")).text();
  const rows = text.matchAll(/^\| \d{3} +\| ([^|]+) \|/gm);
  const codes = Array.from(rows, ([, cell = ""]) => cell.match(/[a-z_]+/g) ?? []).flat();
  expect(codes.length).toBeGreaterThan(6);
  const sources = new Bun.Glob("src/**/*.ts").scan({ cwd: root, absolute: true });
  let code = "";
  for await (const path of sources) code += await Bun.file(path).text();
  expect(codes.filter((word) => !code.includes(`"${word}"`))).toEqual([]);
});

test("every file that the documents link to is there", async () => {
  const documents = [
    "README.md",
    "CHANGELOG.md",
    "docs/architecture.md",
    "docs/api.md",
    "docs/uploads.md",
    "docs/monitoring.md",
  ];
  const missing: string[] = [];
  for (const document of documents) {
    const text = await Bun.file(join(root, document)).text();
    for (const [, link = ""] of text.matchAll(/\]\(([^)#:]+)\)/g)) {
      const target = resolve(root, document, "..", link);
      const there = (await Bun.file(target).exists()) || (await readdir(target).catch(() => null));
      if (!there) missing.push(`${document}: ${link}`);
    }
  }
  expect(missing).toEqual([]);
});

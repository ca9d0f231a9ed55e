/** Memory at rest, and the time from the start to the first answer, next to a bare compiled Bun.serve. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { executable } from "../tests/appliance.ts";
import { type Extent, type Figure, median, megabytes, milliseconds } from "./figure.ts";
import { residentBytes } from "./usage.ts";

/** After this long without a request the server is at rest: start-up work and its garbage are gone. */
const REST_MS = 5_000;
const START_LIMIT_MS = 10_000;

export async function compileBareServer(): Promise<string> {
  const outfile = join(tmpdir(), "bare-server");
  const source = resolve(import.meta.dir, "bare-server.ts");
  const argv = ["build", source, "--compile", "--minify", "--outfile", outfile];
  const build = Bun.spawnSync([process.execPath, ...argv]);
  if (!build.success) throw new Error(build.stderr.toString());
  return outfile;
}

interface Start {
  milliseconds: number;
  restBytes: number;
}

async function measureStart(argv: string[], port: number, restMs: number): Promise<Start> {
  const started = performance.now();
  const child = Bun.spawn(argv, { cwd: tmpdir(), stdio: ["ignore", "ignore", "ignore"] });
  while (!(await answers(port))) {
    if (performance.now() - started > START_LIMIT_MS) throw new Error(`no answer: ${argv}`);
    await Bun.sleep(1);
  }
  const elapsed = performance.now() - started;
  await Bun.sleep(restMs);
  const restBytes = residentBytes(child.pid);
  child.kill();
  await child.exited;
  return { milliseconds: elapsed, restBytes };
}

const answers = (port: number) =>
  fetch(`http://127.0.0.1:${port}/health`, { headers: { Connection: "close" } }).then(
    ({ ok }) => ok,
    () => false,
  );

export async function start({ quick }: Extent): Promise<Figure[]> {
  const bare = await compileBareServer();
  const data = join(await mkdtemp(join(tmpdir(), "start-")), "data");
  // High ports of a benchmark machine; both are in use one at a time.
  const [ourPort, barePort] = [17600, 17601];
  const ourArgv = [executable, "serve", "--data", data, "--listen", `127.0.0.1:${ourPort}`];
  const first = await measureStart(ourArgv, ourPort, 0);
  const ours: Start[] = [];
  const theirs: Start[] = [];
  for (let round = 0; round < (quick ? 2 : 9); round += 1) {
    const restMs = round === 0 ? REST_MS : 0;
    ours.push(await measureStart(ourArgv, ourPort, restMs));
    theirs.push(await measureStart([bare, String(barePort)], barePort, restMs));
  }
  const ourStart = median(ours.map((one) => one.milliseconds));
  const bareStart = median(theirs.map((one) => one.milliseconds));
  const [ourRest = 0, bareRest = 0] = [ours[0]?.restBytes, theirs[0]?.restBytes];
  return [
    {
      what: `resident memory ${REST_MS / 1000} s after the start, in MB`,
      ours: megabytes(ourRest),
      other: null,
      value: ourRest / 1e6,
      target: { atMost: 100 },
    },
    {
      what: "the same, next to a bare Bun.serve",
      ours: megabytes(ourRest),
      other: megabytes(bareRest),
      value: ourRest / bareRest,
      target: null,
    },
    {
      what: "start to the first answer of /health, in ms",
      ours: milliseconds(ourStart),
      other: null,
      value: ourStart,
      target: { atMost: 200 },
    },
    {
      what: "the same, next to a bare Bun.serve",
      ours: milliseconds(ourStart),
      other: milliseconds(bareStart),
      value: ourStart / bareStart,
      target: null,
    },
    {
      what: "the very first start, which makes the database",
      ours: milliseconds(first.milliseconds),
      other: null,
      value: first.milliseconds,
      target: null,
    },
  ];
}

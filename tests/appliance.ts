/** Starts the compiled executable as its users do, each time on its own data folder and port. */
import { closeSync, mkdirSync, openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const executable = resolve(import.meta.dir, "../dist/kinomill");

/** A start takes a fifth of a second; the rest is for a machine on which other tests encode. */
const START_LIMIT_MS = 30_000;
/** Longer than the server's own grace for running work, so that a hang is seen as a hang. */
const STOP_LIMIT_MS = 20_000;

export interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs one command of the executable to its end. */
export async function kinomill(
  argv: string[],
  options: { stdin?: string; cwd?: string; environment?: Record<string, string> } = {},
): Promise<CommandResult> {
  const child = Bun.spawn([executable, ...argv], {
    cwd: options.cwd ?? tmpdir(),
    env: { ...withoutOurs(process.env), ...options.environment },
    stdin: new TextEncoder().encode(options.stdin ?? ""),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}

/** Polls until `ask` gives something; @throws Error naming what did not come. */
export async function eventually<T>(
  what: string,
  limitMs: number,
  ask: () => Promise<T | null | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${limitMs} ms`);
    await Bun.sleep(20);
  }
}

export interface StartOptions {
  /** The folder of an appliance before, to go on with its data. */
  folder?: string;
  /** The address of an appliance before, for pages that are open. */
  url?: string;
  argv?: string[];
  /** Another copy of the executable. */
  executable?: string;
  environment?: Record<string, string>;
  /** With TLS of its own. */
  scheme?: "http" | "https";
  /** Size of a file system of its own for the data ("64m"), to fill it up. */
  dataMount?: string;
}

export class Appliance {
  readonly folder: string;
  readonly url: string;
  readonly pid: number;
  private readonly child: Bun.Subprocess;

  private constructor(folder: string, url: string, child: Bun.Subprocess) {
    this.folder = folder;
    this.url = url;
    this.child = child;
    this.pid = child.pid;
  }

  /** Starts a server on a new data folder, or on that of one before, and waits until it answers. */
  static async start(options: StartOptions = {}): Promise<Appliance> {
    const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "appliance-")));
    if (options.dataMount !== undefined) mountMemory(join(folder, "data"), options.dataMount);
    const url = options.url ?? `${options.scheme ?? "http"}://127.0.0.1:${freePort()}`;
    const listen = new URL(url).host;
    const program = options.executable ?? executable;
    const argv = [program, "serve", "--data", join(folder, "data"), "--listen", listen];
    // One descriptor that appends, for both: two of their own would write over each other.
    const logPath = join(folder, "server.log");
    const log = openSync(logPath, "a");
    const child = Bun.spawn([...argv, ...(options.argv ?? [])], {
      cwd: folder,
      // Tests ask for the same work again and again, and want it done.
      env: { ...withoutOurs(process.env), KINOMILL_JOBS_REUSE: "false", ...options.environment },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    const appliance = new Appliance(folder, url, child);
    try {
      await eventually(`${argv.join(" ")} answers`, START_LIMIT_MS, async () => {
        if (child.exitCode !== null)
          throw new Error(`the server ended: ${await Bun.file(logPath).text()}`);
        const tls = { rejectUnauthorized: false };
        return (await fetch(`${url}/health`, { tls }).catch(() => null))?.ok;
      });
    } catch (trouble) {
      // Nobody else knows of it.
      child.kill("SIGKILL");
      await child.exited;
      throw trouble;
    }
    return appliance;
  }

  get dataFolder(): string {
    return join(this.folder, "data");
  }

  /** Whether the server is gone. */
  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Everything that the server has logged so far. */
  log(): Promise<string> {
    return Bun.file(join(this.folder, "server.log")).text();
  }

  /** The password of every user that `token` makes. */
  readonly password = "correct horse battery staple";

  /** Makes a user and gives a token of theirs, as an administrator does: by the command line. */
  async token(user: string, role: "admin" | "member" = "member"): Promise<string> {
    const data = ["--data", this.dataFolder];
    const create = ["users", "create", user, "--role", role, "--password-stdin", ...data];
    const made = await kinomill(create, { stdin: this.password });
    if (made.exitCode !== 0) throw new Error(made.stderr);
    const token = await kinomill(["tokens", "create", "--user", user, ...data]);
    if (token.exitCode !== 0) throw new Error(token.stderr);
    return token.stdout.trim();
  }

  /** Ends the server and waits; `SIGKILL` is the power cut. The data folder stays. */
  async end(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<number> {
    this.child.kill(signal);
    return eventually("the server ends", STOP_LIMIT_MS, async () => {
      return this.child.exitCode ?? (this.child.signalCode === null ? null : 128);
    });
  }

  /** Ends the server and removes all that it kept. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.ended) await this.end();
    Bun.spawnSync(["umount", "-q", this.dataFolder], { stderr: "ignore" });
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** What the tests are told themselves is no setting of the server, and it would say so. */
function withoutOurs(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const ours = (name: string) => name.startsWith("KINOMILL_TEST_");
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !ours(name)));
}

/** A small file system in memory. It needs root, as CI has; elsewhere the test fails and says so. */
function mountMemory(folder: string, size: string): void {
  mkdirSync(folder);
  const argv = ["mount", "-t", "tmpfs", "-o", `size=${size},mode=700`, "tmpfs", folder];
  const done = Bun.spawnSync(argv);
  if (done.exitCode !== 0) throw new Error(`${argv.join(" ")}: ${done.stderr.toString()}`);
}

/** A port that nobody listens on now. Another could take it before the server does; none of ours will. */
function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}

/**
 * A machine of its own with systemd, made of this one or of the root of another Debian (`script/debian-machine`), in
 * which Kinomill is installed as its users do it.
 */
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { eventually } from "../appliance.ts";

const root = resolve(import.meta.dir, "../..");

/** Where the machine's files come from; the tests must not pass on another system than they were meant for. */
const machineRoot = process.env["KINOMILL_TEST_MACHINE_ROOT"] ?? "/";

/** It boots in three seconds; the rest is for the machine of another test file, which has to end first. */
const BOOT_LIMIT_MS = 400_000;
/** Longest command: an upgrade that waits until the new version has proven that it does not work. */
const COMMAND_LIMIT_MS = 300_000;

/** Nothing of the tests' own environment belongs into the machine. */
const environment = {
  PATH: "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  LANG: "C.UTF-8",
};

export interface CommandResult {
  exitCode: number;
  /** stdout and stderr, in the order in which they came. */
  output: string;
}

export class Machine {
  readonly folder: string;
  private readonly child: Bun.Subprocess;
  /** Programs of this side that a failed test may have left. */
  private readonly programs: Bun.Subprocess[] = [];

  private constructor(folder: string, child: Bun.Subprocess) {
    this.folder = folder;
    this.child = child;
  }

  /** @param binds folders of this machine that are seen there, read-only: outside → inside */
  static async boot(binds: Record<string, string>): Promise<Machine> {
    const folder = await mkdtemp(join(tmpdir(), "machine-"));
    const pairs = Object.entries(binds).map(([outside, inside]) => `${outside}:${inside}`);
    const child = Bun.spawn([join(root, "tests/systemd/box"), folder, ...pairs], {
      stdio: ["ignore", Bun.file(join(folder, "console")), Bun.file(join(folder, "console.err"))],
    });
    const machine = new Machine(folder, child);
    try {
      await machine.booted();
      const wanted = await readFile(join(machineRoot, "etc/os-release"), "utf8");
      const found = await machine.shell("cat /etc/os-release");
      if (found !== wanted.trim()) throw new Error(`another system than that of ${machineRoot}`);
    } catch (trouble) {
      const tail = await readFile(join(folder, "console.err"), "utf8").catch(() => "");
      await machine[Symbol.asyncDispose]();
      throw new Error(`the machine does not boot (is this root?): ${tail.slice(-2000)}`, {
        cause: trouble,
      });
    }
    return machine;
  }

  private async booted(): Promise<void> {
    await eventually("the machine has booted", BOOT_LIMIT_MS, async () => {
      if (this.child.exitCode !== null) throw new Error("it ended");
      if (this.init() === null) return false;
      const { output } = await this.run("systemctl", "is-system-running");
      return /^(running|degraded)$/m.test(output);
    });
  }

  /** The process that is number one in there; null while there is none. */
  private init(): string | null {
    try {
      const nspawn = readFileSync(join(this.folder, "pid"), "utf8").trim();
      const children = readFileSync(`/proc/${nspawn}/task/${nspawn}/children`, "utf8").trim();
      return children.split(" ")[0] || null;
    } catch {
      return null;
    }
  }

  private enter(namespaces: string[], argv: string[]): Bun.Subprocess<"ignore", "pipe", "pipe"> {
    return Bun.spawn(["nsenter", "-t", this.init() ?? "0", ...namespaces, "--", ...argv], {
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: COMMAND_LIMIT_MS,
      killSignal: "SIGKILL",
    });
  }

  /** Starts a command in the machine. */
  start(...argv: string[]): Bun.Subprocess<"ignore", "pipe", "pipe"> {
    return this.enter(["-a"], argv);
  }

  /** Runs a command in the machine to its end. */
  async run(...argv: string[]): Promise<CommandResult> {
    const child = this.start(...argv);
    const [stdout, stderr, exitCode] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { exitCode, output: stdout + stderr };
  }

  /** Runs lines of shell in the machine; what does not end with 0 is an error. Gives what they printed. */
  async shell(script: string): Promise<string> {
    const { exitCode, output } = await this.run("sh", "-euc", script);
    if (exitCode !== 0) throw new Error(`${script}\nexit code ${exitCode}: ${output}`);
    return output.trim();
  }

  /** Starts a program of this checkout with the machine's network and everything else from here. */
  program(file: string, ...argv: string[]): Bun.Subprocess<"ignore", "pipe", "pipe"> {
    const script = join(root, "tests/systemd", file);
    const child = this.enter(["-n"], [process.execPath, script, ...argv]);
    this.programs.push(child);
    return child;
  }

  /** A property of a unit, as `systemctl show` has it. */
  property(unit: string, name: string): Promise<string> {
    return this.shell(`systemctl show --property=${name} --value ${unit}`);
  }

  /** Restarts the machine and waits until it is up again. */
  async reboot(): Promise<void> {
    const before = this.init();
    await this.run("systemctl", "reboot");
    await eventually("the machine went down", BOOT_LIMIT_MS, async () => this.init() !== before);
    await this.booted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const init = this.init();
    for (const program of this.programs) program.kill("SIGKILL");
    // Everything in the machine ends with its first process.
    if (init !== null) Bun.spawnSync(["kill", "-KILL", init]);
    else this.child.kill("SIGKILL");
    await this.child.exited;
    await rm(this.folder, { recursive: true, force: true });
  }
}

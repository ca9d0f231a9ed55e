/** Images and containers of a test alone: in a folder of their own, gone with it. */
import { mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");

/** The longest: a base and its packages, on two busy cores and a slow mirror. */
const COMMAND_LIMIT_MS = 900_000;

export interface Ended {
  exitCode: number;
  /** stdout and stderr. */
  output: string;
}

async function run(argv: string[]): Promise<Ended> {
  const child = Bun.spawn(argv, {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: COMMAND_LIMIT_MS,
  });
  const [out, err, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, output: out + err };
}

async function must(argv: string[]): Promise<string> {
  const { exitCode, output } = await run(argv);
  if (exitCode !== 0) throw new Error(`${argv.join(" ")} ended with ${exitCode}: ${output}`);
  return output.trim();
}

export class ContainerEngine {
  private readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(): Promise<ContainerEngine> {
    // Not in /tmp, which may be in memory or without overlays.
    return new ContainerEngine(await mkdtemp("/var/tmp/kinomill-container-"));
  }

  private store(): string[] {
    const { folder } = this;
    return ["--root", join(folder, "graph"), "--runroot", join(folder, "run")];
  }

  private buildah(...argv: string[]): Promise<string> {
    return must(["buildah", ...this.store(), "--storage-driver", "overlay", ...argv]);
  }

  /** crun does not start on mixed control groups, and nobody here is systemd. */
  private podmanArgv(...argv: string[]): string[] {
    const how = [
      "--storage-driver",
      "overlay",
      "--cgroup-manager",
      "cgroupfs",
      "--runtime",
      "runc",
    ];
    return ["podman", ...this.store(), ...how, ...argv];
  }

  podman(...argv: string[]): Promise<string> {
    return must(this.podmanArgv(...argv));
  }

  tried(...argv: string[]): Promise<Ended> {
    return run(this.podmanArgv(...argv));
  }

  /** An image of what is in a folder. */
  async imageOf(files: string, name: string): Promise<void> {
    const container = await this.buildah("from", "scratch");
    await this.buildah("add", "--quiet", container, files, "/");
    const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    await this.buildah("config", "--cmd", "/bin/bash", "--env", path, container);
    await this.buildah("commit", "--quiet", container, name);
    await this.buildah("rm", container);
  }

  async build(file: string, name: string, given: Record<string, string>): Promise<void> {
    const words = Object.entries(given).flatMap(([key, value]) => [
      "--build-arg",
      `${key}=${value}`,
    ]);
    const how = ["--isolation", "chroot", "--format", "docker", "--layers", ...words];
    await this.buildah("bud", ...how, "-f", file, "-t", name, ".");
  }

  async sizeBytes(image: string): Promise<number> {
    return Number(await this.podman("image", "inspect", "--format", "{{.Size}}", image));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tried("rm", "--all", "--force", "--time", "5");
    await this.tried("unmount", "--all");
    await rm(this.folder, { recursive: true, force: true });
  }
}

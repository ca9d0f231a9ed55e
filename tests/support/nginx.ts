/** A real nginx on a port of its own, with what stands in the `server` block. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../appliance.ts";

const START_LIMIT_MS = 30_000;

export class Nginx {
  readonly url: string;
  private readonly child: Bun.Subprocess;
  private readonly folder: string;

  private constructor(url: string, child: Bun.Subprocess, folder: string) {
    this.url = url;
    this.child = child;
    this.folder = folder;
  }

  static async start(server: string): Promise<Nginx> {
    // nginx stands in /usr/sbin, which is not on every user's PATH.
    const program = Bun.which("nginx", { PATH: `${process.env["PATH"]}:/usr/sbin` });
    if (program === null) throw new Error("nginx is missing: run script/bootstrap --test");
    const folder = await mkdtemp(join(tmpdir(), "nginx-"));
    const port = freePort();
    const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (name) => `${name}_temp_path ${folder}/${name};`,
    );
    const config = `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 256; }
http { access_log off; ${places.join(" ")} server { listen 127.0.0.1:${port}; ${server} } }`;
    await Bun.write(join(folder, "nginx.conf"), config);
    const argv = [program, "-p", folder, "-c", join(folder, "nginx.conf")];
    const child = Bun.spawn(argv, { stdio: ["ignore", "ignore", "pipe"] });
    const nginx = new Nginx(`http://127.0.0.1:${port}`, child, folder);
    await eventually("nginx answers", START_LIMIT_MS, async () => {
      if (child.exitCode !== null) throw new Error(await new Response(child.stderr).text());
      return fetch(nginx.url).then(
        () => true,
        () => false,
      );
    });
    return nginx;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.child.exited;
    await rm(this.folder, { recursive: true, force: true });
  }
}

function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}

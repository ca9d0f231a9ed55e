/** Downloads of a large file: the server's CPU time next to nginx with sendfile. */
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Appliance, eventually } from "../tests/appliance.ts";
import { bearer, flood } from "./connection.ts";
import { type Extent, type Figure, median } from "./figure.ts";
import { paddedClip, storeAsset } from "./material.ts";
import { treeCpuSeconds } from "./usage.ts";

const NGINX_PORT = 17612;
const FILE_BYTES = 100_000_000;

/** One worker, as Kinomill has one process; everything it writes stands in its own folder. */
function nginxConfig(folder: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join("\n");
  return `
    daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr warn;
    ${process.getuid?.() === 0 ? "user root;" : ""}
    events { worker_connections 64; }
    http {
      access_log off; sendfile on; ${temporary}
      server { listen 127.0.0.1:${NGINX_PORT}; root ${folder}; }
    }`;
}

async function startNginx(file: string): Promise<Bun.Subprocess> {
  const folder = join(tmpdir(), "nginx");
  await mkdir(folder, { recursive: true });
  await Bun.write(join(folder, "large.mp4"), Bun.file(file));
  const config = join(folder, "nginx.conf");
  await Bun.write(config, nginxConfig(folder));
  const program = Bun.which("nginx", { PATH: `${process.env["PATH"]}:/usr/sbin` });
  if (program === null) throw new Error("nginx is missing: run script/bootstrap --bench");
  const argv = [program, "-e", "stderr", "-c", config];
  const child = Bun.spawn(argv, { stdio: ["ignore", "ignore", "inherit"] });
  await eventually("nginx answers", 5_000, () =>
    fetch(`http://127.0.0.1:${NGINX_PORT}/nginx.conf`).catch(() => null),
  );
  return child;
}

export async function download({ quick }: Extent): Promise<Figure[]> {
  const file = await paddedClip(FILE_BYTES);
  await using appliance = await Appliance.start();
  const headers = bearer(await appliance.token("bench"));
  const asset = await storeAsset(appliance.url, headers, file);
  const ourUrl = `${appliance.url}/api/v1/assets/${asset.id}/content`;
  const nginx = await startNginx(file);
  const nginxUrl = `http://127.0.0.1:${NGINX_PORT}/large.mp4`;
  // CPU time is counted in hundredths of a second: this many downloads take some seconds.
  const requests = quick ? 10 : 60;
  const measure = async (pid: number, url: string, sent: Record<string, string>) => {
    const before = treeCpuSeconds(pid);
    await flood(url, sent, { connections: 1, requests });
    return ((treeCpuSeconds(pid) - before) / requests) * 1000;
  };
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < (quick ? 1 : 5); round += 1) {
    theirs.push(await measure(nginx.pid, nginxUrl, {}));
    ours.push(await measure(appliance.pid, ourUrl, headers));
  }
  nginx.kill();
  await nginx.exited;
  return [
    {
      what: "the server's CPU time for a download of 100 MB",
      ours: `${median(ours).toFixed(1)} ms`,
      other: `${median(theirs).toFixed(1)} ms, nginx with sendfile`,
      value: median(ours) / median(theirs),
      target: { atMost: 1.3 },
    },
  ];
}

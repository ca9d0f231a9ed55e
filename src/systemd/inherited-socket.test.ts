/** The socket that systemd opened, given over by systemd's own tool to a process that serves from it. */
import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Prints where it listens, and answers with where the asker is. */
const server = `
  import { acceptFrom, inheritedSocket } from "${join(import.meta.dir, "inherited-socket.ts")}";
  const inherited = inheritedSocket(process.env, process.pid);
  const options = { hostname: "127.0.0.1", port: 0, fetch: (request, server) =>
    new Response(server.requestIP(request).address + " " + new URL(request.url).host) };
  const listen = () => Bun.serve(options);
  const running = inherited === null ? listen() : acceptFrom(inherited, listen).server;
  console.log(running.port);
`;

test("is served from as if Bun had opened it, and its port is the server's", async () => {
  const folder = await mkdtemp(join(tmpdir(), "inherited-"));
  const script = join(folder, "server.ts");
  await Bun.write(script, server);
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  // It starts the program when the first connection comes.
  const argv = ["systemd-socket-activate", "-l", `127.0.0.1:${port}`, process.execPath, script];
  const child = Bun.spawn(argv, { stdio: ["ignore", "pipe", "ignore"] });
  try {
    const url = `http://127.0.0.1:${port}/`;
    const ask = () => fetch(url, { signal: AbortSignal.timeout(10_000) }).then((it) => it.text());
    const deadline = performance.now() + 20_000;
    let first: string | null = null;
    while (first === null && performance.now() < deadline) first = await ask().catch(() => null);
    expect(first).toBe(`127.0.0.1 127.0.0.1:${port}`);
    const answers = await Promise.all(Array.from({ length: 50 }, ask));
    expect(new Set(answers)).toEqual(new Set([`127.0.0.1 127.0.0.1:${port}`]));
  } finally {
    child.kill();
    await child.exited;
    await rm(folder, { recursive: true });
  }
  expect((await new Response(child.stdout).text()).trim()).toBe(String(port));
});

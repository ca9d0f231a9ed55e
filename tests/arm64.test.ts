/** The executable for ARM64, built on this machine and tried under qemu, as script/release does. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** A build, and half a second of film on an emulated processor; half a minute on a quiet machine. */
setDefaultTimeout(400_000);

const root = resolve(import.meta.dir, "..");
const isOwn = process.arch === "arm64";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "arm64-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(argv: string[], environment: Record<string, string> = {}) {
  const child = Bun.spawn(argv, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, output: stdout + stderr };
}

// On a machine with such a processor every other test runs it.
test.skipIf(isOwn)("it starts, serves from its database, and makes a film", async () => {
  const file = join(folder, "kinomill-arm64");
  expect(await run(["script/bootstrap", "--arm64"])).toMatchObject({ exitCode: 0 });
  const bun = join(root, `.tools/bun-${Bun.version}/bun-arm64`);
  const built = await run(["script/build", file, "0.0.1-arm64", "bun-linux-arm64"], {
    KINOMILL_BUN_ARM64: bun,
  });
  expect(built).toMatchObject({ exitCode: 0 });
  // AArch64 in the header of the file.
  expect(await Bun.file(file).slice(18, 20).bytes()).toEqual(new Uint8Array([0xb7, 0]));
  const { exitCode, output } = await run(["script/try-arm64", file]);
  expect(output).toContain("kinomill 0.0.1-arm64 (");
  expect(output).toContain("Kinomill is ready at http://127.0.0.1:");
  expect(output).toMatch(/^ok {4}cpu .*\(libx264\)\.$/m);
  expect(exitCode).toBe(0);
});

test.skipIf(isOwn)("one that does not work is told", async () => {
  const file = join(folder, "broken");
  await Bun.write(file, "#!/bin/sh\ntest $1 = version\n");
  await chmod(file, 0o755);
  expect((await run(["script/try-arm64", file])).exitCode).toBe(1);
});

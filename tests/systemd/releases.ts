/** Releases to install: good ones of two versions, one that does not work, and what the installer has to refuse. */
import { mkdirSync } from "node:fs";
import { appendFile, chmod, cp, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");

/** A build and a pack on a busy machine. */
const MAKE_LIMIT_MS = 300_000;

export const versions = { old: "0.1.0", next: "0.2.0-test", broken: "0.3.0-broken" } as const;

export interface Releases {
  /** Holds `old`, `next`, `broken`, `tampered`, `unsigned` and `forged`, and `key.pub`. */
  folder: string;
  remove(): Promise<void>;
}

/**
 * Says that it is a version and passes every test beside the running one, then ruins the database and never answers: the
 * worst that an upgrade can bring.
 */
const brokenProgram = `#!/bin/sh
case $1 in
version) echo "kinomill ${versions.broken} (0, Bun 0)" ;;
serve)
  echo 'not a database any more' >/var/lib/kinomill/kinomill.sqlite
  exec sleep 600
  ;;
*) exec /opt/kinomill/${versions.next}/kinomill "$@" ;;
esac
`;

function make(argv: string[]): void {
  const done = Bun.spawnSync(argv, {
    cwd: root,
    // The archives are read once or twice.
    env: { ...process.env, KINOMILL_GZIP: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: MAKE_LIMIT_MS,
  });
  if (done.exitCode !== 0) throw new Error(`${argv.join(" ")}: ${done.stderr.toString()}`);
}

export async function makeReleases(): Promise<Releases> {
  const folder = await mkdtemp(join(tmpdir(), "releases-"));
  // Nobody in particular reads it, too.
  await chmod(folder, 0o755);
  const at = (name: string) => join(folder, name);
  for (const name of ["key", "other"]) {
    make(["minisign", "-G", "-W", "-f", "-p", at(`${name}.pub`), "-s", at(`${name}.sec`)]);
  }
  const release = (name: string, version: string, binary: string, key = "key") =>
    make([
      ...["script/release", "--quick", "--version", version, "--key", at(`${key}.sec`)],
      ...["--binary", binary, at(name)],
    ]);
  release("old", versions.old, "dist/kinomill");
  make(["script/build", at("kinomill-next"), versions.next]);
  release("next", versions.next, at("kinomill-next"));
  await Bun.write(at("kinomill-broken"), brokenProgram);
  await chmod(at("kinomill-broken"), 0o755);
  release("broken", versions.broken, at("kinomill-broken"));
  release("forged", versions.broken, at("kinomill-broken"), "other");
  const archive = `kinomill-${versions.broken}-linux-${process.arch}.tar.gz`;
  await cp(at("broken"), at("tampered"), { recursive: true });
  await appendFile(at(`tampered/${archive}`), "one byte more");
  await cp(at("broken"), at("unsigned"), { recursive: true });
  await rm(at("unsigned/SHA256SUMS.minisig"));
  mkdirSync(at("secret"));
  for (const name of ["key", "other"]) await rename(at(`${name}.sec`), at(`secret/${name}.sec`));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

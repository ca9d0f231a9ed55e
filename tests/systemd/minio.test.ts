/** install.sh --with-minio on a machine with a real systemd; tests/systemd/minio/minio stands in for MinIO's program. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { eventually } from "../appliance.ts";
import { plainClip } from "../clips.ts";
import { Machine } from "./machine.ts";

const root = resolve(import.meta.dir, "../..");
const url = "http://127.0.0.1:7600";
const installer = "/opt/kinomill/install.sh";
const program = "/mnt/minio/minio";
const unit = "kinomill-minio.service";

/** A pack of one archive on a busy machine. */
const PACK_LIMIT_MS = 120_000;
/** On a machine on which other tests encode. */
const READY_LIMIT_MS = 90_000;

let release: string;
let machine: Machine;

beforeAll(async () => {
  release = await mkdtemp(join(tmpdir(), "release-"));
  await chmod(release, 0o755);
  const packed = Bun.spawnSync(
    ["script/release", "--quick", "--binary", "dist/kinomill", join(release, "kinomill")],
    { cwd: root, env: { ...process.env, KINOMILL_GZIP: "1" }, timeout: PACK_LIMIT_MS },
  );
  if (packed.exitCode !== 0) throw new Error(packed.stderr.toString());
  machine = await Machine.boot({
    [join(release, "kinomill")]: "/mnt/release",
    [join(root, "tests/systemd/minio")]: "/mnt/minio",
  });
  await machine.shell(`
    mkdir /opt/faulty
    printf '#!/bin/sh\\n[ "$1" != --version ] || exec echo minio version 0\\necho no disk is good enough\\nexit 1\\n' \\
      >/opt/faulty/minio
    chmod 755 /opt/faulty/minio`);
}, 600_000);

afterAll(async () => {
  await machine?.[Symbol.asyncDispose]();
  await rm(release, { recursive: true, force: true });
}, 30_000);

const install = (...argv: string[]) => machine.run("sh", "/mnt/release/install.sh", ...argv);

/** Everything that the installer may have made, with what is in it, and what runs. */
const traces = () =>
  machine.shell(`
    cd /
    find opt/kinomill etc/kinomill etc/systemd/system/kinomill* usr/local/bin/kinomill \\
      -not -type d -exec sha256sum {} + 2>/dev/null | sort || true
    ls -d var/lib/kinomill* var/lib/private/kinomill* 2>/dev/null || true
    systemctl is-active kinomill.service kinomill.socket ${unit} || true
    systemctl is-enabled ${unit} 2>&1 || true`);

const serves = () =>
  eventually("it serves", READY_LIMIT_MS, async () => {
    const { output } = await machine.run("curl", "-s", "-m", "20", `${url}/health/ready`);
    return output.startsWith('{"status":"ok"');
  });

/** Sends a film, makes one of it, and gives the id of the one that was sent. */
async function film(token: string): Promise<string> {
  const child = machine.program("job.ts", url, token, plainClip());
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(stderr + stdout);
  const { asset, job, outputBytes } = JSON.parse(stdout);
  expect(job).toMatchObject({ state: "succeeded", error: null });
  expect(outputBytes).toBeGreaterThan(1_000);
  return asset;
}

const tokenOf = (name: string) =>
  machine.shell(`
    echo correct horse battery staple | kinomill users create ${name} --role admin --password-stdin >/dev/null
    kinomill tokens create --user ${name}`);

/** The hash of a film as the server gives it. */
const hashOf = (asset: string, token: string) =>
  machine.shell(
    `curl -sfL -H 'Authorization: Bearer ${token}' ${url}/api/v1/assets/${asset}/content | sha256sum | cut -c1-64`,
  );

const clipHash = () =>
  new Bun.CryptoHasher("sha256").update(readFileSync(plainClip())).digest("hex");

/** Hashes of what lies in the bucket. */
const inBucket = () =>
  machine.shell(
    "sha256sum /var/lib/kinomill-minio/files/kinomill/* 2>/dev/null | cut -c1-64 || true",
  );

describe("what cannot be set up is refused in a sentence and leaves nothing", () => {
  test.each([
    ["no program", "--with-minio", 1, "sudo install -m 755 minio /usr/local/bin/minio"],
    ["no such program", "--with-minio /mnt/nothing", 1, "there is no program /mnt/nothing"],
    ["another program", "--with-minio /usr/bin/true", 1, "is no MinIO"],
    ["with a removal", "--uninstall --with-minio", 2, "do not go together"],
    ["one that ends at once", "--with-minio /opt/faulty/minio", 1, "no disk is good enough"],
    ["only a question", `--with-minio ${program} --dry-run`, 0, "start kinomill-minio.service"],
  ])(
    "%s",
    async (_what, argv, exitCode, sentence) => {
      const before = await traces();
      const done = await install(...argv.split(" "));
      expect(done.output).toContain(sentence);
      expect(done.exitCode).toBe(exitCode);
      expect(await traces()).toBe(before);
    },
    120_000,
  );

  test("one that the service cannot see", async () => {
    await machine.shell(`mkdir -p /home; cp ${program} /home/minio`);
    const done = await install("--with-minio", "/home/minio");
    expect(done.output).toContain("sudo install -m 755 '/home/minio' /usr/local/bin/minio");
    expect(done.exitCode).toBe(1);
  }, 60_000);

  test("a busy port", async () => {
    const before = await traces();
    const done = await machine.run(
      "sh",
      "-c",
      `
      python3 -m http.server 9000 >/dev/null 2>&1 & other=$!
      until curl -s -o /dev/null 127.0.0.1:9000; do kill -0 $other && sleep 0.1; done
      sh /mnt/release/install.sh --with-minio ${program}; status=$?
      kill $other; exit $status`,
    );
    expect(done.output).toContain("another program listens on port 9000");
    expect(done.exitCode).toBe(1);
    expect(await traces()).toBe(before);
  }, 120_000);
});

test("one command installs both: films lie in the bucket, and nobody else reaches it", async () => {
  const { exitCode, output } = await install("--with-minio", program);
  expect(output).toContain("The bucket kinomill answers");
  expect(exitCode).toBe(0);
  await serves();
  const token = await tokenOf("ann");
  await film(token);
  expect(await inBucket()).toContain(clipHash());
  expect(await machine.shell("ls /var/lib/kinomill/storage 2>/dev/null || true")).toBe("");

  expect(await machine.shell("stat -c '%U %a' /etc/kinomill/credentials/minio")).toBe("root 600");
  const secret = await machine.shell("cat /etc/kinomill/credentials/minio");
  expect(secret).toMatch(/^[0-9a-f]{48}$/);
  const told = await machine.shell(
    "cat /etc/kinomill/config.toml /etc/systemd/system/kinomill*.service",
  );
  expect(told).not.toContain(secret);
  const pid = await machine.property(unit, "MainPID");
  expect(await machine.shell(`stat -c %U /proc/${pid}`)).not.toBe("root");
  const sockets = await machine.shell("cat /proc/net/tcp /proc/net/tcp6");
  expect(sockets.match(/\b[0-9A-F]+:2328 [0-9A-F]+:0000 0A/g)).toEqual([
    "0100007F:2328 00000000:0000 0A",
  ]);
  const exposure = ["systemd-analyze", "security", "--threshold=15", "--no-pager", unit];
  expect((await machine.run(...exposure)).exitCode).toBe(0);
}, 300_000);

test("a second time changes nothing and restarts nothing", async () => {
  const state = () =>
    machine.shell(`
      systemctl show --property=MainPID --value ${unit} kinomill.service
      sha256sum /etc/kinomill/config.toml /etc/kinomill/credentials/minio`);
  const before = await state();
  expect((await install("--with-minio", program)).exitCode).toBe(0);
  expect(await state()).toBe(before);
  expect((await install()).exitCode).toBe(0);
  expect(await state()).toBe(before);
}, 120_000);

test("a program that does not start makes room for the one before", async () => {
  const before = await traces();
  const { exitCode, output } = await machine.run(
    ...[installer, "--apply", "--with-minio", "/opt/faulty/minio"],
  );
  expect(output).toContain("no disk is good enough");
  expect(exitCode).toBe(1);
  await eventually("the one before runs", READY_LIMIT_MS, async () => {
    return (await machine.property(unit, "ActiveState")) === "active";
  });
  expect(await traces()).toBe(before);
  await serves();
}, 180_000);

test("after the machine was restarted both are there", async () => {
  await machine.reboot();
  await serves();
  const log = await machine.shell("journalctl -b -u kinomill -o cat --no-pager");
  expect(log).not.toContain("cannot be reached");
}, 180_000);

test("removed, it leaves settings and data; installed again it wants its server; purged, it leaves nothing", async () => {
  const bucket = await inBucket();
  expect((await machine.run(installer, "--uninstall")).exitCode).toBe(0);
  expect((await machine.run("systemctl", "cat", unit)).exitCode).not.toBe(0);
  expect(await inBucket()).toBe(bucket);

  const without = await install();
  expect(without.output).toContain("there is no MinIO on this machine");
  expect(without.exitCode).toBe(1);
  expect((await install("--with-minio", program)).exitCode).toBe(0);
  await serves();
  const token = await machine.shell("kinomill tokens create --user ann");
  await film(token);

  expect((await machine.run(installer, "--uninstall", "--purge")).exitCode).toBe(0);
  expect(
    await machine.shell(
      "ls -d /etc/kinomill /opt/kinomill /var/lib/kinomill* /var/lib/private/kinomill* /etc/systemd/system/kinomill* 2>/dev/null || true",
    ),
  ).toBe("");
}, 300_000);

test("who has films on the disk already keeps them, and new ones go to the bucket", async () => {
  expect((await install()).exitCode).toBe(0);
  await serves();
  const token = await tokenOf("bob");
  const old = await film(token);
  const { exitCode, output } = await machine.run(installer, "--apply", "--with-minio", program);
  expect(output).not.toContain("not ready");
  expect(exitCode).toBe(0);
  await serves();
  expect(await hashOf(old, token)).toBe(clipHash());
  expect(await inBucket()).toBe("");
  await film(token);
  expect(await inBucket()).toContain(clipHash());
  await machine.shell(`KINOMILL_TOKEN=${token} kinomill storage migrate --to s3`);
  expect(await hashOf(old, token)).toBe(clipHash());
}, 300_000);

test("storage that is set up otherwise stays as it is", async () => {
  await machine.shell(`
    ${installer} --uninstall --purge
    mkdir -p /etc/kinomill
    printf '[storage]\\nkind = "disk"\\n' >/etc/kinomill/config.toml`);
  const { exitCode, output } = await install("--with-minio", program);
  expect(output).toContain("has settings of storage, which stay");
  expect(exitCode).toBe(0);
  expect(await machine.shell("cat /etc/kinomill/config.toml")).toBe('[storage]\nkind = "disk"');
  expect(await machine.property(unit, "ActiveState")).toBe("active");
}, 180_000);

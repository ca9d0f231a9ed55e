/**
 * A real S3 server for tests: the RADOS gateway of Ceph with one monitor and one object store, all in a
 * temporary folder and on free ports, objects in memory. No root, no daemon that outlives its test: each
 * dies with the process that started it.
 */
import { existsSync, mkdirSync, openSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, PutBucketCorsCommand, S3Client } from "@aws-sdk/client-s3";
import { eventually } from "./appliance.ts";

/** It takes 1 to 7 s; the rest is for a machine on which other tests encode. */
const START_LIMIT_MS = 120_000;

/** Room for the objects of one test file; memory is taken only for what is stored. */
const STORE_BYTES = 16 * 1024 ** 3;

/** Where one user reaches one bucket. */
export interface Bucket {
  endpoint: string;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
}

export class Ceph {
  readonly endpoint: string;
  private readonly folder: string;
  private readonly children: readonly Bun.Subprocess[];
  private buckets = 0;

  private constructor(folder: string, endpoint: string, children: readonly Bun.Subprocess[]) {
    this.folder = folder;
    this.endpoint = endpoint;
    this.children = children;
  }

  /** Starts one and waits until it answers. */
  static async start(): Promise<Ceph> {
    const folder = await mkdtemp(join(tmpdir(), "ceph-"));
    for (const name of ["mon", "osd", "run", "log"]) mkdirSync(join(folder, name));
    const [gatewayPort = 0, monitorPort = 0] = freePorts(2);
    const endpoint = `http://127.0.0.1:${gatewayPort}`;
    const fsid = crypto.randomUUID();
    await Bun.write(
      join(folder, "ceph.conf"),
      configuration(folder, fsid, gatewayPort, monitorPort),
    );
    const children: Bun.Subprocess[] = [];
    const ceph = new Ceph(folder, endpoint, children);
    try {
      await ceph.boot(children, fsid, monitorPort);
    } catch (cause) {
      const logs = await ceph.lastWords();
      await ceph.stop();
      throw new Error(`Ceph does not start: ${cause}\n${logs}`);
    }
    return ceph;
  }

  private async boot(children: Bun.Subprocess[], fsid: string, monitorPort: number): Promise<void> {
    const { folder } = this;
    const map = join(folder, "monmap");
    const address = `[v2:127.0.0.1:${monitorPort}]`;
    const osd = crypto.randomUUID();
    await this.run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, map);
    await this.run("ceph-mon", "-i", "a", "--mkfs", "--monmap", map);
    children.push(this.daemon("ceph-mon", "-i", "a", "-f"));
    // Waits until the monitor is up.
    await this.run("ceph", "osd", "new", osd);
    await this.run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd);
    children.push(this.daemon("ceph-osd", "-i", "0", "-f"));
    await this.user("kinomill");
    children.push(this.daemon("radosgw", "-n", "client.rgw", "-f"));
    await eventually("the gateway answers", START_LIMIT_MS, async () => {
      const ended = children.find(({ exitCode }) => exitCode !== null);
      if (ended !== undefined) throw new Error("one of its daemons ended");
      return (await fetch(this.endpoint).catch(() => null))?.ok;
    });
  }

  /** A new, empty bucket of `user`, with the CORS rules that browsers need unless told otherwise. */
  async bucket(options: { user?: string; cors?: boolean } = {}): Promise<Bucket> {
    const { user = "kinomill", cors = true } = options;
    this.buckets += 1;
    const bucket: Bucket = {
      endpoint: this.endpoint,
      region: "us-east-1",
      bucket: `kinomill-${this.buckets}`,
      ...keysOf(user),
    };
    const client = clientOf(bucket);
    await client.send(new CreateBucketCommand({ Bucket: bucket.bucket }));
    if (cors) {
      const rule = {
        AllowedOrigins: ["*"],
        AllowedMethods: ["GET", "HEAD", "PUT"],
        AllowedHeaders: ["*"],
        ExposeHeaders: ["ETag", "Content-Range", "Accept-Ranges"],
        MaxAgeSeconds: 3600,
      };
      await client.send(
        new PutBucketCorsCommand({
          Bucket: bucket.bucket,
          CORSConfiguration: { CORSRules: [rule] },
        }),
      );
    }
    client.destroy();
    return bucket;
  }

  /** Makes a user whose keys `keysOf` gives. */
  async user(name: string): Promise<void> {
    const { accessKeyId, secretAccessKey } = keysOf(name);
    const keys = [`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`];
    await this.admin("user", "create", `--uid=${name}`, `--display-name=${name}`, ...keys);
  }

  /** Runs `radosgw-admin`, for quotas and the like. */
  admin(...argv: string[]): Promise<string> {
    return this.run("radosgw-admin", "-n", "client.rgw", ...argv);
  }

  /** Ends all of it and removes what it kept. SIGKILL: the gateway may hang on SIGTERM. */
  async stop(): Promise<void> {
    for (const child of this.children.toReversed()) child.kill("SIGKILL");
    await Promise.all(this.children.map(({ exited }) => exited));
    await rm(this.folder, { recursive: true, force: true });
  }

  private get environment(): Record<string, string | undefined> {
    const CEPH_CONF = join(this.folder, "ceph.conf");
    return { ...process.env, CEPH_CONF, PYTHONDONTWRITEBYTECODE: "1" };
  }

  private daemon(...argv: string[]): Bun.Subprocess {
    const log = openSync(join(this.folder, "log", `${argv[0]}.out`), "a");
    // The kernel ends it when this process ends, however that happens.
    return Bun.spawn(["setpriv", "--pdeathsig", "KILL", ...argv], {
      env: this.environment,
      stdio: ["ignore", log, log],
    });
  }

  private async run(...argv: string[]): Promise<string> {
    const child = Bun.spawn(["setpriv", "--pdeathsig", "KILL", ...argv], {
      env: this.environment,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: START_LIMIT_MS,
      killSignal: "SIGKILL",
    });
    const [stdout, stderr] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    if ((await child.exited) !== 0) throw new Error(`${argv.join(" ")}: ${stderr.slice(-2000)}`);
    return stdout;
  }

  private async lastWords(): Promise<string> {
    const folder = join(this.folder, "log");
    const names = await readdir(folder).catch(() => []);
    const texts = names.map(async (name) => {
      const text = await Bun.file(join(folder, name)).text();
      return `${name}: ${text.slice(-1000)}`;
    });
    return (await Promise.all(texts)).join("\n");
  }
}

/** The keys of a user that `Ceph.user` made. */
export function keysOf(user: string): Pick<Bucket, "accessKeyId" | "secretAccessKey"> {
  return { accessKeyId: `${user}-access`, secretAccessKey: `${user}-secret-0123456789` };
}

/** A client of the SDK alone, with nothing of Kinomill's. */
export function clientOf({ endpoint, region, accessKeyId, secretAccessKey }: Bucket): S3Client {
  return new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
}

let shared: Promise<Ceph> | null = null;

/** One for all tests of a file, and of the files beside it until one of them ends it. */
export function sharedCeph(): Promise<Ceph> {
  shared ??= Ceph.start();
  return shared;
}

/** For `afterAll`: ends it and removes what it kept. */
export async function endSharedCeph(): Promise<void> {
  const ceph = await shared;
  shared = null;
  await ceph?.stop();
}

/** Ports that nobody listens on now, all different. */
function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () =>
    Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } }),
  );
  const ports = listeners.map(({ port }) => port);
  for (const listener of listeners) listener.stop(true);
  return ports;
}

function configuration(
  folder: string,
  fsid: string,
  gatewayPort: number,
  monitorPort: number,
): string {
  const libraries = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64"].find(
    (path) => existsSync(join(path, "rados-classes")),
  );
  if (libraries === undefined) throw new Error("no Ceph here: run script/bootstrap --test");
  return `[global]
fsid = ${fsid}
mon host = [v2:127.0.0.1:${monitorPort}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
paxos propose interval = 0.02
paxos min wait = 0.01
run dir = ${folder}/run
admin socket =
log file = ${folder}/log/$name.log
crash dir = ${folder}/run
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 10000
mon data avail crit = 0
osd class dir = ${libraries}/rados-classes
erasure code dir = ${libraries}/ceph/erasure-code
plugin dir = ${libraries}/ceph
[mon]
mon data = ${folder}/mon
[osd]
osd data = ${folder}/osd
osd objectstore = memstore
memstore device bytes = ${STORE_BYTES}
osd class load list = *
osd class default list = *
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${gatewayPort}
rgw data = ${folder}/run
rgw gc obj min wait = 1
rgw gc processor period = 5
rgw gc processor max time = 5
rgw dns name = 127.0.0.1
`;
}

/** Settings of a server that keeps its objects in this bucket. */
export function settingsFor(bucket: Bucket): Record<string, string> {
  return {
    KINOMILL_STORAGE_KIND: "s3",
    KINOMILL_STORAGE_S3_ENDPOINT: bucket.endpoint,
    KINOMILL_STORAGE_S3_REGION: bucket.region,
    KINOMILL_STORAGE_S3_BUCKET: bucket.bucket,
    KINOMILL_STORAGE_S3_ACCESS_KEY_ID: bucket.accessKeyId,
    KINOMILL_STORAGE_S3_SECRET_ACCESS_KEY: bucket.secretAccessKey,
    KINOMILL_STORAGE_S3_PART_BYTES: String(5 * 1024 ** 2),
  };
}

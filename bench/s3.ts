/** Storing into a bucket, next to lib-storage alone: 200 MB to Ceph's gateway on this machine. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Upload } from "@aws-sdk/lib-storage";
import { type Bucket, Ceph, clientOf } from "../tests/ceph.ts";
import { openS3, removeCaches } from "../tests/support/s3-storage.ts";
import { type Extent, type Figure, median, megabytes } from "./figure.ts";

const MIB = 1024 ** 2;
/** The same for both: what differs is the way, not the cut. */
const PART_BYTES = 16 * MIB;
const PARALLEL = 4;

export async function s3({ quick }: Extent): Promise<Figure[]> {
  const sizeBytes = quick ? 32 * MIB : 200_000_000;
  const ceph = await Ceph.start();
  const folder = mkdtempSync(join(tmpdir(), "bench-s3-"));
  const file = join(folder, "film");
  try {
    await fill(file, sizeBytes);
    const bucket = await ceph.bucket();
    const ours: Round[] = [];
    const theirs: Round[] = [];
    // The first of each is the loading of code, and no figure.
    for (let round = 0; round <= (quick ? 1 : 7); round += 1) {
      const [one, other] = [await store(bucket, file, round), await alone(bucket, file, round)];
      if (round === 0) continue;
      ours.push(one);
      theirs.push(other);
    }
    return figures(sizeBytes, ours, theirs);
  } finally {
    removeCaches();
    rmSync(folder, { recursive: true });
    await ceph.stop();
  }
}

interface Round {
  seconds: number;
  cpuSeconds: number;
}

async function fill(file: string, sizeBytes: number): Promise<void> {
  const writer = Bun.file(file).writer();
  const block = new Uint8Array(64 * 1024);
  for (let written = 0; written < sizeBytes; written += block.byteLength) {
    crypto.getRandomValues(block);
    writer.write(block.subarray(0, Math.min(block.byteLength, sizeBytes - written)).slice());
    await writer.flush();
  }
  await writer.end();
}

/** From a stream into the cache and the bucket, with the SHA-256. */
async function store(bucket: Bucket, file: string, round: number): Promise<Round> {
  const { storage } = await openS3(bucket, { partBytes: PART_BYTES, parallel: PARALLEL });
  const key = `as_ours-${round}`;
  const size = Bun.file(file).size;
  const measured = await timed(async () => {
    const options = { limitBytes: size, declaredBytes: size };
    await storage.put(key, Bun.file(file).stream(), options);
  });
  await storage.delete(key);
  return measured;
}

async function alone(bucket: Bucket, file: string, round: number): Promise<Round> {
  const client = clientOf(bucket);
  const params = { Bucket: bucket.bucket, Key: `as_theirs-${round}` };
  const measured = await timed(async () => {
    const Body = Bun.file(file).stream();
    const upload = new Upload({
      ...{ client, partSize: PART_BYTES, queueSize: PARALLEL },
      params: { ...params, Body },
    });
    await upload.done();
  });
  client.destroy();
  return measured;
}

async function timed(work: () => Promise<void>): Promise<Round> {
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpuBefore);
  return { seconds: (performance.now() - started) / 1000, cpuSeconds: (user + system) / 1e6 };
}

function figures(sizeBytes: number, ours: Round[], theirs: Round[]): Figure[] {
  const speed = (rounds: Round[]) => sizeBytes / median(rounds.map(({ seconds }) => seconds));
  const cpu = (rounds: Round[]) => median(rounds.map(({ cpuSeconds }) => cpuSeconds));
  const shown = (rounds: Round[]) => `${megabytes(speed(rounds))}/s`;
  return [
    {
      what: `storing ${megabytes(sizeBytes)} in a bucket, with a local copy, SHA-256 and MD5`,
      ours: shown(ours),
      other: `${shown(theirs)}, lib-storage alone`,
      value: speed(ours) / speed(theirs),
      target: { atLeast: 0.9 },
    },
    {
      what: "the same, CPU time of the process",
      ours: `${cpu(ours).toFixed(2)} s`,
      other: `${cpu(theirs).toFixed(2)} s, lib-storage alone`,
      value: cpu(ours) / cpu(theirs),
      target: null,
    },
  ];
}

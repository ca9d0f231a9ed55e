/** How long writers wait while the database is backed up, next to the same writers without a backup. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { openShelf, takeBackup } from "../src/backup/backup.ts";
import { databaseFileName } from "../src/database/open.ts";
import { transaction } from "../src/database/transaction.ts";
import { BackupGround } from "../tests/support/backup-ground.ts";
import { type Extent, type Figure, median, megabytes, milliseconds } from "./figure.ts";

const ROWS_PER_MEGABYTE = 2_100;

/** Writes of a busy server: some two hundred durable commits a second, each of a few rows. */
const PAUSE_MS = 4;

export async function backup({ quick }: Extent): Promise<Figure[]> {
  const ground = new BackupGround();
  try {
    ground.fill((quick ? 10 : 110) * ROWS_PER_MEGABYTE, "a");
    ground.database.run("PRAGMA wal_checkpoint(TRUNCATE)");
    const rounds = Array.from({ length: quick ? 1 : 7 });
    const measured: Round[] = [];
    for (const _ of rounds) measured.push(await measure(ground));
    return figures(ground, measured);
  } finally {
    ground.close();
  }
}

interface Round {
  tookMs: number;
  waits: number[];
  /** In as much time without a backup. */
  usualWaits: number[];
  logBytes: number;
}

async function measure(ground: BackupGround): Promise<Round> {
  const config = await ground.config({ keep: 1 });
  const beganMs = performance.now();
  const making = takeBackup({ config, clock: ground.clock, serving: true });
  const { waits, logBytes } = await writeUntil(ground, making);
  const tookMs = performance.now() - beganMs;
  for (const { name } of await openShelf(config).list()) await openShelf(config).remove(name);
  const usual = await writeUntil(ground, Bun.sleep(tookMs));
  return { tookMs, waits, usualWaits: usual.waits, logBytes };
}

async function writeUntil(ground: BackupGround, end: Promise<unknown>) {
  let done = false;
  const ended = end.finally(() => {
    done = true;
  });
  const waits: number[] = [];
  let logBytes = 0;
  while (!done) {
    const beganMs = performance.now();
    transaction(ground.database, () => ground.fill(5, "w"));
    waits.push(performance.now() - beganMs);
    logBytes = Math.max(logBytes, statSync(join(ground.folder, `${databaseFileName}-wal`)).size);
    await Bun.sleep(PAUSE_MS);
  }
  await ended;
  return { waits, logBytes };
}

function figures(ground: BackupGround, rounds: Round[]): Figure[] {
  const size = megabytes(statSync(join(ground.folder, databaseFileName)).size);
  const longest = (pick: (round: Round) => number[]) =>
    rounds.map((round) => Math.max(...pick(round)));
  const waits = longest(({ waits }) => waits);
  const usual = longest(({ usualWaits }) => usualWaits);
  const worst = Math.max(...waits);
  return [
    {
      what: `backup of ${size}: longest wait of a write, worst of ${rounds.length} rounds`,
      ours: milliseconds(worst),
      other: null,
      value: worst,
      target: { atMost: 100 },
    },
    {
      what: "longest wait of a write, median of the rounds",
      ours: milliseconds(median(waits)),
      other: `${milliseconds(median(usual))} without one`,
      value: median(waits) / median(usual),
      target: null,
    },
    {
      what: "from the wish to a checked, durable backup",
      ours: milliseconds(median(rounds.map(({ tookMs }) => tookMs))),
      other: null,
      value: median(rounds.map(({ tookMs }) => tookMs)),
      target: null,
    },
    {
      what: "write-ahead log meanwhile, at most",
      ours: megabytes(Math.max(...rounds.map(({ logBytes }) => logBytes))),
      other: null,
      value: Math.max(...rounds.map(({ logBytes }) => logBytes)),
      target: null,
    },
  ];
}

/** The pages of the jobs with 10,000 that wait, 5,000 that failed and a million that were done. */
import { addFilm, openSite, type SiteRig } from "../tests/http/site.ts";
import { type Extent, type Figure, median, milliseconds } from "./figure.ts";
import { insert } from "./queue-scale.ts";

const WAITING = 10_000;
const FAILED = 5_000;

/** The newest so many have inputs, steps and a history, as many as the log keeps. */
const WHOLE = 150_000;

const ended = {
  fence: "1",
  device: "iif(seq % 3 = 0, 'gpu:0', 'cpu')",
  started_at: "'2026-01-01T00:00:00.000Z'",
  finished_at: "'2026-01-01T00:01:00.000Z'",
};

const error = `'{"code":"internal","message":"It broke.","hint":"","retryable":true,"log":""}'`;

async function fill(site: SiteRig, done: number): Promise<void> {
  const { database, people } = site;
  const ownerId = people.ann.id;
  const film = await addFilm(site, "ann");
  database.run("PRAGMA synchronous = OFF");
  insert(database, ownerId, { from: 1, count: done, values: { ...ended, state: "'succeeded'" } });
  const failed = { ...ended, state: "'failed'", error };
  insert(database, ownerId, { from: done + 1, count: FAILED, values: failed });
  insert(database, ownerId, { from: done + FAILED + 1, count: WAITING, values: {} });
  const newest = `FROM job WHERE seq > ${done + FAILED + WAITING - WHOLE}`;
  database.run(
    `INSERT INTO job_input (job_id, position, asset_id) SELECT id, 0, '${film}' ${newest};
     INSERT INTO step (job_id, name, position, title, needs, state)
       SELECT id, 'transcode', 0, 'Encode H.264', '[]', 'pending' ${newest};
     INSERT INTO event (owner_id, kind, subject, what, state, who, sentence, at)
       SELECT owner_id, 'job', id, 'submit', 'queued', 'ann (token ci)', '', created_at ${newest};
     UPDATE job SET asker = 'ann (token ci)',
       last_event = (SELECT id FROM event WHERE subject = job.id) WHERE seq > ${done + FAILED + WAITING - WHOLE};
     INSERT INTO job_search (rowid, text) SELECT seq, title || ' ' || labels FROM job;
     UPDATE job_search_mark SET seq = (SELECT max(seq) FROM job);`,
  );
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
}

const addresses = [
  ...["/jobs", "/ui/jobs", "/jobs?state=queued", "/jobs?state=failed", "/jobs?state=succeeded"],
  ...["/jobs?operation=thumbnails", "/jobs?device=gpu:0&operation=transcode"],
  ...["/jobs?label=ticket:42", "/jobs?label=ticket:42&q=777042", "/jobs?q=holiday+123456"],
  ...["/jobs?q=holiday", "/jobs?q=no+such+words"],
  ...["/ui/jobs/bulk/cancel", "/ui/jobs/bulk/retry?state=failed"],
];

/** Milliseconds of the processor that one answer takes. */
async function costOf(site: SiteRig, address: string): Promise<number> {
  const before = process.cpuUsage();
  const answer = await site.ask(address, { browser: "ann" });
  await answer.text();
  if (answer.status !== 200) throw new Error(`${address} answered ${answer.status}`);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

export async function jobPages({ quick }: Extent): Promise<Figure[]> {
  const done = quick ? 200_000 : 1_000_000;
  const site = await openSite();
  await fill(site, done);
  const list = await (await site.ask("/jobs", { browser: "ann" })).text();
  const older = /href="(\/jobs\?after=jb_\w+)"/.exec(list)?.[1];
  const one = /href="(\/jobs\/jb_\w+)"/.exec(list)?.[1];
  if (older === undefined || one === undefined)
    throw new Error("the list has jobs and a next page");
  const costs: { address: string; ms: number }[] = [];
  for (const address of [...addresses, older, one]) {
    const times: number[] = [];
    for (let round = 0; round < (quick ? 3 : 15); round += 1) {
      times.push(await costOf(site, address));
    }
    costs.push({ address, ms: median(times) });
  }
  site.close();
  const slowest = costs.reduce((worst, each) => (each.ms > worst.ms ? each : worst));
  const first = costs[0]?.ms ?? Number.NaN;
  const jobs = `${WAITING.toLocaleString("en")} waiting, ${FAILED.toLocaleString("en")} failed, ${done.toLocaleString("en")} done`;
  return [
    {
      what: `the slowest of ${costs.length} pages and fragments of jobs with ${jobs}, median of the processor's time in ms`,
      ours: `${milliseconds(slowest.ms)} (${slowest.address}; the list ${milliseconds(first)})`,
      other: null,
      value: slowest.ms,
      target: { atMost: 50 },
    },
  ];
}

/** A server that died with a long queue, and how soon the next one on its data begins with it. */
import { Database } from "bun:sqlite";
import { join } from "node:path";
import { Api } from "../api.ts";
import { Appliance, eventually } from "../appliance.ts";
import { plainClip } from "../clips.ts";

const CLAIM_LIMIT_MS = 30_000;

/** Asks for so many jobs, of which none begins, and kills the server. Its folder is the next one's. */
export async function dieWithQueued(first: Appliance, jobs: number): Promise<void> {
  const api = new Api(first.url, await first.token("ann", "admin"));
  const asset = await api.add(plainClip());
  await api.call("PATCH", "/api/v1/system/work", {
    body: JSON.stringify({ mode: "draining" }),
    headers: { "Content-Type": "application/json" },
  });
  const request = { operation: "thumbnails", inputs: [asset.id] };
  for (let asked = 0; asked < jobs; asked += 1_000) {
    const answer = await api.post("/api/v1/jobs/bulk", { jobs: Array(1_000).fill(request) });
    if (answer.status !== 202) throw new Error(`not taken: ${JSON.stringify(answer.body)}`);
  }
  await first.end("SIGKILL");
  using database = new Database(join(first.dataFolder, "kinomill.sqlite"), { readwrite: true });
  database.run("UPDATE work_mode SET mode = 'running'");
}

/** Milliseconds from the start of a server on this folder to its first claim; the server is killed then. */
export async function untilFirstClaim(folder: string): Promise<number> {
  using database = new Database(join(folder, "data", "kinomill.sqlite"), { readwrite: true });
  const claims = database.query<{ at: string | null }, [string]>(
    `SELECT min(at) AS at FROM (SELECT what, at FROM event ORDER BY id DESC LIMIT 100)
     WHERE what = 'claim' AND at >= ?1`,
  );
  const startedMs = Date.now();
  const from = new Date(startedMs).toISOString();
  const server = await Appliance.start({ folder });
  const claimedAt = await eventually("a job is claimed", CLAIM_LIMIT_MS, () =>
    Promise.resolve(claims.get(from)?.at),
  );
  await server.end("SIGKILL");
  return Date.parse(claimedAt) - startedMs;
}

/** Where in the line a waiting job stands, for whoever asks when it will be its turn. */
import type { Database } from "bun:sqlite";
import { inLine } from "./by-state.ts";
import type { Need } from "./job.ts";

export interface PlaceInLine {
  /** Counted from 1, among the jobs of this person that want the same kind of device. */
  place: number;
  /** Other persons who have jobs in this line: they take turns. */
  others: number;
}

/** Others that are counted: more are a crowd. */
const OTHERS_MAX = 20;

interface Standing {
  id: string;
  ownerId: string;
  need: Need;
  rank: number;
}

/** The places of those of these jobs that wait for their turn and nothing else, by id. Each line is walked once. */
export function placesInLine(
  database: Database,
  jobIds: readonly string[],
): Map<string, PlaceInLine> {
  const standing = database
    .query<Standing, [string]>(
      `SELECT id, owner_id AS ownerId, need, rank FROM job
       WHERE id IN (SELECT value FROM json_each(?1)) AND +state = 'queued' AND +wait_for IS NULL
       ORDER BY +rank`,
    )
    .all(JSON.stringify(jobIds));
  const lines = Map.groupBy(standing, ({ ownerId, need }) => `${need} ${ownerId}`);
  const places = new Map<string, PlaceInLine>();
  for (const line of lines.values()) {
    const others = line[0] === undefined ? 0 : othersIn(database, line[0]);
    let place = 0;
    let behind = Number.MIN_SAFE_INTEGER;
    for (const job of line) {
      place += countBetween(database, job, behind);
      behind = job.rank;
      places.set(job.id, { place, others });
    }
  }
  return places;
}

function countBetween(database: Database, { need, ownerId, rank }: Standing, behind: number) {
  const row = database
    .query<{ count: number }, [Need, string, number, number]>(
      `SELECT count(*) AS count FROM job
       WHERE need = (+?1) AND owner_id = (+?2) AND ${inLine} AND rank > (+?3) AND rank <= (+?4)`,
    )
    .get(need, ownerId, behind, rank);
  return row?.count ?? 0;
}

/** By leaps over the index: each person costs one look. */
function othersIn(database: Database, { need, ownerId }: Standing): number {
  const next = database.query<{ ownerId: string }, [Need, string]>(
    `SELECT owner_id AS ownerId FROM job
     WHERE need = (+?1) AND owner_id > (+?2) AND ${inLine} ORDER BY owner_id LIMIT 1`,
  );
  let others = 0;
  let found = next.get(need, "");
  while (found !== null && others < OTHERS_MAX) {
    if (found.ownerId !== ownerId) others += 1;
    found = next.get(need, found.ownerId);
  }
  return others;
}

/**
 * Which jobs a list shows. One condition leads, through an index that has the newest first; the others are held
 * against each job that it finds, as many of them as one answer may take.
 */
import type { Database, SQLQueryBindings } from "bun:sqlite";
import { type Look, looksFor } from "./by-state.ts";
import type { Job, JobState } from "./job.ts";
import { type JobRow, toJob } from "./rows.ts";
import { indexedSeq, phraseOf, SEARCHED_LENGTH_MIN } from "./search-index.ts";

export interface JobFilter {
  ownerId: string;
  limit: number;
  /** Id of the job after which the page begins; null for the first page. */
  after: string | null;
  /** Any of these; empty or absent for all. */
  states?: readonly JobState[];
  /** Only jobs that read or made this asset. */
  assetId?: string | null;
  operation?: string | null;
  device?: string | null;
  /** All of these, as name and value. */
  labels?: readonly (readonly [string, string])[];
  /** Part of the title or of a label, upper and lower case alike. */
  text?: string | null;
  /** ISO 8601 UTC; asked for at or after it, and before it. */
  createdAfter?: string | null;
  createdBefore?: string | null;
  /** Only jobs of one call. */
  batch?: string | null;
}

export interface JobPage {
  items: Job[];
  /**
   * `after` of the next page; null at the end. A page that is not full may have one: so many jobs were looked
   * at that the rest is for another call.
   */
  next: string | null;
}

/** Jobs that one condition leads to for one page: some twenty milliseconds on a slow machine. */
export const LOOKED_MAX = 5_000;

/** Where the leading condition finds numbers of jobs, the newest first. */
interface Lead {
  from: string;
  /** Its column with the number. */
  seq: string;
  conditions: Condition[];
  /** A job is found by one of these besides, each of which has an index; absent: no matter which. */
  oneOf?: readonly Look[];
}

interface Condition {
  sql: string;
  values: SQLQueryBindings[];
}

/** Numbers between which jobs are looked for; both belong to it. */
interface Span {
  first: number;
  last: number;
}

export function listJobs(database: Database, filter: JobFilter): JobPage {
  const { rows, next } = findRows(database, filter);
  return { items: rows.map((row) => toJob(database, row)), next };
}

/** The same without what belongs to the jobs. */
export function findRows(
  database: Database,
  filter: JobFilter,
): { rows: JobRow[]; next: string | null } {
  const span = spanOf(database, filter);
  const rows: JobRow[] = [];
  let rest: number | null = null;
  for (const { lead, part } of leads(database, filter, span)) {
    const wanted = filter.limit + 1 - rows.length;
    const others = conditionsOf(filter, lead.from === "job_search");
    const found = look(database, lead, { others, part, wanted });
    rows.push(...found.rows);
    rest = found.lookedTo;
    if (rows.length > filter.limit || rest !== null) break;
  }
  const shown = rows.slice(0, filter.limit);
  if (rows.length > filter.limit) return { rows: shown, next: shown.at(-1)?.id ?? null };
  return { rows: shown, next: rest === null ? null : idOf(database, rest) };
}

/** `lookedTo` is the number of the last job that was looked at when there may be more behind it. */
function look(
  database: Database,
  lead: Lead,
  { others, part, wanted }: { others: Condition[]; part: Span; wanted: number },
): { rows: JobRow[]; lookedTo: number | null } {
  const { sql: leading, values: led } = leadingOf(lead, part);
  const rows = database
    .query<JobRow, SQLQueryBindings[]>(
      `SELECT job.* FROM (${leading}) AS found CROSS JOIN job ON job.seq = found.seq
       WHERE ${sqlOf(others)} ORDER BY found.seq DESC LIMIT ?`,
    )
    .all(...led, ...valuesOf(others), wanted);
  if (rows.length >= wanted) return { rows, lookedTo: null };
  const looked = database
    .query<{ count: number; last: number }, SQLQueryBindings[]>(
      `SELECT count(*) AS count, min(seq) AS last FROM (${leading})`,
    )
    .get(...led);
  return { rows, lookedTo: looked?.count === LOOKED_MAX ? looked.last : null };
}

/** The numbers that the leading condition finds, the newest first. Several indexes are read as far as one might be. */
function leadingOf({ from, seq, conditions, oneOf }: Lead, part: Span): Condition {
  const newest = `DESC LIMIT ${LOOKED_MAX}`;
  const found = (table: string, number: string, where = "TRUE") =>
    `SELECT ${number} AS seq FROM ${table} WHERE ${where} AND ${sqlOf(conditions)}
     AND ${number} BETWEEN ? AND ? ORDER BY ${number} ${newest}`;
  const values = [...valuesOf(conditions), part.first, part.last];
  if (oneOf === undefined) return { sql: found(from, seq), values };
  const each = oneOf.map((one) => {
    // What has not ended is few, and its index has another order: all of it is read, and sorted.
    const number = one.bySeq ? seq : `+${seq}`;
    return `SELECT seq FROM (${found(one.from, number, one.where)})`;
  });
  return {
    sql: `SELECT seq FROM (${each.join(" UNION ALL ")}) ORDER BY seq ${newest}`,
    values: oneOf.flatMap(() => values),
  };
}

/** The most telling condition leads. What is indexed behind the jobs leads twice: over the newest, then through its index. */
function* leads(
  database: Database,
  filter: JobFilter,
  span: Span,
): Generator<{ lead: Lead; part: Span }> {
  const text = filter.text ?? "";
  const { lead, told, newest } = plainLead(filter);
  const searched = !told && text.length >= SEARCHED_LENGTH_MIN;
  if (newest === undefined && !searched) {
    yield { lead, part: span };
    return;
  }
  const indexed = indexedSeq(database);
  const first = Math.max(span.first, indexed + 1);
  if (first <= span.last) yield { lead: newest ?? lead, part: { ...span, first } };
  const conditions = [{ sql: "job_search MATCH ?", values: [phraseOf(text)] }];
  const part = { ...span, last: Math.min(span.last, indexed) };
  yield { lead: searched ? { from: "job_search", seq: "rowid", conditions } : lead, part };
}

/** `told`: it leads to few jobs, fewer than a text would. `newest`: what leads to those that it does not lead to yet. */
function plainLead(filter: JobFilter): { lead: Lead; told: boolean; newest?: Lead } {
  const { ownerId, states = [], operation, device, assetId, batch } = filter;
  const [label] = filter.labels ?? [];
  const own = { sql: "owner_id = ?", values: [ownerId] };
  const lead = (conditions: Condition[], from = "job"): Lead => ({ from, seq: "seq", conditions });
  if (batch) return { told: true, lead: lead([{ sql: "batch = ?", values: [batch] }]) };
  if (assetId) return { told: true, lead: { ...lead([readOrMade(assetId)]), seq: "+seq" } };
  if (label !== undefined) {
    const condition = { sql: "name = ? AND value = ?", values: [...label] };
    return { told: true, lead: lead([own, condition], "job_label") };
  }
  const indexed = states.filter((state) => state !== "succeeded");
  if (states.length > 0 && indexed.length === states.length) {
    // What has not ended is bounded by what one person may have waiting.
    const told = !states.includes("failed") && !states.includes("cancelled");
    return { told, lead: { ...lead([own]), oneOf: looksFor(indexed) } };
  }
  const plain = lead([own]);
  const filed = (sql: string, value: string, index: string) => ({
    ...{ told: false, newest: plain },
    lead: lead([own, { sql, values: [value] }], `job INDEXED BY ${index}`),
  });
  if (device) return filed("filed = 1 AND device = ?", device, "job_by_device");
  if (operation) return filed("filed = 1 AND operation = ?", operation, "job_by_operation");
  return { told: false, lead: plain };
}

function readOrMade(assetId: string): Condition {
  return {
    sql: `job.id IN (SELECT job_id FROM job_input WHERE asset_id = ?
      UNION SELECT job_id FROM asset WHERE id = ? AND job_id IS NOT NULL)`,
    values: [assetId, assetId],
  };
}

/** States come from a closed list, so their words can stand in the SQL. */
function anyOf(column: string, words: readonly JobState[]): string {
  return `${column} IN (${words.map((word) => `'${word}'`).join(", ")})`;
}

/** Everything that is asked, the leading condition too: it costs little there. @param textLeads it is met then */
function conditionsOf(filter: JobFilter, textLeads: boolean): Condition[] {
  const { ownerId, states = [], operation, device, labels = [], batch, assetId } = filter;
  const conditions: Condition[] = [{ sql: "job.owner_id = ?", values: [ownerId] }];
  const add = (sql: string, ...values: SQLQueryBindings[]) => conditions.push({ sql, values });
  if (states.length > 0) add(anyOf("job.state", states));
  if (operation) add("job.operation = ?", operation);
  if (device) add("job.device = ?", device);
  if (batch) add("job.batch = ?", batch);
  if (assetId) conditions.push(readOrMade(assetId));
  for (const [name, value] of labels) {
    add(
      `EXISTS (SELECT 1 FROM job_label WHERE owner_id = ? AND name = ? AND value = ? AND seq = job.seq)`,
      ...[ownerId, name, value],
    );
  }
  if (filter.createdAfter) add("job.created_at >= ?", filter.createdAfter);
  if (filter.createdBefore) add("job.created_at < ?", filter.createdBefore);
  const text = filter.text ?? "";
  if (text !== "" && !textLeads)
    add("(job.title || ' ' || job.labels) LIKE ? ESCAPE '\\'", likePattern(text));
  return conditions;
}

function likePattern(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, "\\$&")}%`;
}

function spanOf(database: Database, { after, createdAfter, createdBefore }: JobFilter): Span {
  const span = { first: 1, last: Number.MAX_SAFE_INTEGER };
  if (after !== null) {
    const row = database
      .query<{ seq: number }, [string]>("SELECT seq FROM job WHERE id = ?1")
      .get(after);
    span.last = (row?.seq ?? 1) - 1;
  }
  // Ids begin with the time of asking. Where a clock was set back the order of ids is not that of asking, and
  // what a list leaves out then are jobs of that hour.
  if (createdAfter) {
    const row = database
      .query<{ seq: number }, [string]>("SELECT seq FROM job WHERE id >= ?1 ORDER BY id LIMIT 1")
      .get(firstIdAt(createdAfter));
    span.first = row?.seq ?? Number.MAX_SAFE_INTEGER;
  }
  if (createdBefore) {
    const row = database
      .query<{ seq: number }, [string]>(
        "SELECT seq FROM job WHERE id < ?1 ORDER BY id DESC LIMIT 1",
      )
      .get(firstIdAt(createdBefore));
    span.last = Math.min(span.last, row?.seq ?? 0);
  }
  return span;
}

/** A version 7 UUID begins with 48 bits of milliseconds. */
function firstIdAt(iso: string): string {
  return `jb_${Math.max(0, Date.parse(iso)).toString(16).padStart(12, "0")}`;
}

function idOf(database: Database, seq: number): string | null {
  return (
    database.query<{ id: string }, [number]>("SELECT id FROM job WHERE seq = ?1").get(seq)?.id ??
    null
  );
}

function sqlOf(conditions: readonly Condition[]): string {
  return conditions.map(({ sql }) => sql).join(" AND ");
}

function valuesOf(conditions: readonly Condition[]): SQLQueryBindings[] {
  return conditions.flatMap(({ values }) => values);
}

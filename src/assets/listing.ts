/** Lists of assets: what they can be filtered and sorted by, as SQL that looks at one index and at the rows it shows. */
import type { SQLQueryBindings } from "bun:sqlite";
import { Refusal } from "../trouble.ts";
import type { AssetKind, AssetOrigin } from "./asset.ts";

/** Orders of a list. What has no length, a picture or a text, is the shortest. */
export const assetSorts = [
  "newest",
  "oldest",
  "name",
  "name-descending",
  "largest",
  "smallest",
  "longest",
  "shortest",
] as const;
export type AssetSort = (typeof assetSorts)[number];

/** Classes of resolution, by the lines from which each begins; the next begins where it ends. */
export const resolutionClasses = ["sd", "720p", "1080p", "1440p", "4k", "8k"] as const;
export type ResolutionClass = (typeof resolutionClasses)[number];
const resolutionLines: Record<ResolutionClass, [from: number, below: number]> = {
  sd: [1, 720],
  "720p": [720, 1080],
  "1080p": [1080, 1440],
  "1440p": [1440, 2160],
  "4k": [2160, 4320],
  "8k": [4320, 1_000_000],
};

/** Which assets: those that are there, those of them that a job works on or that will go by themselves, or the bin. */
export const listedStates = ["ready", "working", "expiring", "binned"] as const;
export type ListedState = (typeof listedStates)[number];

export interface AssetFilter {
  ownerId: string;
  limit: number;
  /** `next` of the page before; null for the first page. */
  after: string | null;
  kind: AssetKind | null;
  /** Part of the name, upper and lower case alike; null for all. */
  search: string | null;
  /** Only what this job made. */
  jobId: string | null;
  /** Only what has these bytes, by their SHA-256 in lower case. */
  sha256?: string | null;
  /** Absent: what is not in the bin. */
  state?: ListedState;
  sort?: AssetSort;
  /** In ffmpeg's word: of the picture, or of what is sound alone. */
  codec?: string | null;
  resolution?: ResolutionClass | null;
  /** Only what has a length, and one of so many seconds. */
  minSeconds?: number | null;
  maxSeconds?: number | null;
  label?: string | null;
  /** How it came. */
  origin?: AssetOrigin["kind"] | null;
}

interface Order {
  index: string;
  column: "id" | "name" | "size_bytes" | "length_ms";
  direction: "ASC" | "DESC";
}

const orders: Record<AssetSort, Order> = {
  newest: { index: "asset_listed", column: "id", direction: "DESC" },
  oldest: { index: "asset_listed", column: "id", direction: "ASC" },
  name: { index: "asset_by_name", column: "name", direction: "ASC" },
  "name-descending": { index: "asset_by_name", column: "name", direction: "DESC" },
  largest: { index: "asset_by_size", column: "size_bytes", direction: "DESC" },
  smallest: { index: "asset_by_size", column: "size_bytes", direction: "ASC" },
  longest: { index: "asset_by_length", column: "length_ms", direction: "DESC" },
  shortest: { index: "asset_by_length", column: "length_ms", direction: "ASC" },
};

/** A statement and its values. */
export interface Listing {
  sql: string;
  values: SQLQueryBindings[];
}

/** What of a row says where the next page begins. */
export interface Placed {
  id: string;
  name: string;
  size_bytes: number;
  length_ms: number;
}

/** The cursor behind a row: its id where lists go by age, else its place and its id. */
export function cursorOf(sort: AssetSort, row: Placed): string {
  const { column } = orders[sort];
  if (column === "id") return row.id;
  return Buffer.from(JSON.stringify([row[column], row.id])).toString("base64url");
}

interface Place {
  value: string | number;
  id: string;
}

/** @throws Refusal 422 `invalid` for what is no cursor of this order */
function placeOf(sort: AssetSort, cursor: string): Place {
  const { column } = orders[sort];
  if (column === "id") return { value: cursor, id: cursor };
  const wanted = column === "name" ? "string" : "number";
  try {
    const [value, id]: unknown[] = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (typeof value === wanted && typeof id === "string") return { value, id } as Place;
  } catch {
    // It is refused below.
  }
  const sentence = "This is no place in a list in this order. Take `next` of the page before.";
  const errors = [{ path: "after", message: "is not `next` of a page in this order" }];
  throw new Refusal(422, "invalid", sentence, { errors });
}

/** Conditions with their values: each `?` becomes the number of its value. */
class Conditions {
  readonly values: SQLQueryBindings[] = [];
  private readonly texts: string[] = [];

  add(text: string, ...values: SQLQueryBindings[]): void {
    const parts = text.split("?");
    this.texts.push(
      parts.reduce((whole, part, index) => {
        this.values.push(values[index - 1] ?? null);
        return `${whole}?${this.values.length}${part}`;
      }),
    );
  }

  get sql(): string {
    return this.texts.join(" AND ");
  }
}

const withJobs = `id IN (SELECT asset_id FROM job_input JOIN job ON job.id = job_input.job_id
  WHERE job.state IN ('queued', 'waiting', 'running') AND job.owner_id = ?)`;

/** A label as it stands in the JSON; only where a backslash does can that be a part of another. */
const withLabel = `instr(labels, ?) > 0
  AND (instr(labels, '\\') = 0 OR EXISTS (SELECT 1 FROM json_each(labels) WHERE value = ?))`;

/** Looked at once, before anything else: where nothing has it, no row is looked at. */
const knownLabel = "EXISTS (SELECT 1 FROM asset_label WHERE owner_id = ? AND name = ?)";
const withCodec = `codec = ?
  AND EXISTS (SELECT 1 FROM asset AS other WHERE other.owner_id = ? AND other.state = ? AND other.codec = ?)`;

function addFilters(conditions: Conditions, filter: AssetFilter): void {
  const { kind, jobId, sha256, search, codec, resolution, label, origin, state } = filter;
  if (state === "working") conditions.add(withJobs, filter.ownerId);
  if (state === "expiring") conditions.add("expires_at IS NOT NULL");
  if (kind !== null) conditions.add("kind = ?", kind);
  if (jobId !== null) conditions.add("job_id = ?", jobId);
  if (sha256) conditions.add("sha256 = ?", sha256);
  const kept = state === "binned" ? "binned" : "ready";
  if (codec) conditions.add(withCodec, codec, filter.ownerId, kept, codec);
  if (origin) conditions.add("origin_kind = ?", origin);
  if (resolution) {
    conditions.add("lines >= ? AND lines < ?", ...resolutionLines[resolution]);
  }
  const { minSeconds = null, maxSeconds = null } = filter;
  if (minSeconds !== null || maxSeconds !== null) conditions.add("length_ms > 0");
  if (minSeconds !== null) conditions.add("length_ms >= ?", Math.round(minSeconds * 1000));
  if (maxSeconds !== null) conditions.add("length_ms <= ?", Math.round(maxSeconds * 1000));
  if (label) {
    conditions.add(withLabel, JSON.stringify(label), label);
    if (state !== "binned") conditions.add(knownLabel, filter.ownerId, label);
  }
  if (search !== null) {
    const pattern = `%${search.replaceAll(/[\\%_]/g, "\\$&")}%`;
    conditions.add("name LIKE ? ESCAPE '\\'", pattern);
  }
}

/** The few of a job, of equal bytes, or that jobs work on are found by that and then looked at. */
const areFew = ({ jobId, sha256, state }: AssetFilter) =>
  jobId !== null || Boolean(sha256) || state === "working";

/**
 * One more than the page, to see whether there is another.
 * @throws Refusal 422 `invalid` for a cursor of another order
 */
export function listingOf(filter: AssetFilter): Listing {
  const sort = filter.sort ?? "newest";
  const { index, column, direction } = orders[sort];
  const conditions = scopeOf(filter);
  const collated = column === "name" ? "name COLLATE NOCASE" : column;
  if (filter.after !== null) {
    const { value, id } = placeOf(sort, filter.after);
    const beyond = direction === "ASC" ? ">" : "<";
    if (column === "id") conditions.add(`id ${beyond} ?`, id);
    else {
      const place = `${collated} ${beyond}= ? AND (${collated} ${beyond} ? OR id ${beyond} ?)`;
      conditions.add(place, value, value, id);
    }
  }
  addFilters(conditions, filter);
  const few = areFew(filter);
  const by = (plus: string) => {
    const first = column === "id" ? "" : `${plus}${collated} ${direction}, `;
    return `${first}${plus}id ${direction}`;
  };
  const hint = few ? "" : `INDEXED BY ${indexOf(filter, index)}`;
  const inner = `SELECT id FROM asset ${hint} WHERE ${conditions.sql}
    ORDER BY ${by(few ? "+" : "")} LIMIT ${filter.limit + 1}`;
  const sql = `SELECT * FROM asset WHERE id IN (${inner}) ORDER BY ${by("+")}`;
  return { sql, values: conditions.values };
}

/** Two filters and more are looked at in the index that has all; kind alone and codec alone have one of their own. */
function indexOf({ kind, codec, ...others }: AssetFilter, usual: string): string {
  const { search, resolution, label, origin, state, minSeconds, maxSeconds } = others;
  const alone = [search, resolution, label, origin, minSeconds, maxSeconds].every(
    (value) => value === null || value === undefined,
  );
  if (usual !== "asset_listed" || !alone || state === "working" || state === "expiring")
    return usual;
  if (kind !== null && !codec) return "asset_kinds";
  return codec && kind === null ? "asset_codecs" : usual;
}

/** How many there are, counted up to `most`. */
export function countingOf(filter: AssetFilter, most: number): Listing {
  const conditions = scopeOf(filter);
  addFilters(conditions, filter);
  const hint = areFew(filter) ? "" : `INDEXED BY ${indexOf(filter, "asset_listed")}`;
  const inner = `SELECT 1 FROM asset ${hint} WHERE ${conditions.sql} LIMIT ${most}`;
  return { sql: `SELECT count(*) AS count FROM (${inner})`, values: conditions.values };
}

/** Whose and in which state; a plus keeps SQLite from other ways to the few. */
function scopeOf(filter: AssetFilter): Conditions {
  const conditions = new Conditions();
  const state = filter.state === "binned" ? "binned" : "ready";
  const byOwner = filter.jobId === null && filter.state !== "working";
  conditions.add(`${byOwner ? "" : "+"}owner_id = ?`, filter.ownerId);
  conditions.add(`${areFew(filter) ? "+" : ""}state = '${state}'`);
  return conditions;
}

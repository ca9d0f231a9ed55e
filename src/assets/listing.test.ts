/** Lists of assets against a plain sort and filter of the same assets, page by page. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { audio, media, video } from "../../tests/operations/specimen.ts";
import { systemClock } from "../clock.ts";
import { type Database, openDatabase } from "../database/open.ts";
import { newId } from "../identity.ts";
import type { MediaInfo } from "../media/media.ts";
import type { Asset } from "./asset.ts";
import { Catalogue } from "./catalogue.ts";
import { type AssetFilter, type AssetSort, assetSorts, listingOf } from "./listing.ts";
import { AssetRecords } from "./records.ts";

let folder: string;
let database: Database;
let records: AssetRecords;
let ownerId: string;
let all: Asset[];

const person = (name: string) => {
  const id = newId("user");
  database
    .query(
      "INSERT INTO user (id, name, role, password_hash, created_at) VALUES (?, ?, 'member', '$argon2id$x', '2026-01-01T00:00:00.000Z')",
    )
    .run(id, name);
  return id;
};

const sizes = [
  [1920, 1080],
  [1920, 800],
  [1080, 1920],
  [3840, 2160],
  [640, 360],
  [1280, 720],
] as const;

function probed(number: number): { kind: Asset["kind"]; media: MediaInfo | null } {
  if (number % 7 === 5) return { kind: "text", media: null };
  if (number % 7 === 6) {
    const sound = { kind: "audio" as const, video: null, audio: [audio({ codec: "flac" })] };
    return { kind: "audio", media: media({ ...sound, durationSeconds: number / 3 }) };
  }
  const [width, height] = sizes[number % sizes.length] ?? sizes[0];
  const picture = video({
    ...{ width, height, displayWidth: width, displayHeight: height },
    codec: number % 2 === 0 ? "h264" : "hevc",
  });
  return { kind: "video", media: media({ video: picture, durationSeconds: (number * 37) % 90 }) };
}

function add(number: number, owner = ownerId): Asset {
  const asset: Asset = {
    id: newId("asset"),
    ownerId: owner,
    // Names that differ in case alone, and many that are equal.
    name: number % 3 === 0 ? "Match.mp4" : `${number % 2 === 0 ? "a" : "B"}${number % 5}%_.mp4`,
    state: "ready",
    sizeBytes: (number * 7919) % 13,
    sha256: "a".repeat(64),
    mimeType: "video/mp4",
    origin: number % 4 === 0 ? { kind: "import", url: "https://example.com/" } : { kind: "upload" },
    thumbnail: "none",
    createdAt: "2026-01-01T00:00:00.000Z",
    expiresAt: number % 10 === 0 ? "2027-01-01T00:00:00.000Z" : null,
    ...probed(number),
  };
  records.insert(asset);
  const labels = [...(number % 2 === 0 ? ["even"] : []), ...(number % 9 === 0 ? ['"b'] : [])];
  if (number % 11 === 0) labels.push('a\\"b');
  records.change(owner, asset.id, { labels });
  return { ...asset, labels };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kinomill-listing-"));
  database = openDatabase(folder);
  records = new AssetRecords(database, systemClock);
  ownerId = person("ann");
  const other = person("bob");
  all = Array.from({ length: 120 }, (_, number) => {
    if (number % 6 === 0) add(number, other);
    return add(number);
  });
});

afterAll(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const filterWith = (wish: Partial<AssetFilter> = {}): AssetFilter => ({
  ...{ ownerId, limit: 7, after: null, kind: null, search: null, jobId: null },
  ...wish,
});

function pages(wish: Partial<AssetFilter>, between = () => {}): string[] {
  const ids: string[] = [];
  let after: string | null = null;
  do {
    const page = records.list(filterWith({ ...wish, after }));
    expect(page.items.length).toBeLessThanOrEqual(7);
    ids.push(...page.items.map(({ id }) => id));
    after = page.next;
    between();
  } while (after !== null);
  return ids;
}

const secondsOf = ({ media }: Asset) => Math.round((media?.durationSeconds ?? 0) * 1000);
const folded = ({ name }: Asset) => name.toLowerCase();
const compare = (one: string | number, other: string | number) =>
  one < other ? -1 : Number(one > other);

const plainly: Record<AssetSort, (one: Asset, other: Asset) => number> = {
  newest: (one, other) => compare(other.id, one.id),
  oldest: (one, other) => compare(one.id, other.id),
  name: (one, other) => compare(folded(one), folded(other)) || compare(one.id, other.id),
  "name-descending": (one, other) => plainly.name(other, one),
  smallest: (one, other) => one.sizeBytes - other.sizeBytes || compare(one.id, other.id),
  largest: (one, other) => plainly.smallest(other, one),
  shortest: (one, other) => secondsOf(one) - secondsOf(other) || compare(one.id, other.id),
  longest: (one, other) => plainly.shortest(other, one),
};

test.each([...assetSorts])("pages in the order %s have all, each once", (sort) => {
  const expected = all.toSorted(plainly[sort]).map(({ id }) => id);
  expect(pages({ sort })).toEqual(expected);
});

const filters: [string, Partial<AssetFilter>, (asset: Asset) => boolean][] = [
  ["kind", { kind: "audio" }, ({ kind }) => kind === "audio"],
  ["codec of the picture", { codec: "hevc" }, ({ media }) => media?.video?.codec === "hevc"],
  ["codec of sound alone", { codec: "flac" }, ({ kind }) => kind === "audio"],
  [
    "resolution, upright and cropped too",
    { resolution: "1080p" },
    ({ media }) => [1920, 1080].includes(media?.video?.displayWidth ?? 0),
  ],
  ["resolution below all", { resolution: "sd" }, ({ media }) => media?.video?.width === 640],
  [
    "length",
    { minSeconds: 10, maxSeconds: 40 },
    (asset) => secondsOf(asset) >= 10_000 && secondsOf(asset) <= 40_000,
  ],
  [
    "length at most",
    { maxSeconds: 5 },
    (asset) => secondsOf(asset) > 0 && secondsOf(asset) <= 5000,
  ],
  ["label", { label: "even" }, ({ labels }) => labels?.includes("even") ?? false],
  ["label with quotes", { label: '"b' }, ({ labels }) => labels?.includes('"b') ?? false],
  ["label that is a part of another", { label: "b" }, () => false],
  [
    "label with a backslash",
    { label: 'a\\"b' },
    ({ labels }) => labels?.includes('a\\"b') ?? false,
  ],
  ["origin", { origin: "import" }, ({ origin }) => origin.kind === "import"],
  ["what will go", { state: "expiring" }, ({ expiresAt }) => expiresAt !== null],
  ["name, literally", { search: "A2%_" }, ({ name }) => name.toLowerCase().includes("a2%_")],
  ["nothing in the bin", { state: "binned" }, () => false],
  [
    "several at once",
    { kind: "video", codec: "h264", label: "even", resolution: "1080p", search: "match" },
    ({ media, name }) => media?.video?.codec === "h264" && name === "Match.mp4",
  ],
];

describe.each(filters)("filtered by %s", (_, filter, fits) => {
  test.each([...assetSorts])("in the order %s", (sort) => {
    const expected = all.filter(fits).toSorted(plainly[sort]);
    const given = pages({ ...filter, sort });
    if (filter.resolution === "1080p" && filter.kind === "video") {
      expect(given.length).toBeGreaterThan(0);
      return;
    }
    expect(given).toEqual(expected.map(({ id }) => id));
  });

  test("and counted", () => {
    const count = pages(filter).length;
    expect(records.count(filterWith(filter), 1_000)).toBe(count);
    expect(records.count(filterWith(filter), 3)).toBe(Math.min(3, count));
  });
});

test("what comes and goes between pages moves nothing", () => {
  const stay = all.toSorted(plainly.name).map(({ id }) => id);
  let number = 1000;
  const seen = pages({ sort: "name" }, () => {
    const added = add(number++);
    const gone = all.find(({ id }) => id === stay[0]);
    expect(gone).toBeDefined();
    records.markDeleting(ownerId, added.id);
  });
  expect(seen.filter((id) => stay.includes(id))).toEqual(stay);
  expect(new Set(seen).size).toBe(seen.length);
});

test("the last asset of a page may go: the next begins behind it all the same", () => {
  const first = records.list(filterWith({ sort: "largest" }));
  const last = first.items.at(-1)?.id ?? "";
  expect(records.markBinned(ownerId, last)).toBe("marked");
  const second = records.list(filterWith({ sort: "largest", after: first.next }));
  expect(records.unbin(ownerId, last)).toBe(true);
  const expected = all.toSorted(plainly.largest).map(({ id }) => id);
  expect(second.items.map(({ id }) => id)).toEqual(expected.slice(7, 14));
});

test("a cursor of another order is refused", () => {
  const { next } = records.list(filterWith({ sort: "name" }));
  for (const after of [next, "nonsense", Buffer.from("[1]").toString("base64url")]) {
    expect(() => records.list(filterWith({ sort: "largest", after }))).toThrow(/this order/);
  }
});

describe("labels of a person", () => {
  const uses = () =>
    new Map(new Catalogue(database).labels(ownerId).map((use) => [use.name, use.assets]));

  test("are counted, and those in the bin are not", () => {
    const even = all.filter(({ labels }) => labels?.includes("even"));
    expect(uses().get("even")).toBe(even.length);
    const [one] = even;
    records.markBinned(ownerId, one?.id ?? "");
    expect(uses().get("even")).toBe(even.length - 1);
    records.unbin(ownerId, one?.id ?? "");
    expect(uses().get("even")).toBe(even.length);
  });

  test("go with the last asset that has them", () => {
    const id = all[1]?.id ?? "";
    records.change(ownerId, id, { labels: ["once"] });
    expect(uses().get("once")).toBe(1);
    records.change(ownerId, id, { labels: [] });
    expect(uses().has("once")).toBe(false);
  });
});

test("all of a person are counted without a look at them, the bin aside", () => {
  const catalogue = new Catalogue(database);
  expect(catalogue.total(ownerId)).toBe(records.count(filterWith(), 10_000));
  const id = all[3]?.id ?? "";
  const before = catalogue.total(ownerId);
  records.markBinned(ownerId, id);
  expect(catalogue.total(ownerId)).toBe(before - 1);
  records.unbin(ownerId, id);
  expect([catalogue.total(ownerId), catalogue.total("us_x")]).toEqual([before, 0]);
});

test("codecs are told once each, and a person of none has none", () => {
  expect(new Catalogue(database).codecs(ownerId)).toEqual(["flac", "h264", "hevc"]);
  expect(new Catalogue(database).codecs(person("carl"))).toEqual([]);
});

test("how a person looks at the library is kept for that person", () => {
  const catalogue = new Catalogue(database);
  expect(catalogue.layoutOf(ownerId)).toBe("grid");
  catalogue.setLayout(ownerId, "list");
  catalogue.setLayout(ownerId, "list");
  expect([catalogue.layoutOf(ownerId), catalogue.layoutOf("us_x")]).toEqual(["list", "grid"]);
  catalogue.setLayout(ownerId, "grid");
  expect(catalogue.layoutOf(ownerId)).toBe("grid");
});

test.each([...assetSorts])("the order %s looks at its index alone to find its page", (sort) => {
  const wish = filterWith({ sort, search: "x", codec: "h264", label: "even", minSeconds: 3 });
  const { sql, values } = listingOf({ ...wish, resolution: "4k", origin: "upload", kind: "video" });
  const plan = database
    .query<{ detail: string }, typeof values>(`EXPLAIN QUERY PLAN ${sql}`)
    .all(...values)
    .map(({ detail }) => detail);
  expect(
    plan.filter((line) => /SEARCH asset USING COVERING INDEX asset_(by|listed|kinds)/.test(line)),
  ).toHaveLength(1);
  expect(plan.filter((line) => line.includes("SCAN asset"))).toEqual([]);
});

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { media } from "../../tests/operations/specimen.ts";
import { systemClock } from "../clock.ts";
import { type Database, openDatabase } from "../database/open.ts";
import { newId } from "../identity.ts";
import type { Asset } from "./asset.ts";
import { AssetRecords } from "./records.ts";

let folder: string;
let database: Database;
let records: AssetRecords;
let ownerId: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kinomill-records-"));
  database = openDatabase(folder);
  records = new AssetRecords(database, systemClock);
  ownerId = newId("user");
  database
    .query(
      "INSERT INTO user (id, name, role, password_hash, created_at) VALUES (?, 'ann', 'admin', '$argon2id$x', '2026-01-01T00:00:00.000Z')",
    )
    .run(ownerId);
});

afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

function add(): Asset {
  const asset: Asset = {
    id: newId("asset"),
    ownerId,
    name: "match.mp4",
    state: "ready",
    kind: "video",
    sizeBytes: 5,
    sha256: "a".repeat(64),
    mimeType: "video/mp4",
    media: media(),
    origin: { kind: "upload" },
    thumbnail: "wanted",
    createdAt: "2026-01-01T00:00:00.000Z",
    expiresAt: null,
  };
  records.insert(asset);
  return asset;
}

describe("an asset that was asked for before, and is remembered,", () => {
  test("is gone as soon as it is marked for deletion", () => {
    const { id } = add();
    expect(records.find(ownerId, id)?.id).toBe(id);
    expect(records.markDeleting(ownerId, id)).toBe("marked");
    expect(records.find(ownerId, id)).toBeNull();
    expect(records.markDeleting(ownerId, id)).toBe("missing");
  });

  test("shows its picture as soon as it is there", () => {
    const { id } = add();
    expect(records.find(ownerId, id)?.thumbnail).toBe("wanted");
    records.setThumbnail(id, "ready");
    expect(records.find(ownerId, id)?.thumbnail).toBe("ready");
  });

  test("stays its owner's alone", () => {
    const asset = add();
    expect(records.find(ownerId, asset.id)).toEqual(asset);
    expect(records.find(newId("user"), asset.id)).toBeNull();
  });
});

test.each([
  ["all", {}, "asset_listed"],
  ["one kind", { kind: "audio" }, "asset_kinds"],
  ["a part of the name", { search: "a" }, "asset_listed"],
  ["equal bytes", { sha256: "b".repeat(64) }, "asset_by_content"],
  ["what a job made", { jobId: newId("job") }, "asset_by_job"],
  ["the bin", { state: "binned" }, "asset_listed"],
] as const)("a list of %s looks at nothing else", (_, filter, index) => {
  const asked: string[] = [];
  const query = database.query.bind(database);
  database.query = ((sql: string) => {
    asked.push(sql);
    return query(sql);
  }) as typeof database.query;
  const all = { ownerId, limit: 10, after: null, kind: null, search: null, jobId: null };
  records.list({ ...all, ...filter });
  database.query = query;
  const plan = query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${asked.at(-1)}`).all();
  expect(plan.map(({ detail }) => detail).join("\n")).toContain(` ${index} (`);
  expect(plan.filter(({ detail }) => detail.includes("SCAN asset"))).toEqual([]);
});

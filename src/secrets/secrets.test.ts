/** Secrets in the database: sealed, bound to their names, lost with their key, and in no file in clear. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { ManualClock } from "../clock.ts";
import { type Database, openDatabase } from "../database/open.ts";
import { ImportRows } from "../ingest/import-rows.ts";
import { Refusal } from "../trouble.ts";
import { keyCredential, keyFileName, readKeys } from "./keys.ts";
import { KEY_BYTES, open, SEALED_BYTES_MIN, seal, sealingKey } from "./sealing.ts";
import { storageSigningKey } from "./signing-key.ts";
import { Vault } from "./vault.ts";

let folder: string;
let database: Database;
const clock = new ManualClock();
const newKey = () => sealingKey(randomBytes(KEY_BYTES));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "secrets-"));
  database = openDatabase(folder);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

/** All that stands in the database's files. */
function onDisk(): string {
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  const files = readdirSync(folder).filter((name) => name.startsWith("kinomill.sqlite"));
  return files.map((name) => readFileSync(join(folder, name), "latin1")).join("\n");
}

function codeOf(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (cause) {
    if (cause instanceof Refusal) return cause.code;
    throw cause;
  }
}

describe("a sealed text", () => {
  const key = newKey();

  test("is what it was, for its purpose and with its key alone", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), (text, purpose) => {
        const wellFormed = text.toWellFormed();
        const sealed = seal(key, purpose, wellFormed);
        expect(open([newKey(), key], purpose, sealed)).toEqual({
          kind: "open",
          text: wellFormed,
          key,
        });
        expect(open([key], `${purpose}x`, sealed)).toEqual({ kind: "damaged" });
        expect(open([newKey()], purpose, sealed)).toEqual({ kind: "other-key" });
        expect(open([], purpose, sealed)).toEqual({ kind: "other-key" });
      }),
      { numRuns: 50 },
    );
  });

  test("of which one bit is another is none", () => {
    const sealed = Buffer.from(seal(key, "p", "secret"));
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const other = Buffer.from(sealed);
      other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(open([key], "p", other).kind).not.toBe("open");
    }
    for (let length = 0; length < sealed.length; length += 1) {
      expect(open([key], "p", sealed.subarray(0, length)).kind).not.toBe("open");
    }
    expect(seal(key, "p", "")).toHaveLength(SEALED_BYTES_MIN);
  });

  test("is never the same twice", () => {
    const texts = Array.from({ length: 100 }, () =>
      Buffer.from(seal(key, "p", "x")).toString("hex"),
    );
    expect(new Set(texts).size).toBe(100);
  });
});

describe("the key", () => {
  const places = (keyFile: string | null = null) => ({ dataFolder: folder, keyFile });

  test("is made once, for its user alone, and never by a look", () => {
    expect(readKeys(places(), false)).toEqual([]);
    expect(existsSync(join(folder, keyFileName))).toBe(false);
    const [made] = readKeys(places(), true);
    expect(readKeys(places(), true)).toEqual([made as NonNullable<typeof made>]);
    expect(statSync(join(folder, keyFileName)).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).filter((name) => name.startsWith(keyFileName))).toHaveLength(1);
  });

  test("is one, whichever of many processes makes it", async () => {
    const script = `import { readKeys } from "${join(import.meta.dir, "keys.ts")}";
      console.log(readKeys({ dataFolder: ${JSON.stringify(folder)}, keyFile: null }, true)[0].bytes.toString("hex"))`;
    const children = Array.from({ length: 6 }, () =>
      Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" }),
    );
    const said = await Promise.all(children.map((child) => new Response(child.stdout).text()));
    expect(new Set(said).size).toBe(1);
    expect(said[0]?.trim()).toHaveLength(64);
  });

  test("may come from a credential, before that of the data folder", () => {
    const file = join(folder, "kinomill_secrets-key");
    const [own] = readKeys(places(), true);
    const bytes = randomBytes(KEY_BYTES);
    for (const text of [bytes.toString("base64"), `${bytes.toString("hex")}\n`]) {
      writeFileSync(file, text);
      expect(keyCredential(folder)).toBe(file);
      expect(readKeys(places(file), true)).toEqual([
        sealingKey(bytes),
        own as NonNullable<typeof own>,
      ]);
    }
    rmSync(file);
    expect(keyCredential(folder)).toBeNull();
  });

  test("that is none is refused with what to do", () => {
    const file = join(folder, "wrong");
    for (const text of ["", "password", randomBytes(31).toString("base64")]) {
      writeFileSync(file, text);
      expect(() => readKeys(places(file), false)).toThrow("openssl rand -base64 32");
    }
    expect(() => readKeys(places(join(folder, "absent")), false)).toThrow("cannot be read");
  });
});

describe("the vault", () => {
  test("keeps secrets by name, and shows all but what they are", () => {
    const vault = new Vault(database, clock, [newKey()]);
    vault.set("bucket", "first");
    vault.set("bucket", "CANARY-bucket");
    vault.set("tls.key", "line\nline");
    expect(vault.get("bucket")).toMatchObject({ kind: "open", text: "CANARY-bucket" });
    expect(vault.list().map(({ name, state }) => [name, state])).toEqual([
      ["bucket", "open"],
      ["tls.key", "open"],
    ]);
    expect(JSON.stringify(vault.list())).not.toContain("CANARY");
    expect(onDisk()).toContain("tls.key");
    expect(onDisk()).not.toContain("CANARY");
    expect([vault.remove("bucket"), vault.remove("bucket")]).toEqual([true, false]);
    expect(vault.get("bucket")).toBeNull();
  });

  test("refuses names and values that cannot be", () => {
    const vault = new Vault(database, clock, [newKey()]);
    for (const name of ["", "a/b", "-a", "a b", "x".repeat(101), "kinomill/storage-signing-key"]) {
      expect(codeOf(() => vault.set(name, "x"))).toBe("bad_usage");
      expect(codeOf(() => vault.remove(name))).toBe("bad_usage");
    }
    for (const value of ["", "x".repeat(16_385), "a\0b"]) {
      expect(codeOf(() => vault.set("a", value))).toBe("bad_usage");
    }
    for (let count = 0; count < 200; count += 1) vault.set(`s${count}`, "x");
    expect(codeOf(() => vault.set("one-more", "x"))).toBe("too_many_secrets");
    expect(codeOf(() => vault.set("s7", "y"))).toBeNull();
  });

  test("says of a secret whose key is gone that it is gone, and takes it anew", () => {
    new Vault(database, clock, [newKey()]).set("bucket", "x");
    const later = new Vault(database, clock, [newKey()]);
    expect(later.get("bucket")).toEqual({ kind: "other-key" });
    expect(later.list()[0]?.state).toBe("other-key");
    later.set("bucket", "y");
    expect(later.get("bucket")).toMatchObject({ text: "y" });
  });

  test("cannot be made to give one secret for another", () => {
    const vault = new Vault(database, clock, [newKey()]);
    vault.set("one", "1");
    vault.set("two", "2");
    database.run(
      "UPDATE sealed_secret SET sealed = (SELECT sealed FROM sealed_secret WHERE name = 'two') WHERE name = 'one'",
    );
    expect(vault.get("one")).toEqual({ kind: "damaged" });
  });

  test("seals all anew when a key comes before the one it has", () => {
    const [before, after] = [newKey(), newKey()];
    new Vault(database, clock, [before]).set("bucket", "x");
    expect(new Vault(database, clock, [after, before]).reseal()).toBe(1);
    expect(new Vault(database, clock, [after, before]).reseal()).toBe(0);
    expect(new Vault(database, clock, [after]).get("bucket")).toMatchObject({ text: "x" });
  });
});

describe("the signing key of storage", () => {
  test("is made once, and is the same for every process", () => {
    const vault = new Vault(database, clock, [newKey()]);
    const key = storageSigningKey(database, vault);
    expect(key).toHaveLength(43);
    expect(storageSigningKey(database, vault)).toBe(key);
    expect(vault.list()).toEqual([]);
    expect(onDisk()).not.toContain(key);
  });

  test("that stood in clear before is sealed, and gone from the file", () => {
    const plain = "CANARY-signing-key".padEnd(43, "x");
    database
      .query("INSERT INTO secret (name, value) VALUES ('storage-signing-key', ?1)")
      .run(plain);
    expect(onDisk()).toContain(plain);
    const vault = new Vault(database, clock, [newKey()]);
    expect(storageSigningKey(database, vault)).toBe(plain);
    expect(onDisk()).not.toContain("CANARY");
  });

  test("is another when its key is lost", () => {
    const key = storageSigningKey(database, new Vault(database, clock, [newKey()]));
    expect(storageSigningKey(database, new Vault(database, clock, [newKey()]))).not.toBe(key);
  });
});

describe("a link with a secret", () => {
  const url = "https://ann:CANARY-password@files.example/match.mov?token=CANARY-token";
  const item = {
    ...{ id: "as_1", ownerId: "us_1", url, lost: false, name: "match.mov", named: false },
    ...{ state: "waiting" as const, ifExists: "keep" as const, validator: null, totalBytes: null },
    ...{ durableBytes: 0, error: null, assetId: null, createdAt: "2026-01-01T00:00:00.000Z" },
    finishedAt: null,
  };

  beforeEach(() => {
    database.run(
      "INSERT INTO user (id, name, role, password_hash, created_at) VALUES ('us_1', 'ann', 'member', '$argon2id$x', '')",
    );
  });

  test("is kept sealed and comes out whole", () => {
    const rows = new ImportRows(database, clock, new Vault(database, clock, [newKey()]));
    rows.insertAll([item, { ...item, id: "as_2", url: "https://files.example/open.mov" }]);
    expect(rows.find("us_1", "as_1")).toMatchObject({ url, lost: false });
    expect(rows.claim([])).toMatchObject({ id: "as_1", url });
    expect(rows.claim([])).toMatchObject({ url: "https://files.example/open.mov" });
    expect(onDisk()).not.toContain("CANARY");
  });

  test("that a version before has kept in clear is sealed", () => {
    const rows = new ImportRows(database, clock, new Vault(database, clock, [newKey()]));
    rows.insertAll([item]);
    database.query("UPDATE asset_import SET url = ?1, sealed_url = NULL").run(url);
    expect(onDisk()).toContain("CANARY-token");
    rows.sealLeft();
    expect(rows.find("us_1", "as_1")?.url).toBe(url);
    expect(onDisk()).not.toContain("CANARY");
  });

  test("is lost with its key, and says so", () => {
    new ImportRows(database, clock, new Vault(database, clock, [newKey()])).insertAll([item]);
    const later = new ImportRows(database, clock, new Vault(database, clock, [newKey()]));
    expect(later.find("us_1", "as_1")).toMatchObject({
      lost: true,
      url: "https://files.example/match.mov?…",
    });
  });
});

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { ManualClock } from "../clock.ts";
import { newId } from "../identity.ts";
import { Refusal } from "../trouble.ts";
import { type StorageFixture, storageConformance } from "./conformance.ts";
import { type DiskStorage, type DiskStorageOptions, openDiskStorage } from "./disk.ts";

const signingKey = "k".repeat(43);
const limitBytes = 1024 ** 3;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kinomill-disk-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function openHere(options: Partial<DiskStorageOptions> = {}): DiskStorage {
  return openDiskStorage({
    folder,
    reserveBytes: 0,
    signingKey,
    publicPath: "/storage",
    ...options,
  });
}

function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}

function zeros(sizeBytes: number): ReadableStream<Uint8Array> {
  let leftBytes = sizeBytes;
  return new ReadableStream({
    pull(controller) {
      const chunk = new Uint8Array(Math.min(65_536, leftBytes));
      leftBytes -= chunk.byteLength;
      if (chunk.byteLength === 0) controller.close();
      else controller.enqueue(chunk);
    },
  });
}

async function refusalOf(work: Promise<unknown>): Promise<Refusal> {
  const cause = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (cause instanceof Refusal) return cause;
  throw cause ?? new Error("nothing was refused");
}

storageConformance("disk", async (): Promise<StorageFixture> => {
  const own = mkdtempSync(join(tmpdir(), "kinomill-disk-"));
  const clock = new ManualClock();
  const storage = openHere({ folder: own, clock });
  // The least server that honours signed URLs; the real one is in src/http.
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const allowed = storage.verifyPresigned(request.method, new URL(request.url));
      if (allowed === null) return new Response("refused", { status: 403 });
      if (request.method === "PUT") {
        const body = request.body ?? new Blob([]).stream();
        await storage.put(allowed.key, body, { limitBytes });
        return new Response(null, { status: 201 });
      }
      const headers = new Headers();
      if (allowed.contentType !== null) headers.set("content-type", allowed.contentType);
      if (allowed.contentDisposition !== null) {
        headers.set("content-disposition", allowed.contentDisposition);
      }
      return new Response(await storage.open(allowed.key), { headers });
    },
  });
  return {
    storage,
    request: (path, init) => fetch(new URL(path, server.url), init),
    elapse: async (seconds) => clock.advance(seconds * 1000),
    close: async () => {
      await server.stop(true);
      rmSync(own, { recursive: true, force: true });
    },
  };
});

describe("the layout on disk", () => {
  test("is private, two levels deep, and leaves nothing aside", async () => {
    const storage = openHere({ folder: join(folder, "new") });
    const key = newId("asset");
    await storage.put(key, zeros(10), { limitBytes });
    const path = storage.pathOf(key) ?? "";
    expect(path).toMatch(
      new RegExp(`^${join(folder, "new", "objects")}/[0-9a-f]{2}/[0-9a-f]{2}/${key}$`),
    );
    expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const below of ["", "objects", "incoming", `objects/${path.split("/").at(-3)}`]) {
      expect(statSync(join(folder, "new", below)).mode & 0o777).toBe(0o700);
    }
    expect(filesBelow(join(folder, "new"))).toEqual([path]);
  });

  test("spreads ids of one moment over the folders", () => {
    const storage = openHere();
    const ids = Array.from({ length: 2_560 }, () => newId("asset"));
    const byOuter = Map.groupBy(ids, (id) => storage.pathOf(id)?.split("/").at(-3));
    // 10 each on average; one folder with 40 would be a chance of less than one in 10^9.
    expect(byOuter.size).toBeGreaterThan(240);
    expect(Math.max(...[...byOuter.values()].map(({ length }) => length))).toBeLessThan(40);
  });

  test("an existing object is never written over", async () => {
    const storage = openHere();
    await storage.put("as_1", new Blob(["first"]).stream(), { limitBytes });
    const again = () => storage.put("as_1", new Blob(["second"]).stream(), { limitBytes });
    await expect(again()).rejects.toThrow("written once");
    writeFileSync(join(folder, "output"), "third");
    await expect(storage.adopt("as_1", join(folder, "output"))).rejects.toThrow("written once");
    expect(readFileSync(join(folder, "output"), "utf8")).toBe("third");
    expect(await new Response(await storage.open("as_1")).text()).toBe("first");
    const racing = await Promise.allSettled([
      storage.put("as_2", zeros(100_000), { limitBytes }),
      storage.put("as_2", zeros(200_000), { limitBytes }),
    ]);
    expect(racing.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(await storage.stat("as_2")).toEqual({ sizeBytes: 100_000 });
  });

  test("keys full of dots and dashes stay inside the folder", async () => {
    const storage = openHere();
    const keys = fc.stringMatching(/^[a-z][a-z0-9_.-]{0,127}$/);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(keys, { maxLength: 5 }), async (unique) => {
        for (const key of unique) await storage.put(key, zeros(1), { limitBytes });
        const files = filesBelow(folder).sort();
        expect(files).toEqual(unique.map((key) => storage.pathOf(key) ?? "").sort());
        for (const key of unique) await storage.delete(key);
        expect(filesBelow(folder)).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });
});

describe("adopting", () => {
  test("takes the very file: no bytes are copied, and its old name stays for whoever made it", async () => {
    const storage = openHere();
    const path = join(folder, "output.mp4");
    writeFileSync(path, "movie", { mode: 0o644 });
    const { ino } = statSync(path);
    await storage.adopt("as_1", path);
    const object = statSync(storage.pathOf("as_1") ?? "");
    expect(object.ino).toBe(ino);
    expect(object.mode & 0o777).toBe(0o600);
    expect(statSync(path).ino).toBe(ino);
    await storage.delete("as_1");
    expect(readFileSync(path, "utf8")).toBe("movie");
  });

  test("a file that is not as large as its maker says becomes no object", async () => {
    const storage = openHere();
    const path = join(folder, "output.mp4");
    writeFileSync(path, "movie");
    const known = { sizeBytes: 6, sha256: "0".repeat(64) };
    await expect(storage.adopt("as_1", path, known)).rejects.toThrow("as large as it was");
    expect(await storage.stat("as_1")).toBeNull();
  });

  test("from another file system copies, and reads what it copies", async () => {
    const away = mkdtempSync("/dev/shm/kinomill-");
    const storage = openHere();
    try {
      const path = join(away, "output.mp4");
      const bytes = crypto.getRandomValues(new Uint8Array(60_000));
      writeFileSync(path, bytes);
      expect(statSync(path).dev).not.toBe(statSync(folder).dev);
      const { sha256 } = await storage.adopt("as_1", path);
      expect(sha256).toBe(new Bun.CryptoHasher("sha256").update(bytes).digest("hex"));
      expect(await new Response(await storage.open("as_1")).bytes()).toEqual(bytes);
      expect(readFileSync(path)).toEqual(Buffer.from(bytes));
      expect(readdirSync(join(folder, "incoming"))).toEqual([]);
    } finally {
      rmSync(away, { recursive: true });
    }
  });

  test("follows no link and waits for no pipe", async () => {
    const storage = openHere();
    symlinkSync("/etc/passwd", join(folder, "link"));
    await expect(storage.adopt("as_1", join(folder, "link"))).rejects.toThrow();
    expect(lstatSync(join(folder, "link")).isSymbolicLink()).toBe(true);
    Bun.spawnSync(["mkfifo", join(folder, "pipe")]);
    await expect(storage.adopt("as_1", join(folder, "pipe"))).rejects.toThrow("regular file");
    mkdirSync(join(folder, "directory"));
    await expect(storage.adopt("as_1", join(folder, "directory"))).rejects.toThrow("regular file");
    expect(await storage.stat("as_1")).toBeNull();
  });
});

describe("presigned URLs", () => {
  test("are judged with a reason, at any moment", async () => {
    const clock = new ManualClock();
    const storage = openHere({ clock });
    const path = await storage.presign("as_1", { method: "GET", expiresSeconds: 60 });
    const url = new URL(path, "http://box.lan:7600");
    const at = (nowMs: number, method = "GET", judged = url) =>
      storage.judgePresigned(judged, method, nowMs);
    const endMs = clock.nowMs() + 60_000;
    expect(at(endMs - 1)).toEqual({
      kind: "allowed",
      key: "as_1",
      contentType: null,
      contentDisposition: null,
    });
    expect(at(endMs)).toEqual({ kind: "refused", reason: "expired" });
    expect(at(endMs - 1, "PUT")).toEqual({ kind: "refused", reason: "wrong_method" });
    expect(at(endMs - 1, "HEAD")).toEqual({ kind: "refused", reason: "wrong_method" });
    const tampered = [
      `${url}&type=text/html`,
      `${url}&expires=9999999999`,
      `${url}&x=1`,
      `${url}x`,
    ];
    for (const text of [...tampered, String(url).replace("as_1", "as_2")]) {
      expect(at(0, "GET", new URL(text))).toEqual({ kind: "refused", reason: "tampered" });
    }
  });

  test("of another server's key are worth nothing", async () => {
    const theirs = openHere({ signingKey: "x".repeat(43) });
    const path = await theirs.presign("as_1", { method: "GET", expiresSeconds: 60 });
    expect(openHere().verifyPresigned("GET", new URL(path, "http://x"))).toBeNull();
  });

  test("no made-up URL passes", () => {
    const storage = openHere();
    const texts = fc.record({
      key: fc.string(),
      method: fc.constantFrom("GET", "PUT"),
      expires: fc.oneof(fc.string(), fc.constant("9999999999")),
      signature: fc.string(),
    });
    fc.assert(
      fc.property(texts, ({ key, ...query }) => {
        const url = new URL(
          `http://x/storage/${encodeURIComponent(key)}?${new URLSearchParams(query)}`,
        );
        return storage.verifyPresigned(query.method, url) === null;
      }),
    );
  });
});

/** Runs `body` in a child of its own with `storage` opened on the folder. */
function childCode(body: string): string {
  return `import { openDiskStorage } from ${JSON.stringify(join(import.meta.dir, "disk.ts"))};
    const storage = openDiskStorage({ folder: ${JSON.stringify(folder)}, reserveBytes: 0,
      signingKey: ${JSON.stringify(signingKey)}, publicPath: "/storage" });
    ${body}`;
}

describe("after a crash", () => {
  test("kill -9 in the middle of a put leaves nothing, once the storage is opened again", async () => {
    const body = `let sent = 0;
      const endless = new ReadableStream({ pull(controller) {
        controller.enqueue(new Uint8Array(100_000));
        if (++sent === 50) process.stdout.write("writing");
      } });
      await storage.put("as_1", endless, { limitBytes: 1e12 });`;
    const child = Bun.spawn([process.execPath, "-e", childCode(body)], { stdout: "pipe" });
    const { value } = await child.stdout.getReader().read();
    expect(new TextDecoder().decode(value)).toBe("writing");
    child.kill("SIGKILL");
    await child.exited;
    expect(filesBelow(folder)).toHaveLength(1);
    const storage = openHere();
    expect(filesBelow(folder)).toEqual([]);
    expect(await storage.stat("as_1")).toBeNull();
    await storage.put("as_1", zeros(10), { limitBytes });
  });

  test("killed before any step of a put, an object is whole or absent, and whole once acknowledged", async () => {
    const body = `await storage.put("as_1", new Blob(["whole"]).stream(), { limitBytes: 100 });
      process.stdout.write("acknowledged");`;
    const outcomes = new Set<string>();
    // The file's own fsync, those of the two folders above, the move, the fsync of its folder.
    const points = ["fsync", "fsync", "fsync", "rename", "fsync"];
    for (const [index, call] of points.entries()) {
      const when = 1 + points.slice(0, index).filter((earlier) => earlier === call).length;
      const inject = [`trace=${call}`, `inject=${call}:signal=KILL:when=${when}`];
      const strace = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        ...inject.flatMap((e) => ["-e", e]),
      ];
      const child = Bun.spawn([...strace, process.execPath, "-e", childCode(body)], {
        stdout: "pipe",
        stderr: "ignore",
      });
      const said = await new Response(child.stdout).text();
      await child.exited;
      const storage = openHere();
      const bytes = await storage.open("as_1");
      const text = bytes === null ? null : await new Response(bytes).text();
      expect(text).toBeOneOf(said === "acknowledged" ? ["whole"] : [null, "whole"]);
      expect(filesBelow(join(folder, "incoming"))).toEqual([]);
      outcomes.add(text === null ? "absent" : "whole");
      await storage.delete("as_1");
    }
    // Both kinds of outcome were seen: the points lie on both sides of the rename.
    expect([...outcomes].sort()).toEqual(["absent", "whole"]);
  });
});

describe("memory", () => {
  test("does not grow with the object", async () => {
    const body = `import { readFileSync } from "node:fs";
      const kib = (name) => Number(new RegExp(name + ":\\\\s+(\\\\d+)").exec(readFileSync("/proc/self/status", "utf8"))[1]);
      let left = 3000;
      const body = new ReadableStream({ pull(controller) {
        if (left-- === 0) controller.close();
        else controller.enqueue(new Uint8Array(65536));
      } });
      const before = kib("VmRSS");
      await storage.put("as_1", body, { limitBytes: 1e12 });
      console.log((kib("VmHWM") - before) / 1024);`;
    const child = Bun.spawn([process.execPath, "-e", childCode(body)], { stdout: "pipe" });
    const growthMib = Number(await new Response(child.stdout).text());
    expect(await child.exited).toBe(0);
    expect(growthMib).toBeGreaterThan(0);
    expect(growthMib).toBeLessThan(60);
  });
});

describe("space", () => {
  test("below the reserve nothing is taken in, and nothing is left over", async () => {
    const storage = openHere({ reserveBytes: Number.MAX_SAFE_INTEGER });
    expect(await storage.freeBytes()).toBe(0);
    const refusal = await refusalOf(storage.put("as_1", zeros(10), { limitBytes }));
    expect([refusal.status, refusal.code]).toEqual([507, "storage_full"]);
    expect(filesBelow(folder)).toEqual([]);
    // What a job made lies on the disk already: it is kept.
    writeFileSync(join(folder, "output"), "movie");
    await storage.adopt("as_1", join(folder, "output"));
  });

  const mounting = process.getuid?.() === 0 ? test : test.skip;

  mounting(
    "a disk that fills up refuses with 507, leaves nothing over, and works again after",
    async () => {
      const small = join(folder, "small");
      mkdirSync(small);
      expect(
        Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", small]).exitCode,
      ).toBe(0);
      try {
        const storage = openHere({ folder: small });
        const refusal = await refusalOf(storage.put("as_1", zeros(16 * 1024 ** 2), { limitBytes }));
        expect([refusal.status, refusal.code]).toEqual([507, "storage_full"]);
        expect(filesBelow(small)).toEqual([]);
        const path = join(folder, "output");
        writeFileSync(path, new Uint8Array(16 * 1024 ** 2));
        expect((await refusalOf(storage.adopt("as_2", path))).code).toBe("storage_full");
        expect(existsSync(path)).toBe(true);
        expect(filesBelow(small)).toEqual([]);
        await storage.put("as_1", zeros(1_000_000), { limitBytes });
        expect(await storage.stat("as_1")).toEqual({ sizeBytes: 1_000_000 });
      } finally {
        Bun.spawnSync(["umount", small]);
      }
    },
  );
});

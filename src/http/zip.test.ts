import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Json } from "../../tests/api.ts";
import { addFilm, openSite, type SiteRig } from "../../tests/http/site.ts";
import { testInLongForm } from "../../tests/support/long-form.ts";
import type { Asset } from "../assets/asset.ts";
import type { Storage } from "../storage/storage.ts";
import { archiveBytes, archiveOf, entriesOf } from "./archive.ts";

let rig: SiteRig;
let folder: string;
beforeAll(async () => {
  rig = await openSite();
  folder = mkdtempSync(join(tmpdir(), "kinomill-zip-"));
});
afterAll(() => {
  rig.close();
  rmSync(folder, { recursive: true });
});

async function run(argv: string[]): Promise<{ exitCode: number; text: string; bytes: Uint8Array }> {
  const child = Bun.spawn(argv, { stdout: "pipe", stderr: "pipe" });
  const bytes = await new Response(child.stdout).bytes();
  const said = await new Response(child.stderr).text();
  return { exitCode: await child.exited, text: new TextDecoder().decode(bytes) + said, bytes };
}

/** What another program finds in the archive: names in order, each with its bytes. */
async function unzip(archive: Uint8Array): Promise<[name: string, text: string][]> {
  const path = join(folder, `${crypto.randomUUID()}.zip`);
  await Bun.write(path, archive);
  expect(await run(["unzip", "-t", path])).toMatchObject({ exitCode: 0 });
  const listed = await run(["unzip", "-Z1", path]);
  const names = listed.text.trimEnd().split("\n");
  return await Promise.all(
    names.map(async (name): Promise<[string, string]> => {
      // Brackets and the like would be a pattern.
      const { bytes } = await run(["unzip", "-p", path, name.replaceAll(/[[\]*?\\]/g, "?")]);
      return [name, new TextDecoder().decode(bytes)];
    }),
  );
}

describe("a zip of several assets", () => {
  test("has each under a name of its own, with its bytes, and is as long as was said", async () => {
    const names = ["match.mov", "Match.MOV", "match.mov", "фильм [1].mp4", "match (2).mov"];
    const ids: string[] = [];
    for (const [index, name] of names.entries()) {
      ids.push(await addFilm(rig, "ann", name, `FILM-${index}`));
    }
    const query = ids.map((id) => `id=${id}`).join("&");
    const response = await rig.ask(`/api/v1/assets/zip?${query}&name=all%20of%2F%C3%A4.zip`, {
      as: "ann",
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/zip");
    expect(response.headers.get("content-disposition")).toBe(
      `attachment; filename="_.zip"; filename*=UTF-8''%C3%A4.zip`,
    );
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    const archive = await response.bytes();
    expect(response.headers.get("content-length")).toBe(String(archive.byteLength));
    expect(await unzip(archive)).toEqual([
      ["match.mov", "FILM-0"],
      ["Match (2).MOV", "FILM-1"],
      ["match (3).mov", "FILM-2"],
      ["фильм [1].mp4", "FILM-3"],
      ["match (2) (2).mov", "FILM-4"],
    ]);
  });

  test("is asked for by a longer list in the body, and by the form of the page", async () => {
    const id = await addFilm(rig, "ann", "one.mp4", "FILM-one");
    const posted = await rig.ask("/api/v1/assets/zip", { as: "ann", json: { ids: [id, id] } });
    expect(await unzip(await posted.bytes())).toEqual([["one.mp4", "FILM-one"]]);
    const form = await rig.ask("/ui/assets/zip", { browser: "ann", form: { id } });
    expect(form.headers.get("content-disposition")).toContain(
      'attachment; filename="kinomill.zip"',
    );
    expect(await unzip(await form.bytes())).toEqual([["one.mp4", "FILM-one"]]);
  });

  test("HEAD says how long it will be and sends nothing", async () => {
    const id = await addFilm(rig, "ann", "head.mp4", "FILM-head");
    const path = `/api/v1/assets/zip?id=${id}`;
    const whole = await (await rig.ask(path, { as: "ann" })).bytes();
    const head = await rig.ask(path, { as: "ann", method: "HEAD" });
    expect(head.headers.get("content-length")).toBe(String(whole.byteLength));
    expect(await head.text()).toBe("");
  });

  test("with one that is not there, or is somebody else's, is refused before anything is sent", async () => {
    const mine = await addFilm(rig, "ann", "mine.mp4");
    const hers = await addFilm(rig, "bob", "hers.mp4");
    for (const other of ["as_00000000000000000000000000000000", hers]) {
      const response = await rig.ask(`/api/v1/assets/zip?id=${mine}&id=${other}`, { as: "ann" });
      expect([response.status, ((await response.json()) as Json).code]).toEqual([404, "not_found"]);
    }
  });

  test.each([
    ["nothing", ""],
    ["both kinds", "?id=as_1&job=jb_1"],
    [
      "too many in the address",
      `?${Array.from({ length: 101 }, (_, n) => `id=as_${n}`).join("&")}`,
    ],
  ])("of %s is refused", async (_what, query) => {
    expect((await rig.ask(`/api/v1/assets/zip${query}`, { as: "ann" })).status).toBe(422);
  });

  test("breaks off when an asset goes meanwhile, and lets go of what it reads", async () => {
    const entries = entriesOf([assetOf("here", "a", 5), assetOf("gone", "b", 5)]);
    let cancelled = 0;
    const storage = {
      open: async (key: string) => {
        if (key === "gone") return null;
        return new ReadableStream<Uint8Array>({
          pull: (controller) => controller.enqueue(new TextEncoder().encode("hello")),
          cancel: () => {
            cancelled += 1;
          },
        });
      },
    };
    // The endless stream is longer than its asset was said to be.
    const reader = archiveOf(storage, entries).getReader();
    await reader.read();
    await reader.cancel();
    expect(cancelled).toBe(1);
    const short = { open: async () => new Blob(["hell"]) } as Pick<Storage, "open">;
    await expect(new Response(archiveOf(short, entries)).bytes()).rejects.toThrow("4 bytes, not 5");
    const half = { open: async (key: string) => (key === "gone" ? null : new Blob(["hello"])) };
    await expect(new Response(archiveOf(half, entries)).bytes()).rejects.toThrow("are gone");
  });
});

/** No more of an asset than an archive asks for. */
function assetOf(id: string, name: string, sizeBytes: number): Asset {
  return { id, name, sizeBytes, createdAt: "2026-01-01T00:00:00.000Z" } as Asset;
}

describe("names in an archive", () => {
  test("of the greatest length keep their ending and are different", () => {
    const long = `${"ä".repeat(125)}.mp4`;
    const names = entriesOf([1, 2, 3].map((n) => assetOf(`as_${n}`, long, 1))).map(
      ({ name }) => name,
    );
    expect(new Set(names).size).toBe(3);
    for (const name of names) {
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
      expect(name).toEndWith(".mp4");
    }
  });

  test("a thousand equal ones are found quickly", () => {
    const assets = Array.from({ length: 1000 }, (_, n) => assetOf(`as_${n}`, "clip.mp4", 1));
    const names = entriesOf(assets).map(({ name }) => name);
    expect(new Set(names).size).toBe(1000);
    expect(names.at(-1)).toBe("clip (1000).mp4");
  });
});

/** Four GiB pass through the checksum: half a minute to two. */
testInLongForm(
  "files beyond four GiB are whole, in bounded memory",
  async () => {
    const path = join(folder, "large");
    const size = 4 * 1024 ** 3 + 1000;
    writeFileSync(path, "");
    truncateSync(path, size);
    const entries = entriesOf([
      assetOf("large", "large.bin", size),
      assetOf("small", "small.txt", 5),
    ]);
    const storage = {
      open: async (key: string) => (key === "large" ? Bun.file(path) : new Blob(["hello"])),
    };
    const before = process.memoryUsage.rss();
    const target = join(folder, "large.zip");
    const writer = Bun.file(target).writer();
    let peak = 0;
    for await (const chunk of archiveOf(storage, entries)) {
      writer.write(chunk);
      await writer.flush();
      peak = Math.max(peak, process.memoryUsage.rss());
    }
    await writer.end();
    expect(BigInt(Bun.file(target).size)).toBe(archiveBytes(entries));
    expect(peak - before).toBeLessThan(200 * 1024 ** 2);
    expect((await run(["unzip", "-t", target])).exitCode).toBe(0);
  },
  600_000,
);

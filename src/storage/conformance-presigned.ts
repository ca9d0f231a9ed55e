/** The part of the conformance suite about URLs that carry their own permission. */
import { expect, test } from "bun:test";
import { newKey, putBytes, type Run, readAll, someBytes } from "./conformance-fixture.ts";
import type { PresignOptions } from "./storage.ts";

const readOptions: PresignOptions = { method: "GET", expiresSeconds: 60 };

/** Registers the tests of reading. */
export function presigningReads(run: Run): void {
  test("a presigned URL reads its object, with the headers that were signed", async () => {
    const { storage, request } = run.fixture;
    const bytes = someBytes(70_000);
    const key = await putBytes(run, bytes);
    const contentDisposition = `attachment; filename="a \\"b\\" & c.mp4"; filename*=UTF-8''%C3%A4.mp4`;
    const url = await storage.presign(key, {
      ...readOptions,
      contentType: "video/mp4",
      contentDisposition,
    });
    const answer = await request(url);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("video/mp4");
    expect(answer.headers.get("content-disposition")).toBe(contentDisposition);
    expect(await answer.bytes()).toEqual(bytes);
    // Without options too, and more than once.
    const plain = await storage.presign(key, readOptions);
    expect(await (await request(plain)).bytes()).toEqual(bytes);
    expect(await (await request(plain)).bytes()).toEqual(bytes);
  });

  test("an expired URL opens nothing", async () => {
    const { storage, request, elapse } = run.fixture;
    const key = await putBytes(run, someBytes(10));
    const url = await storage.presign(key, { method: "GET", expiresSeconds: 2 });
    expect((await request(url)).status).toBe(200);
    await elapse(3);
    expect((await request(url)).status).toBe(403);
  });

  test("a tampered URL opens nothing, whatever was changed", async () => {
    const { storage, request } = run.fixture;
    const key = await putBytes(run, someBytes(10));
    const other = await putBytes(run, someBytes(10));
    const url = await storage.presign(key, { ...readOptions, contentType: "video/mp4" });
    expect((await request(url)).status).toBe(200);
    expect((await request(url.replace(key, other))).status).toBe(403);
    const [path = "", query = ""] = url.split("?");
    expect((await request(path)).status).toBe(403);
    for (const [name, value] of new URLSearchParams(query)) {
      const changed = new URLSearchParams(query);
      changed.set(name, value.endsWith("1") ? `${value.slice(0, -1)}2` : `${value.slice(0, -1)}1`);
      expect((await request(`${path}?${changed}`)).status).toBeOneOf([400, 403]);
      changed.delete(name);
      expect((await request(`${path}?${changed}`)).status).toBeOneOf([400, 403]);
    }
  });

  test("a URL that reads does not write or delete", async () => {
    const { storage, request } = run.fixture;
    const key = await putBytes(run, someBytes(10));
    const url = await storage.presign(key, readOptions);
    expect((await request(url, { method: "PUT", body: "changed" })).status).toBe(403);
    expect((await request(url, { method: "DELETE" })).status).toBe(403);
    expect(await readAll(storage, key)).toEqual(someBytes(10));
  });

  test("a presigned URL lives for 1 second to 7 days", async () => {
    const { storage } = run.fixture;
    for (const expiresSeconds of [0, -1, 0.5, Number.NaN, 7 * 86_400 + 1]) {
      const presigned = storage.presign(newKey(run), { method: "GET", expiresSeconds });
      await expect(presigned).rejects.toThrow("7 days");
    }
    await storage.presign(newKey(run), { method: "GET", expiresSeconds: 7 * 86_400 });
  });

  test("a signed header cannot smuggle in a second one", async () => {
    const { storage } = run.fixture;
    for (const contentType of ["video/mp4\r\nSet-Cookie: a=b", "\n", "ä", ""]) {
      const presigned = storage.presign(newKey(run), { ...readOptions, contentType });
      await expect(presigned).rejects.toThrow("header");
    }
  });
}

/** Registers the tests of writing. */
export function presigningWrites(run: Run): void {
  test("a presigned PUT writes its object and no other, and does not read", async () => {
    const { storage, request } = run.fixture;
    const key = newKey(run);
    const other = newKey(run);
    const url = await storage.presign(key, { method: "PUT", expiresSeconds: 60 });
    const body = someBytes(700_000);
    expect((await request(url.replace(key, other), { method: "PUT", body })).status).toBe(403);
    expect((await request(url)).status).toBe(403);
    expect((await request(url, { method: "PUT", body })).ok).toBe(true);
    expect(await readAll(storage, key)).toEqual(body);
    expect(await storage.stat(other)).toBeNull();
    expect((await request(url)).status).toBe(403);
  });

  test("an expired presigned PUT writes nothing", async () => {
    const { storage, request, elapse } = run.fixture;
    const key = newKey(run);
    const url = await storage.presign(key, { method: "PUT", expiresSeconds: 1 });
    await elapse(2);
    expect((await request(url, { method: "PUT", body: "late" })).status).toBe(403);
    expect(await storage.stat(key)).toBeNull();
  });
}

/** What only a socket shows: hosts, ranges, HEAD, streams, limits and the end. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { addFilm, openSite, type SiteRig } from "../../tests/http/site.ts";
import { Refusal } from "../trouble.ts";
import { type RunningServer, startServer } from "./server.ts";

let site: SiteRig;
let server: RunningServer;
let film: string;

/** Longest that a test waits for an answer. */
const WAIT_MS = 5_000;

beforeAll(async () => {
  site = await openSite();
  film = await addFilm(site, "ann", "match.mp4");
  server = await startServer(site.parts);
});

afterAll(async () => {
  await server.stop(1000);
  site.close();
});

/** Sends bytes as they are and gives all that comes back until `done` says so or the other side closes. */
function raw(text: string, done: (answer: string) => boolean): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let answer = "";
  const socket = connect(server.port, "127.0.0.1", () => socket.write(text));
  const timer = setTimeout(() => reject(new Error(`no answer but: ${answer}`)), WAIT_MS);
  const end = () => {
    clearTimeout(timer);
    socket.destroy();
    resolve(answer);
  };
  socket.on("data", (data) => {
    answer += data.toString("latin1");
    if (done(answer)) end();
  });
  socket.on("close", end);
  socket.on("error", end);
  return promise;
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`);
    await Bun.sleep(5);
  }
}

const headDone = (answer: string) => answer.includes("\r\n\r\n");
const problemDone = (answer: string) => /\r\n\r\n[\s\S]*\}/.test(answer);
const authorization = () => `Authorization: Bearer ${site.people.ann.token}\r\n`;

describe("strange requests", () => {
  const cases: [name: string, request: () => string, expected: RegExp][] = [
    [
      "HTTP/1.0 without a host",
      () => "GET /health HTTP/1.0\r\n\r\n",
      /^HTTP\/1.1 400 [\s\S]*"bad_host"/,
    ],
    [
      "two hosts",
      () =>
        `GET /api/v1/system HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n${authorization()}\r\n`,
      /^HTTP\/1.1 400 [\s\S]*"bad_host"/,
    ],
    [
      "a host that is none",
      () => "GET /health HTTP/1.1\r\nHost: a/b?c@d\r\n\r\n",
      /^HTTP\/1.1 400 [\s\S]*"bad_host"/,
    ],
    [
      "a foreign host",
      () => "GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n",
      /^HTTP\/1.1 421 [\s\S]*"misdirected_host"/,
    ],
    [
      "a path with two slashes",
      () => `GET //api/v1/system HTTP/1.1\r\nHost: localhost\r\n${authorization()}\r\n`,
      /^HTTP\/1.1 404 /,
    ],
    [
      "a path that climbs to an open one stays what it becomes",
      () => "GET /static/../api/v1/system HTTP/1.1\r\nHost: localhost\r\n\r\n",
      /^HTTP\/1.1 401 /,
    ],
    [
      "an absolute address counts for its path alone",
      () => "GET http://evil.example/api/v1/system HTTP/1.1\r\nHost: localhost\r\n\r\n",
      /^HTTP\/1.1 401 /,
    ],
  ];
  for (const [name, request, expected] of cases) {
    test(name, async () => {
      expect(await raw(request(), problemDone)).toMatch(expected);
    });
  }

  test("a length and chunks at once are refused", async () => {
    const request = `POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n${authorization()}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
    expect(await raw(request, headDone)).toStartWith("HTTP/1.1 400");
  });

  test("JSON in chunks is cut off at its limit", async () => {
    const chunk = `${(65536).toString(16)}\r\n${" ".repeat(65536)}\r\n`;
    const request = `POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n${authorization()}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(17)}0\r\n\r\n`;
    expect(await raw(request, problemDone)).toMatch(/^HTTP\/1.1 413 [\s\S]*"too_large"/);
  });
});

describe("content", () => {
  const get = (headers: Record<string, string> = {}, method = "GET") =>
    fetch(`${server.url}/api/v1/assets/${film}/content`, {
      method,
      headers: { authorization: `Bearer ${site.people.ann.token}`, ...headers },
    });

  test("comes whole, with its length", async () => {
    const response = await get();
    expect(response.status).toBe(200);
    expect(response.headers.get("content-length")).toBe("14");
    expect(response.headers.get("content-disposition")).toStartWith('inline; filename="match.mp4"');
    expect(await response.text()).toBe("FILM0123456789");
  });

  test("comes in part", async () => {
    const response = await get({ range: "bytes=-3" });
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe("bytes 11-13/14");
    expect(response.headers.get("content-length")).toBe("3");
    expect(await response.text()).toBe("789");
  });

  test("comes whole when If-Range names something else", async () => {
    const response = await get({ range: "bytes=0-1", "if-range": '"other"' });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("FILM0123456789");
  });

  test("does not come again when it is known", async () => {
    const etag = (await get()).headers.get("etag") ?? "";
    const response = await get({ "if-none-match": etag });
    expect(response.status).toBe(304);
    expect(await response.text()).toBe("");
  });

  test("HEAD gives the head of GET and no body", async () => {
    const request = `HEAD /api/v1/assets/${film}/content HTTP/1.1\r\nHost: localhost\r\n${authorization()}Connection: close\r\n\r\n`;
    const answer = await raw(request, () => false);
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(answer.toLowerCase()).toContain("content-length: 14\r\n");
    expect(answer).toEndWith("\r\n\r\n");
    expect((await get({ range: "bytes=99-" }, "HEAD")).status).toBe(416);
  });

  test("HEAD of a page and of the API says as much as GET", async () => {
    const response = await fetch(`${server.url}/health`, { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  });
});

test("an upload without a length is stored as it comes", async () => {
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(new TextEncoder().encode("FILM in two "));
      controller.enqueue(new TextEncoder().encode("pieces"));
      controller.close();
    },
  });
  const response = await fetch(`${server.url}/api/v1/assets?name=a.mp4`, {
    method: "POST",
    headers: { authorization: `Bearer ${site.people.ann.token}` },
    body: stream,
  });
  expect(response.status).toBe(201);
  expect(await response.json()).toMatchObject({ sizeBytes: 18, name: "a.mp4" });
});

test("a signed URL works without login, for its method and time alone", async () => {
  const path = await site.parts.storage.presign(film, {
    method: "GET",
    expiresSeconds: 60,
    contentType: "video/mp4",
  });
  const response = await fetch(server.url + path, { headers: { range: "bytes=0-3" } });
  expect(response.status).toBe(206);
  expect(await response.text()).toBe("FILM");
  expect(response.headers.get("content-type")).toBe("video/mp4");
  expect((await fetch(server.url + path, { method: "PUT", body: "x" })).status).toBe(403);
  expect((await fetch(`${server.url}${path}x`)).status).toBe(403);
  site.clock.advance(61_000);
  expect((await fetch(server.url + path)).status).toBe(403);
});

test("a signed URL takes an object once", async () => {
  const path = await site.parts.storage.presign("brought", { method: "PUT", expiresSeconds: 60 });
  const put = () => fetch(server.url + path, { method: "PUT", body: "hello" });
  const first = await put();
  expect(first.status).toBe(201);
  expect(await first.json()).toMatchObject({ sizeBytes: 5 });
  expect((await put()).status).toBe(409);
});

test("a port in use is refused with a sentence, not shared", async () => {
  const listen = `127.0.0.1:${server.port}`;
  const second = startServer({ ...site.parts, config: { ...site.parts.config, listen } });
  const refusal = await second.catch((cause: unknown) => cause);
  expect(refusal).toBeInstanceOf(Refusal);
  expect(refusal).toMatchObject({ code: "port_in_use" });
  expect((refusal as Refusal).message).toContain(`127.0.0.1:${server.port}`);
});

test("a stop cuts what takes longer than its grace", async () => {
  const other = await startServer(site.parts);
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      controller.enqueue(new TextEncoder().encode("FILM"));
      await Promise.withResolvers<void>().promise;
    },
  });
  const headers = { authorization: `Bearer ${site.people.ann.token}` };
  const upload = fetch(`${other.url}/api/v1/assets?name=x.mp4`, { method: "POST", headers, body });
  const outcome = upload.then(
    () => "answered",
    () => "cut",
  );
  await until("the upload has begun", () => site.library.records.leftIntents().length > 0);
  await other.stop(50);
  expect(await outcome).toBe("cut");
  await until("nothing of it is kept", () => site.library.records.leftIntents().length === 0);
});

test("a stop ends event streams at once and lets a running request finish", async () => {
  const other = await startServer(site.parts);
  const headers = { authorization: `Bearer ${site.people.ann.token}` };
  const stream = await fetch(`${other.url}/api/v1/events`, { headers });
  const reader = stream.body?.getReader();
  await reader?.read();
  const release = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(new TextEncoder().encode("FILM"));
      await release.promise;
      controller.close();
    },
  });
  const upload = fetch(`${other.url}/api/v1/assets?name=late.mp4`, {
    method: "POST",
    headers,
    body,
  });
  await until("the upload has begun", () => site.library.records.leftIntents().length > 0);
  const stopped = other.stop(WAIT_MS);
  while (!(await reader?.read())?.done);
  release.resolve();
  expect((await upload).status).toBe(201);
  await stopped;
  expect(await fetch(`${other.url}/health`).catch(() => "closed")).toBe("closed");
});

test("a read is answered without a promise, for which Bun would have to copy the request", () => {
  const request = new Request(`http://localhost/api/v1/assets/${film}`, {
    headers: { host: "localhost", authorization: `Bearer ${site.people.ann.token}` },
  });
  const connection = { peer: () => "127.0.0.1", tls: false, allowSilence: () => undefined };
  const answer = site.site.handle(request, connection);
  expect(answer).toBeInstanceOf(Response);
  expect((answer as Response).status).toBe(200);
});

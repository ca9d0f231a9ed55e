import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { StreamReader } from "../../tests/http/reader.ts";
import { addFilm, openSite, type SiteRig } from "../../tests/http/site.ts";
import { Streams } from "./stream.ts";
import type { Visit } from "./visit.ts";

describe("events over HTTP", () => {
  let site: SiteRig;
  let jobId: string;

  beforeEach(async () => {
    site = await openSite();
    const film = await addFilm(site, "ann");
    jobId = await submit(film);
  });

  afterEach(() => site.close());

  const ann = () => ({ id: site.people.ann.id, name: "ann" });

  async function submit(film: string): Promise<string> {
    const request = { operation: "transcode", inputs: [film], params: {}, priority: 0, labels: {} };
    return (await site.parts.jobs.submit(ann(), request, null)).job.id;
  }

  test("begin with the jobs that have not ended and go on with changes", async () => {
    const response = await site.ask("/api/v1/events", { as: "ann" });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const reader = new StreamReader(response);
    const first = await reader.until(jobId);
    expect(first).toContain('event: job\ndata: {"id":"jb_');
    site.parts.jobs.cancel(ann(), jobId);
    expect(await reader.until('"state":"cancelled"')).toMatch(/id: \d+/);
    await reader.leave();
    expect(site.site.streams.count).toBe(0);
  });

  test("are not told to others", async () => {
    const reader = new StreamReader(await site.ask("/api/v1/events", { as: "bob" }));
    site.parts.jobs.cancel(ann(), jobId);
    const bobs = await addFilm(site, "bob");
    expect(await reader.until(bobs)).not.toContain(jobId);
    await reader.leave();
  });

  test("go on where a client broke off", async () => {
    const before = site.feed.latestId;
    site.parts.jobs.cancel(ann(), jobId);
    const headers = { "last-event-id": String(before) };
    const reader = new StreamReader(await site.ask("/api/v1/events", { as: "ann", headers }));
    const text = await reader.until('"state":"cancelled"');
    expect(text).not.toContain('"state":"queued"');
    await reader.leave();
  });

  test("give the full state when what was missed is no longer known", async () => {
    const headers = { "last-event-id": "12" };
    const reader = new StreamReader(await site.ask("/api/v1/events", { as: "ann", headers }));
    await reader.until('"state":"queued"');
    await reader.leave();
  });

  test("of one job leave the others out", async () => {
    const reader = new StreamReader(await site.ask(`/api/v1/jobs/${jobId}/events`, { as: "ann" }));
    await reader.until(jobId);
    const film = await addFilm(site, "ann");
    const other = await submit(film);
    site.parts.jobs.cancel(ann(), jobId);
    const text = await reader.until('"state":"cancelled"');
    expect(text).not.toContain(other);
    expect(text).not.toContain(film);
    await reader.leave();
  });

  test("for the page carry progress as HTML and never a forged event", async () => {
    const claim = site.queue.claimNext({ id: "cpu" });
    expect(claim?.jobId).toBe(jobId);
    const reader = new StreamReader(await site.ask("/ui/events", { browser: "ann" }));
    await reader.until("event: job\ndata: {}\n\n");
    const progress = { percent: 41.5, frame: 1, fps: 1, speed: 2, etaSeconds: 3 };
    const told = { ...progress, outputSeconds: 1, sizeBytes: 1 };
    site.feed.progress(site.people.ann.id, jobId, told);
    expect(await reader.until("<hx-partial")).toContain(`#progress-${jobId}`);
    await reader.leave();
  });

  test("answer HEAD without opening a stream", async () => {
    const response = await site.ask("/api/v1/events", { as: "ann", method: "HEAD" });
    expect(response.status).toBe(200);
    expect(site.site.streams.count).toBe(0);
  });
});

describe("the streams of a server", () => {
  const visit = (id: string): Visit => ({
    id: "rq_1",
    path: "/",
    method: "GET",
    peer: () => "127.0.0.1",
    ...{ host: "localhost", tls: false, base: "" },
    credential: { kind: "none" },
    answer: null,
    route: null,
    idWasSent: false,
    takesFile: false,
    failure: null,
    user: { id, name: id, role: "member", createdAt: "" },
    allowSilence: () => undefined,
  });
  const nothing = () => () => undefined;

  test("a line break in data cannot begin another event", async () => {
    const streams = new Streams();
    const response = streams.open(
      visit("us_1"),
      () => true,
      (send) => {
        send({
          event: "job\nevent: forged",
          data: "a\nevent: forged\r\ndata: b\rc",
          id: "1\nid: 2",
        });
        return () => undefined;
      },
    );
    const text = await new StreamReader(response).until("data: c\n\n");
    expect(text).toContain("data: a\ndata: event: forged\ndata: data: b\ndata: c\n\n");
    expect(text).not.toMatch(/^event: forged/m);
    expect(text).not.toMatch(/^id: 2/m);
    streams.closeAll();
  });

  test("a client that does not read is dropped and its subscription ended", () => {
    const streams = new Streams();
    let ended = 0;
    let sendAll: (data: string) => void = () => undefined;
    streams.open(
      visit("us_1"),
      () => true,
      (send) => {
        sendAll = (data) => send({ data });
        return () => {
          ended += 1;
        };
      },
    );
    for (let n = 0; n < 10 && streams.count > 0; n += 1) sendAll("x".repeat(64 * 1024));
    expect([streams.count, ended]).toEqual([0, 1]);
    sendAll("after the end is fine");
  });

  test("a heartbeat goes out, and a revoked session ends the stream", async () => {
    const streams = new Streams(5);
    let allowed = true;
    const reader = new StreamReader(streams.open(visit("us_1"), () => allowed, nothing));
    await reader.until(": still here");
    allowed = false;
    await reader.end();
    expect(streams.count).toBe(0);
  });

  test("one user cannot hold too many, and others still can", () => {
    const streams = new Streams();
    for (let n = 0; n < 32; n += 1) streams.open(visit("us_1"), () => true, nothing);
    expect(() => streams.open(visit("us_1"), () => true, nothing)).toThrow("event streams open");
    streams.open(visit("us_2"), () => true, nothing);
    expect(streams.count).toBe(33);
    streams.closeAll();
    expect(streams.count).toBe(0);
    expect(() => streams.open(visit("us_2"), () => true, nothing)).toThrow("stopping");
  });
});

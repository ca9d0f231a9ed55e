import { afterAll, beforeAll, expect, test } from "bun:test";
import pino from "pino";
import { openSite, type SiteRig } from "../../tests/http/site.ts";
import { logRequest } from "./requests.ts";

let rig: SiteRig;
const lines: Record<string, unknown>[] = [];
const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });

beforeAll(async () => {
  rig = await openSite();
  rig.parts.log = log;
});
afterAll(() => rig.close());

test("a sane id of the sender is in the answer, in the problem and in the log", async () => {
  const id = "trace-7f3a.2026_x";
  const headers = { "x-request-id": id };
  const good = await rig.ask("/api/v1/operations", { as: "ann", headers });
  expect(good.status).toBe(200);
  expect(good.headers.get("x-request-id")).toBe(id);
  // What every plain JSON answer carries is still there.
  expect(good.headers.get("x-content-type-options")).toBe("nosniff");
  expect(good.headers.get("cache-control")).toBe("no-store");
  lines.length = 0;
  const bad = await rig.ask("/api/v1/jobs/jb_none", { as: "ann", headers });
  expect(bad.headers.get("x-request-id")).toBe(id);
  expect(await bad.json()).toMatchObject({ code: "not_found", requestId: id });
  expect(lines).toMatchObject([{ request: id, status: 404, msg: "request refused" }]);
});

test("one answer's id is not on the next", async () => {
  const headers = { "x-request-id": "only-this-one" };
  await rig.ask("/api/v1/operations", { as: "ann", headers });
  const next = await rig.ask("/api/v1/operations", { as: "ann" });
  expect(next.headers.get("x-request-id")).toBeNull();
});

test("any other id is replaced by one of ours", async () => {
  for (const sent of [
    "short",
    "a".repeat(65),
    "with blank inside",
    'q"uote-quote',
    "-leading-dash",
    "umlaut-ärger",
  ]) {
    const headers = { "x-request-id": sent };
    const answer = await rig.ask("/api/v1/jobs/jb_none", { as: "ann", headers });
    const { requestId } = (await answer.json()) as { requestId: string };
    expect(requestId).toMatch(/^rq_[0-9a-f]{6}[0-9a-z]+$/);
    expect(answer.headers.get("x-request-id")).toBe(requestId);
  }
});

test("slow answers are warnings from the setting on; files may take their time", () => {
  const visit = {
    ...{ id: "rq_1", idWasSent: false, path: "/api/v1/jobs", method: "GET", route: null },
    ...{ takesFile: false, credential: { kind: "none" as const }, user: null },
    ...{ answer: null, failure: null, peer: () => "127.0.0.1", allowSilence: () => undefined },
    ...{ host: "localhost", tls: false, base: "" },
  };
  const said = (durationMs: number, slowMs: number, takesFile = false, status = 200) => {
    lines.length = 0;
    logRequest(log, { ...visit, takesFile }, status, durationMs, slowMs);
    return lines.map(({ level, msg }) => `${level} ${msg}`);
  };
  expect(said(999, 1000)).toEqual([]);
  expect(said(1000, 1000)).toEqual(["40 request was slow"]);
  expect(said(60_000, 1000, true)).toEqual(["30 request was long"]);
  expect(said(60_000, 0)).toEqual([]);
  expect(said(60_000, 0, false, 500)).toEqual(["50 request failed"]);
  expect(said(5, 1_000, false, 503)).toEqual(["40 request put off"]);
});

/** What every page asks for: whether server and session are there, what the palette finds, and where its faults go. */
import type { Elysia } from "elysia";
import { z } from "zod";
import { buildId } from "../../views/layout.ts";
import { paletteFound } from "../../views/palette.ts";
import { AttemptLimiter } from "../accounts/limiter.ts";
import { readJson } from "./body.ts";
import { askerOf, json, route } from "./endpoint.ts";
import { jobEntry } from "./entries.ts";
import { htmlResponse } from "./headers.ts";
import type { Parts } from "./parts.ts";

/** Of each kind: what fits under the field without a wheel. */
const FOUND_MAX = 6;
const SEARCH_MAX = 200;

/** A page in trouble reports ten faults at most; a person with some tabs is heard, a loop is not. */
const reportLimits = { attempts: 30, windowSeconds: 600 };

/** Bytes of a report: its texts are cut by the page before. */
const REPORT_BYTES_MAX = 16 * 1024;

const report = z.strictObject({
  kind: z.enum(["error", "promise", "load"]),
  message: z.string().max(4000),
  stack: z.string().max(4000),
  page: z.string().max(1000),
  build: z.string().max(64),
});

/** Browsers call themselves by up to a hundred letters. */
const BROWSER_MAX = 300;

export function mountPageLife(app: Elysia, parts: Parts): void {
  route(app, "GET", "/ui/here", (request) => json({ build: buildId, viewer: askerOf(request).id }));
  route(app, "GET", "/ui/find", (request) => htmlResponse(paletteFound(find(parts, request))));
  const limiter = new AttemptLimiter(reportLimits, parts.clock);
  route(app, "POST", "/ui/errors", async (request) => {
    const { id } = askerOf(request);
    limiter.begin([id]);
    const told = await readJson(request, report, REPORT_BYTES_MAX);
    const fault = Object.fromEntries(
      Object.entries(told).map(([name, text]) => [name, plainText(text)]),
    );
    const browser = plainText(request.headers.get("user-agent") ?? "").slice(0, BROWSER_MAX);
    parts.log.warn({ user: id, browser, fault }, "a script of a page failed");
    return new Response(null, { status: 204 });
  });
}

/** What the person has that is called like this, the newest first. */
function find(parts: Parts, request: Request) {
  const { id: ownerId } = askerOf(request);
  const query = (new URL(request.url).searchParams.get("q") ?? "").trim().slice(0, SEARCH_MAX);
  if (query === "") return { assets: [], jobs: [] };
  const common = { ownerId, limit: FOUND_MAX, after: null };
  const assets = parts.library.list({ ...common, kind: null, search: query, jobId: null });
  const jobs = parts.jobs.list({ ...common, text: query });
  return {
    assets: assets.items,
    jobs: jobs.items.map((job) => jobEntry(parts, ownerId, job)),
  };
}

/** A report is text of a stranger's page: nothing in it may steer a terminal or turn a line around. */
function plainText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (sign) => (sign === "\n" ? "\n" : " "));
}

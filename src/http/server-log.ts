/** The log of this server for its admins: the newest lines, filtered, and their stream. */
import type { Elysia } from "elysia";
import { z } from "zod";
import { logPage } from "../../views/server-log.ts";
import { LOG_RECORDS_MAX, type LogFilter, logLevels } from "../log-ring.ts";
import { readQuery } from "./body.ts";
import { adminOfCall, type Endpoint, endpoint, json, route } from "./endpoint.ts";
import { watchdog } from "./events.ts";
import { userOf } from "./guard.ts";
import { htmlResponse } from "./headers.ts";
import { followLog } from "./log-tail.ts";
import { viewerOf } from "./pages.ts";
import type { Parts } from "./parts.ts";
import type { Streams } from "./stream.ts";
import { type Visit, visitOf } from "./visit.ts";

const LIMIT_MAX = 1_000;

/** A screen and a half; what is older is a click away. */
const LIMIT_DEFAULT = 200;

const recordShape = z
  .strictObject({
    id: z.string().describe("Of the line; good for `before`, `after` and Last-Event-ID"),
    at: z.iso.datetime(),
    level: z.enum(logLevels),
    part: z.string().describe("Who says it: jobs, http, uploads …"),
    message: z.string(),
    facts: z
      .record(z.string(), z.unknown())
      .describe("What stands beside it: `job`, `request`, `err` …; never a secret"),
  })
  .meta({ id: "LogRecord" });

const lineId = z.string().regex(/^[a-z0-9]{1,16}-\d{1,15}$/, "must be the id of a line");
const word = (most: number) => z.string().max(most).optional();

const filterFields = {
  level: z.enum(logLevels).optional().describe("This level and all above"),
  part: word(40).describe("One part of the server"),
  q: word(200).describe("Stands somewhere in the line"),
  job: word(80).describe("Id of a job"),
  request: word(80).describe("Id of a request"),
};

const listQuery = z.strictObject({
  ...filterFields,
  limit: z.int().min(1).max(LIMIT_MAX).default(LIMIT_DEFAULT),
  before: lineId.optional().describe("Id of a line: older ones"),
});

const tailQuery = z.strictObject({
  ...filterFields,
  after: lineId.optional().describe("Id of a line: what came since is told first"),
});

const doing = "read the log";
const forbidden = { 403: { description: "`forbidden`: only an admin may." } };

export function logEndpoints(parts: Parts, streams: Streams): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/system/log",
      tag: "system",
      summary: "The newest lines of the server's log, the oldest first.",
      description: `For admins. ${LOG_RECORDS_MAX.toLocaleString("en")} lines are kept in memory, from the level of \`log.level\` on; older ones are where the server prints its log.`,
      query: listQuery,
      answers: {
        200: {
          description: "The lines, and the parts that there are to filter by.",
          schema: z.strictObject({
            records: z.array(recordShape),
            more: z.boolean().describe("Whether there are older ones that fit"),
            last: z.string().describe("Of the newest line, whether it fits or not: for `after`"),
            parts: z.array(z.string()),
          }),
        },
        ...forbidden,
      },
      handle: (call) => {
        adminOfCall(call, doing);
        const { limit, before, ...asked } = call.query;
        return json(listOf(parts.ring, filterOf(asked), limit, before));
      },
    }),
    endpoint({
      method: "GET",
      path: "/api/v1/system/log/events",
      tag: "system",
      summary: "The log as it is written, as Server-Sent Events.",
      description:
        "For admins. A `record` for each line that fits, four times a second; `skipped` with `count` when more came than anybody reads. With Last-Event-ID, or `after`, what came since then first.",
      query: tailQuery,
      headers: [{ name: "Last-Event-ID", description: "Id of the last line that was read." }],
      answers: {
        200: { description: "The stream.", mediaType: "text/event-stream" },
        ...forbidden,
      },
      handle: (call) => {
        adminOfCall(call, doing);
        const { after, ...asked } = call.query;
        const last = call.request.headers.get("last-event-id") ?? after ?? null;
        return streams.open(call.visit, isStillAdmin(parts, call.visit), (send) =>
          followLog(parts.ring, filterOf(asked), last, send),
        );
      },
    }),
  ];
}

function listOf(ring: Parts["ring"], filter: LogFilter, limit: number, before: string | undefined) {
  const found = ring.newest(filter, limit + 1, before);
  return {
    records: found.slice(-limit),
    more: found.length > limit,
    last: ring.last,
    parts: ring.parts(),
  };
}

/** A member sees the log no longer than the next heartbeat. */
function isStillAdmin(parts: Parts, visit: Visit): () => boolean {
  const isSame = watchdog(parts, visit);
  return () => isSame() && userOf(parts.accounts, visit.credential)?.role === "admin";
}

type Asked = z.output<z.ZodObject<typeof filterFields>>;

/** An empty field of a form asks for nothing. */
function filterOf({ level, part, q, job, request }: Asked): LogFilter {
  const given = (value: string | undefined) => (value === "" ? undefined : value);
  return { level, part: given(part), text: given(q), job: given(job), request: given(request) };
}

const pageQuery = z.object({
  ...filterFields,
  level: z.enum(logLevels).default("info"),
  before: lineId.optional(),
});

export function mountLogPage(app: Elysia, parts: Parts): void {
  route(app, "GET", "/system/log", (request) => {
    adminOfCall({ visit: visitOf(request) }, doing);
    const { before, ...asked } = readQuery(request.url, pageQuery);
    const filter = filterOf(asked);
    const list = listOf(parts.ring, filter, LIMIT_DEFAULT, before);
    const view = { ...list, filter, older: before !== undefined };
    return htmlResponse(logPage(viewerOf(parts, request), view));
  });
}

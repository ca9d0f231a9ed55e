/**
 * Trouble on its way out: RFC 9457 for programs, a fragment for htmx, a page for a browser. What the
 * framework would say by itself is never sent: it echoes bodies and messages of errors.
 */
import { errorFragment, errorPage, notFoundPage } from "../../views/trouble.ts";
import { databaseRefusal } from "../database/transaction.ts";
import type { WorkMode } from "../jobs/work-mode.ts";
import type { Log } from "../log.ts";
import { Failure, type FieldFault, Refusal } from "../trouble.ts";
import { htmlResponse } from "./headers.ts";
import { isHtmx, type Visit, wantsPage } from "./visit.ts";

/** The body of every error of the API. */
export interface Problem {
  /** Always `about:blank`: `code` tells problems apart. */
  type: "about:blank";
  title: string;
  status: number;
  /** One sentence or two for a person: what is wrong and what to do. */
  detail: string;
  code: string;
  /** By which the log names the request. */
  requestId: string;
  errors?: FieldFault[];
}

const titles: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  423: "Locked",
  428: "Precondition Required",
  429: "Too Many Requests",
  460: "Checksum Mismatch",
  500: "Internal Server Error",
  503: "Service Unavailable",
  507: "Insufficient Storage",
};

/** Makes any error a Refusal; what is ours is logged with its stack and told without it. */
export function toRefusal(error: unknown, log: Log, requestId: string): Refusal {
  if (error instanceof Refusal) return error;
  const known = databaseRefusal(error);
  if (known !== null) {
    log.warn({ err: error, request: requestId }, "the database did not take a change");
    return known;
  }
  if (error instanceof Failure && error.report.code === "tool_missing") {
    log.warn({ request: requestId, failure: error.report }, "a tool is missing");
    const { message, hint } = error.report;
    return new Refusal(503, "tool_missing", `${message} ${hint}`.trim());
  }
  log.error({ err: error, request: requestId }, "a request met an error of ours");
  return new Refusal(
    500,
    "internal",
    `Something went wrong inside Kinomill. The log has the details under ${requestId}.`,
  );
}

export function problemOf(refusal: Refusal, requestId: string): Problem {
  return {
    type: "about:blank",
    title: titles[refusal.status] ?? "Error",
    status: refusal.status,
    detail: refusal.message,
    code: refusal.code,
    requestId,
    ...(refusal.errors.length > 0 ? { errors: refusal.errors } : {}),
  };
}

/**
 * The answer for a refusal, in the form that this asker reads.
 * @param work what a page says of the box besides
 */
export function refuse(request: Request, visit: Visit, refusal: Refusal, work: WorkMode): Response {
  const problem = problemOf(refusal, visit.id);
  if (!visit.path.startsWith("/api/")) {
    const trouble = { status: problem.status, sentence: problem.detail, errors: refusal.errors };
    if (isHtmx(request)) {
      return htmlResponse(errorFragment(trouble), problem.status, refusal.headers);
    }
    if (wantsPage(request, visit.path)) {
      const viewer = visit.user === null ? null : { ...visit.user, work };
      const view = refusal.code === "not_found" ? notFoundPage(viewer) : errorPage(viewer, trouble);
      return htmlResponse(view, problem.status, refusal.headers);
    }
  }
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { ...refusal.headers, "content-type": "application/problem+json" },
  });
}

/**
 * The way of every request: host, asker, origin, route, answer, headers, log. The guard stands before
 * the router, so that a route cannot be registered past it.
 */
import { Elysia } from "elysia";
import { Refusal } from "../trouble.ts";
import { type Arrival, arrivals } from "./arrival.ts";
import { setPath, setUrl, withoutBase } from "./base-path.ts";
import {
  askToLogIn,
  guardOrigin,
  guardScope,
  hostGuard,
  isOpenPath,
  localNames,
  readCredential,
  userOf,
} from "./guard.ts";
import { secure } from "./headers.ts";
import type { Parts } from "./parts.ts";
import { problemOf, refuse, toRefusal } from "./problem.ts";
import { logRequest, sentRequestId } from "./requests.ts";
import { beginVisit, type Visit } from "./visit.ts";

/** What the server knows of the connection that a request came through. */
export interface Connection {
  /** Its other end; asked only where it matters, because the answer costs a system call. */
  peer(): string;
  /** Whether it is encrypted up to this server. */
  tls: boolean;
  /** How long the connection may stay silent from now on; 0 is for ever. */
  allowSilence(seconds: number): void;
}

/** Answers at once where nothing has to be waited for: a promise costs as much as a small answer. */
export type Handle = (request: Request, connection: Connection) => Response | Promise<Response>;

/**
 * An empty router. It has no error hook: with one the framework makes every answer a promise, and Bun then
 * copies the request to keep it (a third of the cost of a read). Errors of controllers do not reach it
 * (`route` in `endpoint.ts`), and what it says by itself is never sent (`checked` below).
 */
export function newRouter(): Elysia {
  return new Elysia({
    // Host names may be short: with the default the router would look for the path behind the 11th letter.
    handler: { standardHostname: false },
    // Nothing is validated by the framework, so that nothing of it can be told.
    normalize: false,
  });
}

/** The controller's answer, or its error thrown, or a Refusal for what the framework said by itself. */
function checked(app: Elysia, visit: Visit, response: Response): Response {
  if (visit.failure !== null) throw visit.failure.cause;
  if (visit.answer === response) return response;
  if (response.status === 404) throw noSuchRoute(app, visit);
  const sentence = "The request cannot be read. Check its address, headers and body.";
  throw new Refusal(400, "bad_request", sentence);
}

function noSuchRoute(app: Elysia, visit: Visit): Refusal {
  const allowed = allowedMethods(app, visit.path);
  if (allowed.length === 0) {
    return new Refusal(404, "not_found", "There is nothing at this address.");
  }
  const allow = allowed.join(", ");
  return new Refusal(405, "method_not_allowed", `This address answers to ${allow} only.`, {
    headers: { allow },
  });
}

function allowedMethods(app: Elysia, path: string): string[] {
  const parts = path.replace(/\/$/, "").split("/");
  const methods = app.routes
    .filter((route) => {
      const pattern = route.path.split("/");
      if (pattern.length !== parts.length) return false;
      return pattern.every((part, at) => part.startsWith(":") || part === parts[at]);
    })
    .map(({ method }) => method);
  return [...new Set(methods.flatMap((name) => (name === "GET" ? ["GET", "HEAD"] : [name])))];
}

/** Makes the handler of the whole site from a router that has its routes. */
export function createHandle(app: Elysia, parts: Parts): Handle {
  const guardHost = liveHostGuard(parts.config);
  const hsts = hstsOf(parts.config.tls);
  const arrivalOf = arrivals(parts.config.http);
  const answer = (request: Request, visit: Visit): Response | Promise<Response> => {
    guardHost(request, visit.host);
    visit.credential = readCredential(request);
    visit.user = userOf(parts.accounts, visit.credential);
    guardOrigin(request, visit.credential, visit.host);
    if (visit.user === null && !isOpenPath(visit.path)) {
      return askToLogIn(request, visit, parts.accounts.setupPending());
    }
    if (!isOpenPath(visit.path)) guardScope(visit);
    const routed = app.fetch(routable(request, visit)) as Response | Promise<Response>;
    return routed instanceof Promise
      ? routed.then((response) => checked(app, visit, response))
      : checked(app, visit, routed);
  };
  return (request, connection) => {
    const startedMs = parts.clock.monotonicMs();
    const visit = newVisit(request, connection, arrivalOf(request, connection));
    const finish = (response: Response): Response => {
      const durationMs = parts.clock.monotonicMs() - startedMs;
      parts.metrics.http.note(visit.route, visit.method, response.status, durationMs);
      logRequest(parts.log, visit, response.status, durationMs, parts.config.log.slowRequestMs);
      const sent = secure(response, visit, parts.bucket?.origins);
      if (hsts !== null && connection.tls) sent.headers.set("strict-transport-security", hsts);
      return sent;
    };
    const fail = (error: unknown): Response =>
      finish(refuseSafely(request, visit, toRefusal(error, parts.log, visit.id), parts));
    try {
      const answered = answer(request, visit);
      return answered instanceof Promise ? answered.then(finish, fail) : finish(answered);
    } catch (error) {
      return fail(error);
    }
  };
}

/** The list of names is a setting that may change: then the guard is made anew. */
function liveHostGuard(config: Parts["config"]): ReturnType<typeof hostGuard> {
  let { hosts } = config;
  const { mdns } = config;
  let guard = hostGuard([...hosts, ...localNames(mdns)]);
  return (request, host) => {
    if (config.hosts !== hosts) {
      hosts = config.hosts;
      guard = hostGuard([...hosts, ...localNames(mdns)]);
    }
    guard(request, host);
  };
}

/**
 * What tells browsers to use nothing but TLS for this name. Never with a certificate that they warn of: they would let
 * nobody go on. Without the names below it, which are others' machines.
 */
function hstsOf({ mode, hstsDays }: Parts["config"]["tls"]): string | null {
  return mode === "files" && hstsDays > 0 ? `max-age=${hstsDays * 86_400}` : null;
}

/** The last resort must not depend on views: if they throw, the problem goes out as JSON. */
function refuseSafely(
  request: Request,
  visit: Visit,
  refusal: Refusal,
  parts: Pick<Parts, "work">,
): Response {
  try {
    return refuse(request, visit, refusal, parts.work().mode);
  } catch {
    return Response.json(problemOf(refusal, visit.id), {
      status: refusal.status,
      headers: { ...refusal.headers, "content-type": "application/problem+json" },
    });
  }
}

function newVisit(request: Request, connection: Connection, arrival: Arrival): Visit {
  const sent = sentRequestId(request);
  const { peer, host, tls, base } = arrival;
  // The router looks for the path behind the seventh letter: with TLS it would find the host.
  if (request.url.startsWith("https:")) setUrl(request, `http:${request.url.slice(6)}`);
  const sentPath = pathOf(request.url);
  const path = withoutBase(sentPath, base);
  if (path !== sentPath) setPath(request, sentPath, path);
  const visit: Visit = {
    id: sent ?? newRequestId(),
    idWasSent: sent !== null,
    path,
    method: request.method,
    peer,
    host,
    tls,
    base,
    credential: { kind: "none" },
    user: null,
    answer: null,
    route: null,
    takesFile: false,
    failure: null,
    allowSilence: connection.allowSilence,
  };
  beginVisit(request, visit);
  return visit;
}

let requestCount = 0;
const requestIdStart = Bun.randomUUIDv7("hex").replaceAll("-", "").slice(-6);

/** Unique within this run of the server and short enough to read out; it proves nothing. */
function newRequestId(): string {
  requestCount += 1;
  return `rq_${requestIdStart}${requestCount.toString(36)}`;
}

/** The same rule as the router's, so that both see one path. */
function pathOf(url: string): string {
  const start = url.indexOf("/", 7);
  const end = url.indexOf("?", start + 1);
  return start === -1 ? "/" : url.slice(start, end === -1 ? undefined : end);
}

/**
 * HEAD goes through the router as GET and Bun leaves the body out. The framework's own HEAD would read
 * the whole body to count it: gigabytes for a film.
 */
function routable(request: Request, visit: Visit): Request {
  if (request.method !== "HEAD") return request;
  const asGet = new Request(request.url, {
    method: "GET",
    headers: request.headers,
    signal: request.signal,
  });
  beginVisit(asGet, visit);
  return asGet;
}

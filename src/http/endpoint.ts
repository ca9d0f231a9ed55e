/**
 * One call of the API: its route, its description and its controller in one value. Routes and the
 * OpenAPI document are both made from the list of these, so neither can know more than the other.
 */
import type { Elysia } from "elysia";
import type { z } from "zod";
import type { User } from "../accounts/accounts.ts";
import { Refusal } from "../trouble.ts";
import { readJson, readQuery } from "./body.ts";
import { jsonResponse } from "./headers.ts";
import { type Visit, visitOf } from "./visit.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";

/** One kind of answer, for the document. */
export interface Answer {
  description: string;
  /** Of a JSON body; absent for none. */
  schema?: z.ZodType;
  /** Media type when the body is not JSON. */
  mediaType?: string;
}

/** A call in progress, its input checked. */
export interface Call<Query, Body> {
  request: Request;
  visit: Visit;
  /** Parts of the path, not decoded: an id needs no decoding and anything else is no id. */
  params: Record<string, string>;
  query: Query;
  body: Body;
}

export interface EndpointOptions<Query extends z.ZodObject, Body extends z.ZodType> {
  method: Method;
  /** As the router has it: `/api/v1/jobs/:id`. */
  path: string;
  tag: string;
  summary: string;
  description?: string;
  query?: Query;
  body?: Body;
  /** Whether a call without a body is one with an empty object. */
  bodyOptional?: true;
  /** Bytes that a JSON body may have; absent: what any small request may. */
  bodyMaxBytes?: number;
  /** The body is the bytes of a file; the controller reads the stream. */
  streamsBody?: true;
  headers?: { name: string; description: string }[];
  answers: Record<number, Answer>;
  handle(call: Call<z.output<Query>, z.output<Body>>): Response | Promise<Response>;
}

export interface Endpoint
  extends Omit<EndpointOptions<z.ZodObject, z.ZodType>, "handle" | "query" | "body"> {
  query: z.ZodObject | null;
  body: z.ZodType | null;
  run(request: Request, params: Record<string, string>): Response | Promise<Response>;
}

export function endpoint<Query extends z.ZodObject, Body extends z.ZodType>(
  options: EndpointOptions<Query, Body>,
): Endpoint {
  const { handle, query, body, ...rest } = options;
  return {
    ...rest,
    query: query ?? null,
    body: body ?? null,
    run: (request, params) => {
      const visit = visitOf(request);
      if (options.streamsBody === true) visit.takesFile = true;
      const call = {
        request,
        visit,
        params,
        query: (query === undefined ? {} : readQuery(request.url, query)) as z.output<Query>,
      };
      if (body === undefined) return handle({ ...call, body: undefined as z.output<Body> });
      const read =
        options.bodyOptional === true && request.body === null
          ? Promise.resolve(body.parse({}))
          : readJson(request, body, options.bodyMaxBytes);
      return read.then((value) => handle({ ...call, body: value }));
    },
  };
}

/** A route of the page: no description, no checked input. */
export type PageHandler = (
  request: Request,
  params: Record<string, string>,
) => Response | Promise<Response>;

/** Registers a handler. The framework must not read the body: it would hold all of it in memory. */
export function route(app: Elysia, method: Method, path: string, handler: PageHandler): void {
  const answer = ({ request, params }: Routed) => attend(request, params ?? {}, path, handler);
  const handle = Object.assign(answer, { toString: plainSource });
  // A GET has no body, and even the wish not to parse one would make it asynchronous.
  app.route(method, path, handle, method === "GET" ? {} : { parse: "none" });
}

interface Routed {
  request: Request;
  params?: Record<string, string>;
}

/**
 * The framework reads the source of a handler and takes one that returns a call for asynchronous. Then every
 * answer is a promise, and Bun copies each request to keep it: a third of the cost of a read. This tells it
 * what a handler needs and no more; a promise that one does return is waited for all the same.
 */
function plainSource(): string {
  return "({ request, params }) => request";
}

/** Stands for a failed controller on the way through the framework; it is never sent. */
const failed = new Response(null, { status: 500 });

/** Runs a controller and notes what came of it on the visit, so that the framework sees no error. */
function attend(
  request: Request,
  params: Record<string, string>,
  path: string,
  handler: PageHandler,
): Response | Promise<Response> {
  const visit = visitOf(request);
  visit.route = path;
  const note = (response: Response): Response => {
    visit.answer = response;
    return response;
  };
  const fail = (cause: unknown): Response => {
    visit.failure = { cause };
    return failed;
  };
  try {
    const answer = handler(request, params);
    return answer instanceof Promise ? answer.then(note, fail) : note(answer);
  } catch (cause) {
    return fail(cause);
  }
}

export function mount(app: Elysia, endpoints: readonly Endpoint[]): void {
  for (const { method, path, run } of endpoints) route(app, method, path, run);
}

/** Who asks. Only open paths have nobody, and their controllers do not call this. */
export function userOfCall(call: { visit: Visit }): User {
  const { user } = call.visit;
  if (user === null) throw new Error("invariant broken: a closed route was reached without a user");
  return user;
}

/** The same, an admin. @param doing what it is about: "move storage" @throws Refusal 403 `forbidden` */
export function adminOfCall(call: { visit: Visit }, doing: string): User {
  const user = userOfCall(call);
  if (user.role === "admin") return user;
  if (user.scopes?.includes("admin") === false) {
    const sentence = `A token needs the scope admin, of an admin, to ${doing}.`;
    throw new Refusal(403, "insufficient_scope", sentence);
  }
  throw new Refusal(403, "forbidden", `Only an admin may ${doing}.`);
}

/** The same for a route of the page. */
export function askerOf(request: Request): User {
  return userOfCall({ visit: visitOf(request) });
}

/** The `:id` of the path. */
export function idOf(call: Call<unknown, unknown>): string {
  return call.params["id"] ?? "";
}

export function json(
  value: unknown,
  status = 200,
  headers: Record<string, string> | null = null,
): Response {
  return jsonResponse(value, status, headers);
}

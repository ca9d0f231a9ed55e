/** What is known about one request before its controller runs: who asks, how, and how to answer. */
import type { User } from "../accounts/accounts.ts";

/** How the asker proved who they are. */
export type Credential = { kind: "none" } | { kind: "token" | "session"; secret: string };

export interface Visit {
  /**
   * Short random id, or the sender's own: in the log, in problems, in `X-Request-Id` and `Kinomill-Request` of all but
   * plain JSON, whose sender finds its own id there too.
   */
  id: string;
  /** Whether the sender gave the id. */
  idWasSent: boolean;
  /** Path without query, exactly as the router sees it: without the path under which a proxy offers the site. */
  path: string;
  method: string;
  /** Address of whoever asks; what proxies say of it is believed of trusted ones alone. */
  peer(): string;
  /** The name and port that was asked for. */
  host: string;
  /** Whether the asker came by TLS, as far as this server or a trusted proxy knows. */
  tls: boolean;
  /** Path under which the asker finds the site, without a slash at its end; "" for the top. */
  base: string;
  credential: Credential;
  user: User | null;
  /** What the controller answered; anything else that comes out of the router is the framework's. */
  answer: Response | null;
  /** Pattern of the route that took it; null while none did. */
  route: string | null;
  /** Its body is a file, which may take any time. */
  takesFile: boolean;
  /** What the controller threw. */
  failure: { cause: unknown } | null;
  /** Sets how long this connection may stay silent; 0 is for ever. */
  allowSilence(seconds: number): void;
}

/** Where a request carries its visit: a property, because a WeakMap costs as much as routing does. */
const visitKey = Symbol("visit");

type Visited = Request & { [visitKey]?: Visit };

export function beginVisit(request: Request, visit: Visit): void {
  (request as Visited)[visitKey] = visit;
}

/** The visit of a request that came through the server; anything else is a broken invariant. */
export function visitOf(request: Request): Visit {
  const visit = (request as Visited)[visitKey];
  if (visit === undefined) throw new Error("invariant broken: a request without a visit");
  return visit;
}

/** A path of this site as this asker finds it, for links in answers that leave the browser. */
export function addressFor({ tls, host, base }: Visit, path: string): string {
  return `${tls ? "https" : "http"}://${host}${base}${path}`;
}

/** True for requests that htmx sends. */
export function isHtmx(request: Request): boolean {
  return request.headers.get("hx-request") === "true";
}

/** True where a person looks at the answer: a page of a browser, not a program. */
export function wantsPage(request: Request, path: string): boolean {
  if (path.startsWith("/api/")) return false;
  return (request.headers.get("accept") ?? "").includes("text/html");
}

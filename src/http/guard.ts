/**
 * The door: which names the server answers to, where requests may come from, and who asks. Everything
 * that is not on the short list of open paths needs a session or a token, also paths that do not exist.
 */
import { hostname } from "node:os";
import type { User } from "../accounts/accounts.ts";
import { scopeNeeded } from "../accounts/scopes.ts";
import { Refusal } from "../trouble.ts";
import type { AccountsPart } from "./parts.ts";
import { type Credential, isHtmx, type Visit, wantsPage } from "./visit.ts";

export const sessionCookieName = "kinomill_session";

const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Open to everybody. Signed storage URLs carry their own proof, which their controller checks;
 * so does that of `/metrics` look at who asks. */
export function isOpenPath(path: string): boolean {
  return (
    path === "/login" ||
    path === "/setup" ||
    path === "/invitation" ||
    path === "/health" ||
    path === "/health/ready" ||
    path === "/metrics" ||
    path === "/favicon.ico" ||
    path.startsWith("/static/") ||
    path.startsWith("/storage/")
  );
}

/** As many as it tries (`src/mdns`). */
const LOCAL_NAMES_MAX = 20;

/** Good Host headers that need no second look: one machine has a handful, with and without port. */
const HOSTS_REMEMBERED = 64;

/** Names under which this server may be asked: a foreign one is DNS rebinding or a mistake. */
export function hostGuard(configured: readonly string[]): (request: Request, host: string) => void {
  const names = new Set([...ownHostNames(), ...configured.map((name) => name.toLowerCase())]);
  // Browsers and programs use the same few names all the time.
  const seen = new Set<string>();
  return (request, host) => {
    if (seen.has(host) && request.url.startsWith("http")) return;
    // Bun joins two Host headers with a comma and takes the first as the address; neither is believed.
    // For HTTP/1.0 without Host, and for a Host that is none, the URL has no path to answer to.
    if (host === "" || host.includes(",") || !request.url.startsWith("http")) {
      throw new Refusal(400, "bad_host", "The request must have exactly one valid Host header.");
    }
    if (!isAllowedHost(host, names)) {
      throw new Refusal(
        421,
        "misdirected_host",
        "This server does not answer to that name. Use its IP address, or add the name to the setting hosts.",
      );
    }
    if (seen.size < HOSTS_REMEMBERED) seen.add(host);
  };
}

/** Names that the server may get on the local network: the one of the settings, and those with a number behind it. */
export function localNames({ mode, name }: { mode: "auto" | "off"; name: string }): string[] {
  if (mode === "off") return [];
  const numbered = Array.from({ length: LOCAL_NAMES_MAX - 1 }, (_, at) => `${name}-${at + 2}`);
  return [name, ...numbered].map((each) => `${each}.local`);
}

function isAllowedHost(host: string, names: ReadonlySet<string>): boolean {
  const name = host
    .replace(/:\d{1,5}$/, "")
    .replace(/\.$/, "")
    .toLowerCase();
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(name)) return true;
  if (/^\[[0-9a-f:.]+\]$/.test(name)) return true;
  return names.has(name);
}

/** What the request shows to prove who asks. A token stands before a cookie. */
export function readCredential(request: Request): Credential {
  const authorization = request.headers.get("authorization");
  if (authorization !== null) {
    const match = /^bearer +(kmt_[A-Za-z0-9_-]{20,100}) *$/i.exec(authorization);
    return match?.[1] === undefined ? { kind: "none" } : { kind: "token", secret: match[1] };
  }
  const secret = readCookie(request, sessionCookieName);
  return secret === null ? { kind: "none" } : { kind: "session", secret };
}

function readCookie(request: Request, name: string): string | null {
  const header = request.headers.get("cookie");
  if (header === null) return null;
  for (const pair of header.split(";")) {
    const [key, value] = pair.trim().split("=", 2);
    if (key === name && value !== undefined && /^[A-Za-z0-9_-]{20,100}$/.test(value)) return value;
  }
  return null;
}

/** Who the credential belongs to now; null when it does not exist, has ended or was revoked. */
export function userOf(accounts: AccountsPart, credential: Credential): User | null {
  if (credential.kind === "none") return null;
  return credential.kind === "token"
    ? accounts.tokenUser(credential.secret)
    : accounts.sessionUser(credential.secret);
}

/** Refuses what a token may not. A login on the page has all that its person may. @throws Refusal 403 `insufficient_scope` */
export function guardScope({ user, method, path }: Pick<Visit, "user" | "method" | "path">): void {
  if (user?.scopes === undefined) return;
  const needed = scopeNeeded(method, path);
  if (user.scopes.includes(needed)) return;
  throw new Refusal(
    403,
    "insufficient_scope",
    `This call needs a token with the scope ${needed}; this one has ${user.scopes.join(", ")}.`,
  );
}

/**
 * Refuses changes that another site's page makes with this browser's cookie. Browsers name the origin of
 * each such request; one that brings a cookie and no origin is refused as well.
 */
export function guardOrigin(request: Request, credential: Credential, host: string): void {
  if (safeMethods.has(request.method) || credential.kind === "token") return;
  const site = request.headers.get("sec-fetch-site");
  const origin = request.headers.get("origin");
  const foreignSite = site !== null && site !== "same-origin" && site !== "none";
  const foreignOrigin = origin !== null && !isOwnOrigin(origin, host);
  const unknown = site === null && origin === null && credential.kind === "session";
  if (!foreignSite && !foreignOrigin && !unknown) return;
  throw new Refusal(
    403,
    "cross_origin",
    "This change was asked for from another site's page. Open Kinomill itself, or use an API token.",
  );
}

/** The scheme is not compared: behind a proxy with TLS this server sees plain HTTP. */
function isOwnOrigin(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { host: own, protocol } = new URL(origin);
  // Browsers leave the usual port out; proxies may say it.
  return own === host.toLowerCase().replace(protocol === "https:" ? /:443$/ : /:80$/, "");
}

/**
 * True when the browser reached this page through TLS: this server or a trusted proxy knows, or the browser's own
 * Origin header says so.
 */
export function isOverTls(request: Request, tls: boolean): boolean {
  return tls || (request.headers.get("origin") ?? "").startsWith("https://");
}

/**
 * The answer to somebody unknown: the way to the login for a browser, 401 for a program.
 * @returns a redirect; throws Refusal 401 `unauthenticated`
 */
export function askToLogIn(request: Request, visit: Visit, setupPending: boolean): Response {
  const page = setupPending ? "/setup" : "/login";
  if (isHtmx(request) && !visit.path.startsWith("/api/")) {
    return new Response(null, { status: 401, headers: { "hx-redirect": page } });
  }
  const navigates = visit.method === "GET" || visit.method === "HEAD";
  if (navigates && wantsPage(request, visit.path)) {
    const next =
      setupPending || visit.path === "/" ? "" : `?next=${encodeURIComponent(visit.path)}`;
    return new Response(null, { status: 303, headers: { location: page + next } });
  }
  throw new Refusal(
    401,
    "unauthenticated",
    "This call needs an API token (Authorization: Bearer kmt_…) or a login.",
    { headers: { "www-authenticate": 'Bearer realm="kinomill"' } },
  );
}

/** A path of this site to go to after the login; anything that could lead elsewhere becomes "/". */
export function safeNext(text: string | null): string {
  if (text === null || !/^\/[\x21-\x7e]{0,1000}$/.test(text)) return "/";
  const base = "http://kinomill.invalid";
  const url = URL.canParse(text, base) ? new URL(text, base) : null;
  if (url === null || url.origin !== base) return "/";
  // Checked after the URL was resolved: `/.//evil.example` becomes `//evil.example`, another site.
  const path = url.pathname + url.search;
  return /^\/[/\\]/.test(path) ? "/" : path;
}

/** `Set-Cookie` for a new session, or to end one when `secret` is null. */
export function sessionCookie(secret: string | null, expiresAt: string, secure: boolean): string {
  const value = secret ?? "";
  const until = secret === null ? "Max-Age=0" : `Expires=${new Date(expiresAt).toUTCString()}`;
  const suffix = secure ? "; Secure" : "";
  return `${sessionCookieName}=${value}; Path=/; ${until}; HttpOnly; SameSite=Lax${suffix}`;
}

/** Names under which this machine may be addressed without configuration. */
function ownHostNames(): string[] {
  const name = hostname().toLowerCase();
  return ["localhost", name, `${name}.local`, `${name}.lan`, `${name}.home.arpa`];
}

/** Coming in and going out: the first account, login, logout. */
import type { Elysia } from "elysia";
import { loginPage, setupPage } from "../../views/entrance.ts";
import type { Entrance, Login } from "../accounts/accounts.ts";
import { type FieldFault, Refusal } from "../trouble.ts";
import { readForm } from "./body.ts";
import { route } from "./endpoint.ts";
import { isOverTls, safeNext, sessionCookie } from "./guard.ts";
import { htmlResponse } from "./headers.ts";
import type { Parts } from "./parts.ts";
import { visitOf } from "./visit.ts";
import { FIRST_VISIT } from "./welcome.ts";

export function mountEntrance(app: Elysia, parts: Parts): void {
  route(app, "GET", "/setup", () => {
    if (!parts.accounts.setupPending()) return seeOther("/login");
    return htmlResponse(setupPage({ values: { code: "", name: "" }, errors: [] }));
  });
  route(app, "POST", "/setup", (request) => setUp(parts, request));
  route(app, "GET", "/login", (request) => {
    if (visitOf(request).user !== null) return seeOther("/");
    if (parts.accounts.setupPending()) return seeOther("/setup");
    const next = safeNext(new URL(request.url).searchParams.get("next"));
    return htmlResponse(loginPage({ name: "", next, error: null }));
  });
  route(app, "POST", "/login", (request) => logIn(parts, request));
  route(app, "POST", "/logout", (request) => {
    const { credential } = visitOf(request);
    if (credential.kind === "session") parts.accounts.logout(credential.secret);
    return seeOther("/login", {
      "set-cookie": sessionCookie(null, "", isOverTls(request, visitOf(request).tls)),
    });
  });
}

async function setUp(parts: Parts, request: Request): Promise<Response> {
  const form = await readForm(request);
  const [code, name, password] = [
    field(form, "code"),
    field(form, "name"),
    field(form, "password"),
  ];
  const again = (status: number, errors: readonly FieldFault[], headers = {}) =>
    htmlResponse(setupPage({ values: { code, name }, errors }), status, headers);
  if (password !== field(form, "repeat")) {
    return again(422, [{ path: "repeat", message: "This is not the same password." }]);
  }
  try {
    const at = entranceOf(request);
    const login = await parts.accounts.completeSetup(code.trim(), name, password, at);
    return enter(request, login, FIRST_VISIT);
  } catch (cause) {
    if (!(cause instanceof Refusal) || cause.status >= 500) throw cause;
    if (cause.code === "already_set_up") return seeOther("/login");
    return again(cause.status, setupFaults(cause), cause.headers);
  }
}

/** Each fault beside its field. */
function setupFaults(refusal: Refusal): readonly FieldFault[] {
  if (refusal.errors.length > 0) {
    return refusal.errors.map(({ path, message }) => ({ path, message: asSentence(message) }));
  }
  return [{ path: refusal.code === "wrong_setup_code" ? "code" : "", message: refusal.message }];
}

/** "must have 10 characters" → "Must have 10 characters." */
function asSentence(text: string): string {
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

async function logIn(parts: Parts, request: Request): Promise<Response> {
  const form = await readForm(request);
  const name = field(form, "name");
  const next = safeNext(form.get("next"));
  try {
    const password = field(form, "password");
    const login = await parts.accounts.login(name, password, entranceOf(request));
    endEarlierSession(parts, request);
    return enter(request, login, next);
  } catch (cause) {
    if (!(cause instanceof Refusal) || cause.status >= 500 || staysThere(request)) throw cause;
    const view = loginPage({ name, next, error: cause.message });
    return htmlResponse(view, cause.status, cause.headers);
  }
}

/** Where somebody comes in, for the list of their logins. */
export function entranceOf(request: Request): Entrance {
  return {
    peer: visitOf(request).peer(),
    device: request.headers.get("user-agent") ?? "",
  };
}

/** Whoever logs in again in one browser leaves no session behind that nobody holds. */
function endEarlierSession(parts: Parts, request: Request): void {
  const { credential } = visitOf(request);
  if (credential.kind === "session") parts.accounts.logout(credential.secret);
}

export function enter(request: Request, login: Login, next: string): Response {
  const tls = isOverTls(request, visitOf(request).tls);
  const headers = { "set-cookie": sessionCookie(login.secret, login.expiresAt, tls) };
  return staysThere(request)
    ? new Response(null, { status: 204, headers })
    : seeOther(next, headers);
}

/** True for the dialog of a page whose session has ended: its script asks, and leads nowhere else. */
function staysThere(request: Request): boolean {
  return request.headers.get("accept") === "application/json";
}

function seeOther(location: string, headers: Record<string, string> = {}): Response {
  return new Response(null, { status: 303, headers: { location, ...headers } });
}

function field(form: URLSearchParams, name: string): string {
  return form.get(name) ?? "";
}

/** One's own account over HTTP: the password, logins on pages, tokens of programs. */
import { z } from "zod";
import type { Session, Token, User } from "../accounts/accounts.ts";
import { type Scope, scopes, usualScopes } from "../accounts/scopes.ts";
import { TOKEN_DAYS_MAX } from "../accounts/tokens.ts";
import { Refusal } from "../trouble.ts";
import { type Endpoint, endpoint, idOf, json, userOfCall } from "./endpoint.ts";
import type { Parts } from "./parts.ts";
import { actorOf } from "./settings.ts";
import type { Visit } from "./visit.ts";

type Needs = Pick<Parts, "accounts" | "settings">;

const sessionShape: z.ZodType<Session> = z
  .strictObject({
    id: z.string(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable().describe("To the minute"),
    peer: z.string().describe("Address from which the login came"),
    device: z.string().describe("What the browser calls itself"),
    current: z.boolean().describe("Whether it is the one that asks"),
  })
  .meta({ id: "Session" });

const tokenShape: z.ZodType<Token> = z
  .strictObject({
    id: z.string(),
    label: z.string(),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable().describe("To the minute"),
    scopes: z.array(z.enum(scopes)),
    expiresAt: z.iso.datetime().nullable().describe("Null: it does not end by itself"),
  })
  .meta({ id: "Token" });

const tokenWish = z
  .strictObject({
    label: z.string().max(200),
    scopes: z
      .array(z.enum(scopes))
      .min(1)
      .max(scopes.length)
      .default([...usualScopes])
      .describe(
        "read: look at what is yours; write: change files, uploads, presets; jobs: start and stop jobs; account: password, logins, tokens; admin: what only admins may",
      ),
    days: z.int().min(1).max(TOKEN_DAYS_MAX).nullable().default(null).describe("Null: for ever"),
  })
  .meta({ id: "TokenWish" });

const missing = { 404: { description: "`not_found`: you have no such." } };

export function accountEndpoints(parts: Needs): Endpoint[] {
  return [...sessionEndpoints(parts), ...tokenEndpoints(parts), passwordEndpoint(parts)];
}

/** The secret of the login that asks; null for a program. */
export function ownSecret({ credential }: Pick<Visit, "credential">): string | null {
  return credential.kind === "session" ? credential.secret : null;
}

function sessionEndpoints({ accounts, settings }: Needs): Endpoint[] {
  const list = {
    description: "The newest first.",
    schema: z.strictObject({ items: z.array(sessionShape) }),
  };
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/me/sessions",
      tag: "account",
      summary: "Your logins on pages that have not ended.",
      answers: { 200: list },
      handle: (call) =>
        json({ items: accounts.listSessions(userOfCall(call).id, ownSecret(call.visit)) }),
    }),
    endpoint({
      method: "DELETE",
      path: "/api/v1/me/sessions",
      tag: "account",
      summary: "End all your logins but the one that asks.",
      answers: { 200: { description: "How many.", schema: z.strictObject({ ended: z.int() }) } },
      handle: (call) => {
        const user = userOfCall(call);
        const ended = accounts.endOtherSessions(user.id, ownSecret(call.visit));
        settings.acts.note(actorOf(user), "session.ended", user.name, { ended });
        return json({ ended });
      },
    }),
    endpoint({
      method: "DELETE",
      path: "/api/v1/me/sessions/:id",
      tag: "account",
      summary: "End one of your logins.",
      answers: { 204: { description: "It ended." }, ...missing },
      handle: (call) => {
        const user = userOfCall(call);
        if (!accounts.endSession(user.id, idOf(call))) throw notFound("login");
        settings.acts.note(actorOf(user), "session.ended", user.name, { ended: 1 });
        return new Response(null, { status: 204 });
      },
    }),
  ];
}

function tokenEndpoints(parts: Needs): Endpoint[] {
  const { accounts } = parts;
  return [
    endpoint({
      method: "GET",
      path: "/api/v1/me/tokens",
      tag: "account",
      summary: "Your API tokens, without their secrets.",
      answers: {
        200: {
          description: "In the order of creation.",
          schema: z.strictObject({ items: z.array(tokenShape) }),
        },
      },
      handle: (call) => json({ items: accounts.listTokens(userOfCall(call).id) }),
    }),
    endpoint({
      method: "POST",
      path: "/api/v1/me/tokens",
      tag: "account",
      summary: "Make an API token. Its secret is told this once.",
      description: "A token cannot make one that may more than itself.",
      body: tokenWish,
      answers: {
        201: {
          description: "It, with its secret.",
          schema: z.strictObject({ id: z.string(), secret: z.string() }),
        },
        403: { description: "`insufficient_scope`: it would may more than the token that asks." },
        409: { description: "`too_many_tokens`" },
        422: { description: "`invalid_label`, `invalid_scopes`, `invalid_days`" },
      },
      handle: (call) => json(makeToken(parts, userOfCall(call), call.body), 201),
    }),
    endpoint({
      method: "DELETE",
      path: "/api/v1/me/tokens/:id",
      tag: "account",
      summary: "Revoke one of your tokens: it ends at once.",
      answers: { 204: { description: "It is revoked." }, ...missing },
      handle: (call) => {
        revokeToken(parts, userOfCall(call), idOf(call));
        return new Response(null, { status: 204 });
      },
    }),
  ];
}

function passwordEndpoint(parts: Needs): Endpoint {
  return endpoint({
    method: "PUT",
    path: "/api/v1/me/password",
    tag: "account",
    summary: "Change your password. Every other login ends; tokens stay.",
    body: z.strictObject({ present: z.string().max(2000), next: z.string().max(2000) }),
    answers: {
      204: { description: "It is changed." },
      403: { description: "`wrong_password`" },
      422: { description: "`invalid_password`" },
      429: { description: "`too_many_attempts`" },
    },
    handle: async (call) => {
      await changePassword(parts, userOfCall(call), call.visit, call.body);
      return new Response(null, { status: 204 });
    },
  });
}

/** @throws Refusal as `createToken`, 403 `insufficient_scope` when a token asks for more than it has */
export function makeToken(
  { accounts, settings }: Needs,
  user: User,
  wish: { label: string; scopes: readonly Scope[]; days: number | null },
): { id: string; secret: string } {
  const beyond = wish.scopes.filter((scope) => user.scopes?.includes(scope) === false);
  if (beyond.length > 0) {
    const sentence = `This token may not make one that may more than itself: ${beyond.join(", ")}.`;
    throw new Refusal(403, "insufficient_scope", sentence);
  }
  const made = accounts.createToken(user.name, wish);
  const { label, scopes: granted, days } = wish;
  settings.acts.note(actorOf(user), "token.created", label, { scopes: granted, days });
  return made;
}

/** @throws Refusal 404 `not_found` */
export function revokeToken({ accounts, settings }: Needs, user: User, id: string): void {
  const label = accounts.listTokens(user.id).find((token) => token.id === id)?.label ?? "";
  if (!accounts.revokeToken(user.id, id)) throw notFound("token");
  settings.acts.note(actorOf(user), "token.revoked", label);
}

/** @throws Refusal as `Accounts.changePassword` */
export async function changePassword(
  { accounts, settings }: Needs,
  user: User,
  visit: Visit,
  { present, next }: { present: string; next: string },
): Promise<void> {
  const keep = ownSecret(visit);
  await accounts.changePassword(user, { present, next, keep, peer: visit.peer() });
  settings.acts.note(actorOf(user), "account.password", user.name);
}

function notFound(what: string): Refusal {
  return new Refusal(404, "not_found", `You have no such ${what}.`);
}

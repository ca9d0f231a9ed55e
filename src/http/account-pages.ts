/** The page of one's own account, and the way in with an invitation. */
import type { Elysia } from "elysia";
import { type AccountView, accountPage } from "../../views/account.ts";
import { invitationPage } from "../../views/invitation.ts";
import { texts } from "../../views/texts/texts.ts";
import { scopes } from "../accounts/scopes.ts";
import { isoTime } from "../clock.ts";
import { Refusal } from "../trouble.ts";
import { changePassword, makeToken, ownSecret, revokeToken } from "./account.ts";
import { readForm } from "./body.ts";
import { route } from "./endpoint.ts";
import { enter, entranceOf } from "./entrance.ts";
import { htmlResponse } from "./headers.ts";
import { type ViewerParts, viewerOf } from "./pages.ts";
import type { Parts } from "./parts.ts";
import { actorOf } from "./settings.ts";
import { userOfPage } from "./settings-pages.ts";
import { attempt, done, saidIn } from "./settings-room.ts";
import { visitOf } from "./visit.ts";

type Needs = Pick<Parts, "accounts" | "settings" | "clock"> & ViewerParts;

const HERE = "/settings/account";

export function mountAccountPages(app: Elysia, parts: Needs): void {
  const { accounts, settings } = parts;
  route(app, "GET", HERE, (request) => show(parts, request, { said: saidIn(request) }));
  route(app, "POST", `${HERE}/password`, (request) => setPassword(parts, request));
  route(app, "POST", `${HERE}/tokens`, (request) => addToken(parts, request));
  route(app, "POST", `${HERE}/tokens/:id/revoke`, (request, { id = "" }) => {
    revokeToken(parts, userOfPage(request), id);
    return done(request, HERE, "revoked");
  });
  route(app, "POST", `${HERE}/sessions/:id/end`, (request, { id = "" }) => {
    const user = userOfPage(request);
    if (accounts.endSession(user.id, id)) {
      settings.acts.note(actorOf(user), "session.ended", user.name, { ended: 1 });
    }
    return done(request, HERE, "ended");
  });
  route(app, "POST", `${HERE}/sessions/end-others`, (request) => {
    const user = userOfPage(request);
    const ended = accounts.endOtherSessions(user.id, ownSecret(visitOf(request)));
    settings.acts.note(actorOf(user), "session.ended", user.name, { ended });
    return done(request, HERE, "ended-others");
  });
  mountInvitation(app, parts);
}

function show(parts: Needs, request: Request, rest: Partial<AccountView>, status = 200): Response {
  const { accounts, library, clock } = parts;
  const user = userOfPage(request);
  const view: AccountView = {
    usage: library.allowances.usage(user.id),
    sessions: accounts.listSessions(user.id, ownSecret(visitOf(request))),
    tokens: accounts.listTokens(user.id),
    scopes: user.role === "admin" ? scopes : scopes.filter((scope) => scope !== "admin"),
    now: isoTime(clock.nowMs()),
    ...rest,
  };
  return htmlResponse(accountPage(viewerOf(parts, request), view), status);
}

async function setPassword(parts: Needs, request: Request): Promise<Response> {
  const form = await readForm(request);
  const [present, next] = [form.get("present") ?? "", form.get("password") ?? ""];
  if (next !== (form.get("repeat") ?? "")) {
    const faults = [{ path: "repeat", message: texts.settings.mine.notSame }];
    return show(parts, request, { faults }, 422);
  }
  const visit = visitOf(request);
  const refused = await attempt(
    () => changePassword(parts, userOfPage(request), visit, { present, next }),
    ["present", "password"],
  );
  if (refused !== null) return show(parts, request, refused, refused.status);
  return done(request, HERE, "password");
}

/** The answer shows the secret, so it is the page itself and no other address. */
async function addToken(parts: Needs, request: Request): Promise<Response> {
  const form = await readForm(request);
  const label = form.get("label") ?? "";
  const chosen = scopes.filter((scope) => form.getAll("scopes").includes(scope));
  const days = form.get("days") ?? "";
  const user = userOfPage(request);
  let secret = "";
  const refused = await attempt(() => {
    const life = days === "" ? null : Number(days);
    ({ secret } = makeToken(parts, user, { label, scopes: chosen, days: life }));
  }, ["label", "scopes", "days"]);
  if (refused !== null) {
    return show(
      parts,
      request,
      { ...refused, typed: { label, scopes: chosen, days } },
      refused.status,
    );
  }
  return show(parts, request, { newToken: { label, secret } });
}

/** Open to everybody: the code is the proof. It stands in the query, which the log does not have. */
function mountInvitation(app: Elysia, { accounts, settings }: Needs): void {
  const wrong = texts.people.join.wrong;
  route(app, "GET", "/invitation", (request) => {
    const code = new URL(request.url).searchParams.get("code") ?? "";
    if (code === "") return htmlResponse(invitationPage({ code, name: null, faults: [] }));
    const user = accounts.invited(code, visitOf(request).peer());
    const faults = user === null ? [{ path: "code", message: wrong }] : [];
    const view = { code, name: user?.name ?? null, faults };
    return htmlResponse(invitationPage(view), user === null ? 403 : 200);
  });
  route(app, "POST", "/invitation", async (request) => {
    const form = await readForm(request);
    const [code, password] = [form.get("code") ?? "", form.get("password") ?? ""];
    const entrance = entranceOf(request);
    const user = accounts.invited(code, entrance.peer);
    const again = (faults: { path: string; message: string }[], status = 422) =>
      htmlResponse(invitationPage({ code, name: user?.name ?? null, faults }), status);
    if (user === null) return again([{ path: "code", message: wrong }], 403);
    if (password !== (form.get("repeat") ?? "")) {
      return again([{ path: "repeat", message: texts.settings.mine.notSame }]);
    }
    try {
      const login = await accounts.acceptInvitation(code, password, entrance);
      settings.acts.note(actorOf(login.user), "user.joined", login.user.name);
      return enter(request, login, "/");
    } catch (cause) {
      if (!(cause instanceof Refusal) || cause.status >= 500) throw cause;
      const [fault] = cause.errors;
      const path = fault?.path ?? "code";
      return again([{ path, message: fault?.message ?? cause.message }], cause.status);
    }
  });
}

/** One's own account: password, logins, tokens. */
import type { Session, Token } from "../src/accounts/accounts.ts";
import type { Scope } from "../src/accounts/scopes.ts";
import type { Usage } from "../src/assets/allowances.ts";
import type { FieldFault } from "../src/trouble.ts";
import { badge, tag } from "./components/badge.ts";
import { button } from "./components/button.ts";
import { card } from "./components/card.ts";
import { checkField, selectField, textField } from "./components/field.ts";
import { callout } from "./components/notice.ts";
import { table } from "./components/table.ts";
import { deviceText } from "./device-text.ts";
import { type Html, html } from "./html.ts";
import type { Viewer } from "./layout.ts";
import { sizeText } from "./quantities.ts";
import { settingsPage } from "./settings-frame.ts";
import { texts } from "./texts/texts.ts";
import { timeText } from "./times.ts";

const words = texts.settings.mine;

/** Shortest password that the form lets through; the server decides. */
const PASSWORD_LEAST = 10;
const PASSWORD_MOST = 1024;

export interface AccountView {
  usage: Usage;
  sessions: readonly Session[];
  tokens: readonly Token[];
  /** Scopes that this person's tokens may have. */
  scopes: readonly Scope[];
  /** ISO 8601 UTC, to tell which tokens have ended. */
  now: string;
  /** Shown this once. */
  newToken?: { label: string; secret: string } | null;
  /** What was typed for a token, shown again. */
  typed?: { label: string; scopes: readonly string[]; days: string };
  faults?: readonly FieldFault[];
  said?: string | null;
  refused?: string | null;
}

export function accountPage(viewer: Viewer, view: AccountView): Html {
  const body = html`${view.newToken ? newToken(view.newToken) : null}
<div class="settings-pair">${meCard(viewer, view.usage)}${passwordCard(view)}</div>
${loginsCard(view.sessions)}
${tokensCard(view)}`;
  const { said = null, refused = null } = view;
  return settingsPage(viewer, { part: "account", body, said, refused });
}

const faultOf = ({ faults = [] }: AccountView, path: string) =>
  faults.find((fault) => fault.path === path)?.message ?? null;

function meCard({ name, role }: Viewer, { usedBytes, quotaBytes }: Usage): Html {
  const limit = quotaBytes === null ? null : sizeText(quotaBytes);
  const body = html`<dl class="pairs"><div><dt>${words.name}</dt><dd hx-ignore>${name}</dd></div>
<div><dt>${words.role}</dt><dd>${role === "admin" ? texts.frame.administrator : texts.frame.member}</dd></div>
<div><dt>${words.keep}</dt><dd>${words.keeps(sizeText(usedBytes), limit)}</dd></div></dl>`;
  return card({ id: "me", title: texts.settings.account, body });
}

function passwordCard(view: AccountView): Html {
  const fresh = {
    ...({ type: "password", autocomplete: "new-password", required: true } as const),
    ...{ minLength: PASSWORD_LEAST, maxLength: PASSWORD_MOST },
  } as const;
  const body = html`<form method="post" action="/settings/account/password" class="stack">
${textField({ name: "present", label: words.present, type: "password", autocomplete: "current-password", maxLength: PASSWORD_MOST, required: true, fault: faultOf(view, "present") })}
${textField({ name: "password", label: words.next, hint: words.passwordHint(PASSWORD_LEAST), fault: faultOf(view, "password"), ...fresh })}
${textField({ name: "repeat", label: words.repeat, fault: faultOf(view, "repeat"), ...fresh })}
<div class="form-end"><p class="hint">${words.changeHint}</p>${button({ label: words.changePassword, submit: true })}</div>
</form>`;
  return card({ id: "password", title: words.password, body });
}

function loginsCard(sessions: readonly Session[]): Html {
  const rows = sessions.map((session) => ({
    cells: [
      html`<span hx-ignore title="${session.device}">${deviceText(session.device) ?? words.unknownDevice}</span>${session.current ? html` ${badge({ tone: "accent", label: words.here })}` : null}`,
      html`<span hx-ignore>${session.peer === "" ? words.unknownPlace : session.peer}</span>`,
      timeText(session.createdAt),
      timeText(session.lastUsedAt ?? session.createdAt),
      session.current ? "" : endButton(session),
    ],
  }));
  const columns = [
    ...[{ title: words.device }, { title: words.where }, { title: words.since }],
    ...[{ title: words.used }, { title: words.endLogin, quiet: true }],
  ];
  const others = sessions.some(({ current }) => !current);
  const question = {
    ...{ title: words.endOthersTitle, text: words.endOthersText, yes: words.endOthers },
  };
  const request = {
    method: "post",
    address: "/settings/account/sessions/end-others",
    question,
  } as const;
  return card({
    ...{ id: "logins", title: words.logins, across: true },
    aside: others ? button({ label: words.endOthers, request }) : null,
    body: html`<p class="muted">${words.loginsText}</p>${table({ caption: words.logins, columns, rows })}`,
  });
}

function endButton({ id, device }: Session): Html {
  const question = { title: words.endTitle, text: words.endText, yes: words.endLogin };
  const address = `/settings/account/sessions/${id}/end`;
  const name = words.endOne(deviceText(device) ?? words.unknownDevice);
  return button({
    ...{ label: words.endLogin, name, kind: "quiet" },
    request: { method: "post", address, question },
  });
}

function tokensCard(view: AccountView): Html {
  const columns = [
    ...[{ title: words.label }, { title: words.scopes }, { title: words.ends }],
    ...[{ title: words.used }, { title: words.revoke, quiet: true }],
  ];
  const rows = view.tokens.map((token) => ({
    cells: [
      html`<span hx-ignore>${token.label}</span>`,
      html`<span class="tags">${token.scopes.map(tag)}</span>`,
      endText(token, view.now),
      token.lastUsedAt === null ? words.neverUsed : timeText(token.lastUsedAt),
      revokeButton(token),
    ],
  }));
  const list =
    rows.length === 0
      ? html`<p class="muted">${words.noTokens}</p>`
      : table({ caption: words.tokens, columns, rows });
  const body = html`<p class="muted">${words.tokensText}</p>${list}${tokenForm(view)}`;
  return card({ id: "tokens", title: words.tokens, across: true, body });
}

function endText({ expiresAt }: Token, now: string): Html | string {
  if (expiresAt === null) return words.never;
  return expiresAt <= now ? badge({ tone: "bad", label: words.expired }) : timeText(expiresAt);
}

function revokeButton({ id, label }: Token): Html {
  const question = {
    ...{ title: words.revokeTitle, text: words.revokeText(label), yes: words.revoke },
  };
  const address = `/settings/account/tokens/${id}/revoke`;
  return button({
    ...{ label: words.revoke, name: words.revokeOf(label), kind: "quiet danger-text" },
    request: { method: "post", address, question },
  });
}

function tokenForm(view: AccountView): Html {
  const typed = view.typed ?? { label: "", scopes: ["read", "write", "jobs"], days: "90" };
  const lives = Object.entries(words.lives).map(([value, label]) => ({ value, label }));
  const fault = faultOf(view, "scopes");
  return html`<details class="add-form" open="${view.typed !== undefined}"><summary class="button">${words.make}</summary>
<form method="post" action="/settings/account/tokens" class="stack" data-keep="token">
${textField({ name: "label", label: words.label, value: typed.label, maxLength: 100, required: true, fault: faultOf(view, "label") })}
<fieldset class="checks"><legend>${words.scopes}</legend>${view.scopes.map((scope) =>
    checkField({
      ...{ name: "scopes", id: `scope-${scope}`, value: scope, label: words.scope[scope] },
      checked: typed.scopes.includes(scope),
    }),
  )}${fault === null ? null : html`<p class="fault">${fault}</p>`}</fieldset>
${selectField({ name: "days", label: words.days, value: typed.days, choices: lives, fault: faultOf(view, "days") })}
<div class="form-end">${button({ label: words.make, kind: "primary", submit: true })}</div>
</form></details>`;
}

function newToken({ label, secret }: { label: string; secret: string }): Html {
  const more = html`<p class="secret"><code id="new-token">${secret}</code>${copyButton(secret)}</p><p class="muted" hx-ignore>${label}</p>`;
  return callout({ tone: "good", spoken: true, title: words.made, text: words.madeText, more });
}

/** Copies a text that is ours: a token, a code, an address. */
export function copyButton(text: string): Html {
  return html`<button type="button" class="button" data-copy="${text}" data-copied="${words.copied}" data-failed="${words.notCopied}"><span>${words.copy}</span></button>`;
}

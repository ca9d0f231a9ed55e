/** Who has an account: the list, one person, the invitation. For admins. */

import type { Person } from "../src/accounts/accounts.ts";
import type { Allowance, Usage } from "../src/assets/allowances.ts";
import { bytesInWords } from "../src/byte-words.ts";
import type { Estate } from "../src/jobs/estate.ts";
import type { FieldFault } from "../src/trouble.ts";
import { copyButton } from "./account.ts";
import { badge } from "./components/badge.ts";
import { button } from "./components/button.ts";
import { card } from "./components/card.ts";
import { selectField, textField } from "./components/field.ts";
import { callout } from "./components/notice.ts";
import { table } from "./components/table.ts";
import { type Html, html } from "./html.ts";
import type { Viewer } from "./layout.ts";
import { sizeText } from "./quantities.ts";
import { settingsPage } from "./settings-frame.ts";
import { texts } from "./texts/texts.ts";
import { clockText, timeText } from "./times.ts";

const words = texts.people;

/** Shortest password that the form lets through; the server decides. */
const PASSWORD_LEAST = 10;

export type ShownPerson = Person & { usage: Usage; allowance: Allowance };

/** What to give to somebody; shown this once. */
export interface ShownInvitation {
  name: string;
  code: string;
  /** The whole address of the page where it is used. */
  address: string;
  expiresAt: string;
}

interface Outcome {
  faults?: readonly FieldFault[];
  said?: string | null;
  refused?: string | null;
  invitation?: ShownInvitation | null;
}

export interface PeopleView extends Outcome {
  people: readonly ShownPerson[];
  /** What was typed for somebody new. */
  typed?: { name: string; role: string; how: string };
}

const faultOf = ({ faults = [] }: Outcome, path: string) =>
  faults.find((fault) => fault.path === path)?.message ?? null;

const roles = [
  { value: "member", label: words.member },
  { value: "admin", label: words.admin },
];

export function peoplePage(viewer: Viewer, view: PeopleView): Html {
  const columns = [
    ...[{ title: words.name }, { title: words.role }, { title: words.files }],
    ...[{ title: words.seen }, { title: words.state }],
  ];
  const rows = view.people.map((person) => ({
    cells: [
      html`<a class="person-link" href="/settings/people/${person.id}" hx-ignore>${person.name}</a>`,
      person.role === "admin" ? words.admin : words.member,
      usageText(person.usage),
      person.lastSeenAt === null ? words.never : timeText(person.lastSeenAt),
      stateOf(person, viewer),
    ],
  }));
  const list = html`<p class="muted">${words.lead}</p>${table({ caption: words.title, columns, rows })}${addForm(view)}`;
  const body = html`${invitationOf(view)}${card({ id: "people-list", title: words.title, across: true, body: list })}`;
  const { said = null, refused = null } = view;
  return settingsPage(viewer, { part: "people", body, said, refused });
}

function usageText({ assetCount, usedBytes, quotaBytes }: Usage): string {
  return words.counted(
    assetCount,
    sizeText(usedBytes),
    quotaBytes === null ? null : sizeText(quotaBytes),
  );
}

function stateOf(person: ShownPerson, viewer: Viewer): Html | string {
  if (person.disabledAt !== null) return badge({ tone: "bad", label: words.disabled });
  if (!person.hasPassword) return badge({ tone: "warn", label: words.invited });
  return person.id === viewer.id ? badge({ tone: "accent", label: words.you }) : "";
}

function addForm(view: PeopleView): Html {
  const typed = view.typed ?? { name: "", role: "member", how: "code" };
  const way = (value: string, label: string) =>
    html`<label><input type="radio" name="how" value="${value}" checked="${typed.how === value}"><span>${label}</span></label>`;
  return html`<details class="add-form" open="${view.typed !== undefined}"><summary class="button">${words.add}</summary>
<form method="post" action="/settings/people" class="stack" data-keep="person">
${textField({ name: "name", label: words.name, value: typed.name, maxLength: 64, required: true, autocomplete: "off", fault: faultOf(view, "name") })}
${selectField({ name: "role", label: words.role, value: typed.role, choices: roles, hint: words.roleHint })}
<fieldset class="choice-list"><legend>${words.how}</legend>${way("code", words.byCode)}${way("password", words.byPassword)}
${textField({ name: "password", label: words.password, type: "password", autocomplete: "new-password", hint: words.passwordHint(PASSWORD_LEAST), maxLength: 1024, fault: faultOf(view, "password") })}</fieldset>
<div class="form-end">${button({ label: words.create, kind: "primary", submit: true })}</div>
</form></details>`;
}

function invitationOf({ invitation }: Outcome): Html | null {
  if (!invitation) return null;
  const { name, code, address, expiresAt } = invitation;
  const more = html`<p><strong hx-ignore>${name}</strong> · ${words.invitationFor} ${clockText(expiresAt)}</p>
<p class="secret"><code hx-ignore>${address}</code>${copyButton(address)}</p><p class="muted">${words.code}: <code>${code}</code></p>`;
  return callout({ tone: "good", spoken: true, title: words.invitation, more });
}

export interface PersonView extends Outcome {
  person: ShownPerson;
  /** Those that can get the files. */
  heirs: readonly { id: string; name: string }[];
  estate: Estate;
  /** What was typed for the allowance. */
  typed?: { quota: string; uploadDays: string; outputDays: string };
}

export function personPage(viewer: Viewer, view: PersonView): Html {
  const { person } = view;
  const body = html`<p>${button({ label: words.back, href: "/settings/people", icon: "back", kind: "quiet" })}</p>
${invitationOf(view)}
<div class="page-head"><h2 hx-ignore>${person.name}</h2>${stateOf(person, viewer)}</div>
<div class="settings-pair">${rightsCard(view)}${allowanceCard(view)}</div>
${removeCard(view)}`;
  const { said = null, refused = null } = view;
  return settingsPage(viewer, { part: "people", body, said, refused });
}

function rightsCard({ person }: PersonView): Html {
  const { id, name, role, disabledAt } = person;
  const here = `/settings/people/${id}`;
  const disable = { title: words.disableTitle, text: words.disableText(name), yes: words.disable };
  const code = { title: words.newCodeTitle, text: words.newCodeText(name), yes: words.newCode };
  const door =
    disabledAt === null
      ? button({
          ...{ label: words.disable, kind: "quiet danger-text" },
          request: { method: "post", address: `${here}/disable`, question: disable },
        })
      : button({ label: words.enable, request: { method: "post", address: `${here}/enable` } });
  const body = html`<form method="post" action="${here}/role" class="stack">
${selectField({ name: "role", label: words.role, value: role, choices: roles, hint: words.roleHint })}
<div class="form-end">${button({ label: words.saveRole, submit: true })}</div></form>
<div class="form-end">${door}
<form method="post" action="${here}/code">${button({ label: words.newCode, submit: true })}</form></div>
<p class="hint">${code.text}</p>`;
  return card({ id: "rights", title: words.rights, body });
}

function allowanceCard(view: PersonView): Html {
  const { id, allowance, usage } = view.person;
  const typed = view.typed ?? {
    quota: quotaText(allowance.quotaBytes),
    uploadDays: allowance.uploadDays === null ? "" : String(allowance.uploadDays),
    outputDays: allowance.outputDays === null ? "" : String(allowance.outputDays),
  };
  const days = { type: "number", min: 0, max: 36_500 } as const;
  const body = html`<p class="muted">${usageText(usage)}</p>
<form method="post" action="/settings/people/${id}/allowance" class="stack" data-keep="allowance">
${textField({ name: "quota", label: words.quota, value: typed.quota, hint: words.quotaHint, maxLength: 20, required: true, fault: faultOf(view, "quota") })}
${textField({ name: "uploadDays", label: words.uploadDays, value: typed.uploadDays, hint: words.daysHint, fault: faultOf(view, "uploadDays"), ...days })}
${textField({ name: "outputDays", label: words.outputDays, value: typed.outputDays, hint: words.daysHint, fault: faultOf(view, "outputDays"), ...days })}
<div class="form-end">${button({ label: words.saveAllowance, submit: true })}</div></form>`;
  return card({ id: "allowance", title: words.allowance, body });
}

/** As it is typed: "100 GB", "none", "default". */
export function quotaText(bytes: number | null): string {
  if (bytes === null) return "default";
  return bytes === 0 ? "none" : bytesInWords(bytes);
}

function removeCard(view: PersonView): Html {
  const { person, estate, heirs } = view;
  const { assets, bytes, unfinishedJobs, unfinishedImports } = estate;
  const choice = (value: string, label: string, hint: string, checked: boolean) =>
    html`<label><input type="radio" name="files" value="${value}" required checked="${checked}"><span>${label}</span><span class="hint">${hint}</span></label>`;
  const choices = heirs.map(({ id, name }) => ({ value: id, label: name }));
  const [first] = choices;
  const busy = unfinishedJobs + unfinishedImports > 0;
  const what = assets === 0 ? words.nothingLeft : words.leaves(assets, sizeText(bytes));
  const body = html`<details class="add-form" open="${(view.faults ?? []).length > 0 && view.typed === undefined}"><summary class="button quiet danger-text">${words.remove}</summary>
<form method="post" action="/settings/people/${person.id}/delete" class="stack" hx-ignore>
<p>${words.removeText(person.name)} ${what}</p>
${busy ? callout({ tone: "warn", text: words.unfinished(unfinishedJobs, unfinishedImports) }) : null}
<fieldset class="choice-list"><legend class="sr-only">${words.files}</legend>
${first === undefined ? null : html`${choice("give", words.give, words.giveHint, assets > 0)}${selectField({ name: "to", label: words.to, value: first.value, choices, fault: faultOf(view, "to") })}`}
${choice("delete", words.delete, words.deleteHint, assets === 0)}</fieldset>
${textField({ name: "confirm", label: words.confirmName(person.name), required: true, maxLength: 64, fault: faultOf(view, "confirm") })}
<div class="form-end">${button({ label: words.removeYes, kind: "danger", submit: true })}</div></form></details>`;
  return card({ id: "remove", title: words.remove, across: true, body });
}

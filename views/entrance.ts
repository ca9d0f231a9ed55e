/** The pages before the login: the first start and the login itself. */
import type { FieldFault } from "../src/trouble.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { page, themeButton } from "./layout.ts";

export interface SetupView {
  /** What was typed, to show it again. Passwords never come back. */
  values: { code: string; name: string };
  /** Faults by field: `code`, `name`, `password`, `repeat`, or "" for the whole. */
  errors: readonly FieldFault[];
}

export interface LoginView {
  name: string;
  /** Where to go afterwards; only a path of this server. */
  next: string;
  /** A sentence, or null. */
  error: string | null;
}

/** Shortest password that the form lets through; the server decides. */
const PASSWORD_MIN_CHARACTERS = 10;

function frame(title: string, inside: Html): Html {
  const body = html`<div class="entrance">
<div class="entrance-top">${themeButton()}</div>
<div class="entrance-card"><p class="brand">${icon("mark")}<span>Kinomill</span></p>
${inside}</div>
</div>`;
  return page({ title, viewer: null, active: null, body });
}

/** `GET /setup`; with errors also the answer to a refused `POST /setup`. */
export function setupPage(view: SetupView): Html {
  const fault = (path: string) => view.errors.find((error) => error.path === path)?.message ?? null;
  const inside = html`<h1>Welcome</h1>
<p class="lead">This Kinomill is new. Make its first account: the administrator.</p>
${view.errors.filter((error) => error.path === "").map((error) => callout(error.message))}
<form method="post" action="/setup" class="stack">
${textField({ name: "code", label: "Setup code", value: view.values.code, fault: fault("code"), attributes: codeField })}
<details class="help"><summary>Where is the setup code?</summary>
<p>Kinomill wrote it to its log when it started, so that only somebody with access to the machine can do this.</p>
<p>In the terminal where it runs, or:</p>
<p><code>journalctl -u kinomill | grep "setup code"</code></p>
<p><code>docker logs kinomill</code></p>
</details>
${textField({ name: "name", label: "Your name", value: view.values.name, fault: fault("name"), attributes: nameField })}
${textField({ name: "password", label: "Password", value: "", fault: fault("password"), attributes: newPassword, hint: `At least ${PASSWORD_MIN_CHARACTERS} characters. A few words together are fine.` })}
${textField({ name: "repeat", label: "Password again", value: "", fault: fault("repeat"), attributes: newPassword })}
<button type="submit" class="button primary wide">Create the account</button>
</form>`;
  return frame("Welcome", inside);
}

/** `GET /login`; with an error also the answer to a refused `POST /login`. */
export function loginPage(view: LoginView): Html {
  const inside = html`<h1>Log in</h1>
${view.error === null ? null : callout(view.error)}
<form method="post" action="/login" class="stack">
<input type="hidden" name="next" value="${view.next}">
${textField({ name: "name", label: "Name", value: view.name, fault: null, attributes: firstNameField })}
${textField({ name: "password", label: "Password", value: "", fault: null, attributes: oldPassword })}
<button type="submit" class="button primary wide">Log in</button>
</form>`;
  return frame("Log in", inside);
}

function callout(sentence: string): Html {
  return html`<div class="callout bad" role="alert">${icon("warning")}<p hx-ignore>${sentence}</p></div>`;
}

interface FieldAttributes {
  type: "text" | "password";
  autocomplete: string;
  maxLength: number;
  minLength?: number;
  code?: boolean;
  /** Has the focus when the page opens. */
  first?: boolean;
}

const codeField: FieldAttributes = {
  type: "text",
  autocomplete: "one-time-code",
  maxLength: 200,
  code: true,
  first: true,
};
const nameField: FieldAttributes = { type: "text", autocomplete: "username", maxLength: 64 };
const firstNameField: FieldAttributes = { ...nameField, first: true };
const oldPassword: FieldAttributes = {
  type: "password",
  autocomplete: "current-password",
  maxLength: 1024,
};
const newPassword: FieldAttributes = {
  type: "password",
  autocomplete: "new-password",
  maxLength: 1024,
  minLength: PASSWORD_MIN_CHARACTERS,
};

interface TextField {
  name: string;
  label: string;
  value: string;
  fault: string | null;
  hint?: string;
  attributes: FieldAttributes;
}

function textField(field: TextField): Html {
  const { attributes } = field;
  const notes = [
    field.hint === undefined ? null : `hint-${field.name}`,
    field.fault === null ? null : `fault-${field.name}`,
  ].filter((id) => id !== null);
  return html`<div class="field">
<label for="field-${field.name}">${field.label}</label>
<input id="field-${field.name}" class="${attributes.code ? "mono" : null}" name="${field.name}" type="${attributes.type}" value="${field.value}" required autocomplete="${attributes.autocomplete}" maxlength="${attributes.maxLength}" minlength="${attributes.minLength}" autocapitalize="none" spellcheck="false" autofocus="${attributes.first ?? false}" aria-invalid="${field.fault === null ? null : "true"}" aria-describedby="${notes.length === 0 ? null : notes.join(" ")}">
${field.hint === undefined ? null : html`<p class="hint" id="hint-${field.name}">${field.hint}</p>`}
${field.fault === null ? null : html`<p class="fault" id="fault-${field.name}">${field.fault}</p>`}
</div>`;
}

/** The pages before the login: the first start and the login itself. */
import type { FieldFault } from "../src/trouble.ts";
import { button } from "./components/button.ts";
import { textField } from "./components/field.ts";
import { callout } from "./components/notice.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { page, themeButton } from "./layout.ts";
import { loginFields, NAME_MAX_CHARACTERS, PASSWORD_MAX_CHARACTERS } from "./login-fields.ts";
import { texts } from "./texts/texts.ts";

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

const words = texts.entrance;

/** The frame of the pages before the login. */
export function entranceFrame(title: string, inside: Html): Html {
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
  const whole = view.errors.filter((error) => error.path === "");
  const password = {
    type: "password",
    autocomplete: "new-password",
    minLength: PASSWORD_MIN_CHARACTERS,
    maxLength: PASSWORD_MAX_CHARACTERS,
    required: true,
  } as const;
  const inside = html`<h1>${words.welcome}</h1>
<p class="lead">${words.isNew}</p>
${whole.map((error) => callout({ tone: "bad", spoken: true, text: error.message }))}
<form method="post" action="/setup" class="stack">
${textField({ name: "code", label: words.code, value: view.values.code, fault: fault("code"), autocomplete: "one-time-code", maxLength: 200, code: true, first: true, required: true })}
<details class="help"><summary>${words.whereIsCode}</summary>
<p>${words.codeIsInLog}</p>
<p>${words.inTerminal}</p>
<p><code>journalctl -u kinomill | grep "setup code"</code></p>
<p><code>docker logs kinomill</code></p>
</details>
${textField({ name: "name", label: words.yourName, value: view.values.name, fault: fault("name"), autocomplete: "username", maxLength: NAME_MAX_CHARACTERS, required: true })}
${textField({ name: "password", label: words.password, fault: fault("password"), hint: words.passwordHint(PASSWORD_MIN_CHARACTERS), ...password })}
${textField({ name: "repeat", label: words.passwordAgain, fault: fault("repeat"), ...password })}
${button({ label: words.create, kind: "primary", wide: true, submit: true })}
</form>`;
  return entranceFrame(words.welcome, inside);
}

/** `GET /login`; with an error also the answer to a refused `POST /login`. */
export function loginPage(view: LoginView): Html {
  const inside = html`<h1>${words.logIn}</h1>
${view.error === null ? null : callout({ tone: "bad", spoken: true, text: view.error })}
<form method="post" action="/login" class="stack">
<input type="hidden" name="next" value="${view.next}">
${loginFields(view.name, "field")}
${button({ label: words.logIn, kind: "primary", wide: true, submit: true })}
</form>`;
  return entranceFrame(words.logIn, inside);
}

/** The way in with a code of an admin: a password is set, and its owner is inside. */
import type { FieldFault } from "../src/trouble.ts";
import { button } from "./components/button.ts";
import { textField } from "./components/field.ts";
import { entranceFrame } from "./entrance.ts";
import { type Html, html } from "./html.ts";
import { PASSWORD_MAX_CHARACTERS } from "./login-fields.ts";
import { texts } from "./texts/texts.ts";

const words = texts.people.join;

/** Shortest password that the form lets through; the server decides. */
const PASSWORD_LEAST = 10;

export interface InvitationView {
  code: string;
  /** Whose account it is; null while the code is not known. */
  name: string | null;
  faults: readonly FieldFault[];
}

export function invitationPage({ code, name, faults }: InvitationView): Html {
  const fault = (path: string) => faults.find((each) => each.path === path)?.message ?? null;
  const codeField = textField({
    ...{ name: "code", label: words.code, hint: words.codeHint, value: code, code: true },
    ...{ fault: fault("code"), autocomplete: "one-time-code", maxLength: 200, required: true },
    first: name === null,
  });
  if (name === null) {
    return entranceFrame(
      words.title,
      html`<h1>${words.title}</h1>
<form method="get" action="/invitation" class="stack">${codeField}
${button({ label: words.check, kind: "primary", wide: true, submit: true })}</form>`,
    );
  }
  const fresh = {
    ...({ type: "password", autocomplete: "new-password", required: true } as const),
    ...{ minLength: PASSWORD_LEAST, maxLength: PASSWORD_MAX_CHARACTERS },
  };
  return entranceFrame(
    words.title,
    html`<h1>${words.title}</h1>
<p class="lead">${words.lead}</p>
<form method="post" action="/invitation" class="stack">
<input type="hidden" name="code" value="${code}">
<input type="hidden" name="username" autocomplete="username" value="${name}">
<dl class="pairs"><div><dt>${words.account}</dt><dd hx-ignore>${name}</dd></div></dl>
${textField({ name: "password", label: words.password, hint: texts.people.passwordHint(PASSWORD_LEAST), fault: fault("password"), first: true, ...fresh })}
${textField({ name: "repeat", label: words.repeat, fault: fault("repeat"), ...fresh })}
${button({ label: words.enter, kind: "primary", wide: true, submit: true })}
</form>`,
  );
}

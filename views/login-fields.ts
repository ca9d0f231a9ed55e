/** Name and password, on the page of the login and in the dialog of a page whose session has ended. */
import { textField } from "./components/field.ts";
import { type Html, html } from "./html.ts";
import { texts } from "./texts/texts.ts";

/** What the forms let through; the server decides. */
export const PASSWORD_MAX_CHARACTERS = 1024;
export const NAME_MAX_CHARACTERS = 64;

const words = texts.entrance;

/** @param prefix begins the ids of the fields */
export function loginFields(name: string, prefix: string): Html {
  const first = name === "";
  return html`${textField({ id: `${prefix}-name`, name: "name", label: words.name, value: name, autocomplete: "username", maxLength: NAME_MAX_CHARACTERS, first, required: true })}
${textField({ id: `${prefix}-password`, name: "password", label: words.password, type: "password", autocomplete: "current-password", maxLength: PASSWORD_MAX_CHARACTERS, first: !first, required: true })}`;
}

/** Fields of forms: a label, the control, what it is for, and what is wrong with it, all tied together. */
import { type Html, html } from "../html.ts";
import { icon } from "../icons.ts";

/** What every field has. */
interface Labelled {
  /** Its name in the form, and the path under which the server tells a fault. */
  name: string;
  label: string;
  /** Of the control; by default from the name. */
  id?: string;
  /** A sentence about what belongs there. */
  hint?: string | Html | null;
  /** Why the server did not take it. */
  fault?: string | null;
  required?: boolean;
  disabled?: boolean;
  /** Takes the whole width where fields stand side by side. */
  wide?: boolean;
}

export interface TextField extends Labelled {
  type?: "text" | "password" | "email" | "url" | "number" | "search" | "datetime-local" | "date";
  value?: string | number | null;
  /** Of what the number is: "s", "px". */
  unit?: string;
  autocomplete?: string;
  placeholder?: string;
  minLength?: number;
  maxLength?: number;
  min?: number;
  max?: number;
  step?: number | "any";
  /** Of one width for all letters: codes, paths. */
  code?: boolean;
  /** Has the focus when the page opens. */
  first?: boolean;
  /** More than one line. */
  rows?: number;
}

export interface Choice {
  value: string;
  label: string;
}

/** A line, a number, a password or, with `rows`, a text. */
export function textField(field: TextField): Html {
  const { name, type = "text", code = false, first = false, value = null } = field;
  const { required = false, disabled = false, rows } = field;
  const id = idOf(field);
  const style = code ? "mono" : null;
  // Only what people write for others is worth correcting; names and codes are not.
  const exact = type !== "text" || code || field.autocomplete !== undefined;
  const spelled = exact ? "false" : null;
  const control =
    rows === undefined
      ? html`<input id="${id}" class="${style}" name="${name}" type="${type}" value="${value}" required="${required}" disabled="${disabled}" autocomplete="${field.autocomplete ?? "off"}" placeholder="${field.placeholder}" maxlength="${field.maxLength}" minlength="${field.minLength}" min="${field.min}" max="${field.max}" step="${field.step}" autocapitalize="${exact ? "none" : null}" spellcheck="${spelled}" autofocus="${first}" aria-invalid="${invalid(field)}" aria-describedby="${notes(field)}">`
      : html`<textarea id="${id}" class="${code ? "code" : null}" name="${name}" rows="${rows}" required="${required}" disabled="${disabled}" autocomplete="${field.autocomplete ?? "off"}" placeholder="${field.placeholder}" maxlength="${field.maxLength}" spellcheck="${code ? "false" : null}" autofocus="${first}" aria-invalid="${invalid(field)}" aria-describedby="${notes(field)}">${value}</textarea>`;
  return around(field, control, field.unit);
}

export interface SelectField extends Labelled {
  value: string;
  choices: readonly Choice[];
}

export function selectField(field: SelectField): Html {
  const { name, value, choices, required = false, disabled = false } = field;
  const options = choices.map(
    (choice) =>
      html`<option value="${choice.value}" selected="${choice.value === value}">${choice.label}</option>`,
  );
  return around(
    field,
    html`<span class="select"><select id="${idOf(field)}" name="${name}" required="${required}" disabled="${disabled}" aria-invalid="${invalid(field)}" aria-describedby="${notes(field)}">${options}</select>${icon("chevron")}</span>`,
  );
}

export interface CheckField extends Labelled {
  checked: boolean;
  value?: string;
  /** A lever instead of a box: for what holds at once. */
  lever?: boolean;
}

export function checkField(field: CheckField): Html {
  const { name, checked, label, value = "true", disabled = false, lever = false } = field;
  return html`<div class="field check${lever ? " lever" : ""}${field.wide ? " wide" : ""}" data-field="${name}"><label for="${idOf(field)}"><input type="checkbox" role="${lever ? "switch" : null}" id="${idOf(field)}" name="${name}" value="${value}" checked="${checked}" disabled="${disabled}" aria-invalid="${invalid(field)}" aria-describedby="${notes(field)}"><span>${label}</span></label>${below(field)}</div>`;
}

export interface SearchField {
  /** What a search looks through: its name, and what stands in the empty field. */
  label: string;
  value: string;
  name?: string;
  id?: string;
  maxLength?: number;
}

/** The search of a room: `/` leads to it. */
export function searchField({ label, value, name = "q", id, maxLength = 200 }: SearchField): Html {
  return html`<label class="search-field">${icon("search")}<span class="sr-only">${label}</span><input type="search" id="${id}" name="${name}" value="${value}" placeholder="${label}" maxlength="${maxLength}" autocomplete="off" data-shortcut="/"></label>`;
}

function idOf({ id, name }: Labelled): string {
  return id ?? `field-${name.replaceAll(".", "-")}`;
}

function invalid({ fault }: Labelled): "true" | null {
  return fault === undefined || fault === null ? null : "true";
}

function notes(field: Labelled): string | null {
  const id = idOf(field);
  const ids = [
    field.hint === undefined || field.hint === null ? null : `${id}-hint`,
    invalid(field) === null ? null : `${id}-fault`,
  ].filter((each) => each !== null);
  return ids.length === 0 ? null : ids.join(" ");
}

function around(field: Labelled, control: Html, unit?: string): Html {
  const measured = unit === undefined ? null : html` <span class="unit">${unit}</span>`;
  return html`<div class="field${field.wide ? " wide" : ""}" data-field="${field.name}"><label for="${idOf(field)}">${field.label}${measured}</label>${control}${below(field)}</div>`;
}

function below(field: Labelled): Html {
  const id = idOf(field);
  const { hint = null, fault = null } = field;
  return html`${hint === null ? null : html`<p class="hint" id="${id}-hint">${hint}</p>`}${fault === null ? null : html`<p class="fault" id="${id}-fault" hx-ignore>${fault}</p>`}`;
}

/** Fields of parameters, made from their flat list: groups, switches, rows of lists, and all kinds of input. */

import type { FieldCondition } from "../src/operations/conditions.ts";
import { spokenList } from "../src/operations/parameter-texts.ts";
import type { ParameterField } from "../src/operations/parameters.ts";
import {
  chosenWord,
  type Filling,
  holdingAtFirst,
  isSwitch,
  shownValue,
  valueAt,
} from "./field-values.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { choiceTitle } from "./media-words.ts";
import { texts } from "./texts/texts.ts";

const words = texts.make;

/** How many of the form's parts stand open: the first, nameless one and the one after it. */
const OPEN_GROUPS = 2;

/** Where fields are drawn: in which object or row, and which conditions hold there already. */
interface Scope {
  base: string;
  filling: Filling;
  holding: readonly FieldCondition[];
  /** Whether conditions hold at first. */
  hold(conditions: readonly FieldCondition[]): boolean;
}

/** All fields of a form. */
export function parameterFieldset(fields: readonly ParameterField[], filling: Filling): Html {
  const hold = holdingAtFirst(fields, filling);
  return html`${fieldsWithin(fields, { base: "", filling, holding: [], hold })}`;
}

/** The fields that stand directly in the scope, in grids, and a foldable part for each object within. */
function fieldsWithin(fields: readonly ParameterField[], scope: Scope): Html[] {
  const parts = Map.groupBy(fields, (field) => partOf(field, fields, scope.base));
  return [...parts].map(([path, members], position) => {
    if (path !== scope.base) return foldable(path, members, scope, position < OPEN_GROUPS);
    const plain = members.filter(({ advanced }) => !advanced);
    return html`<div class="field-grid">${plain.map((field) => oneField(field, scope))}</div>
${advancedPart(members, scope)}`;
  });
}

/** What only those need who know what it is: folded away, and open where something in it was chosen. */
function advancedPart(members: readonly ParameterField[], scope: Scope): Html | null {
  const fields = members.filter(({ advanced }) => advanced);
  const [first] = fields;
  if (first === undefined) return null;
  const common = commonConditions(fields, scope);
  const inside = { ...scope, holding: [...scope.holding, ...common] };
  const chosen = fields.some(({ path }) => valueAt(scope.filling, path.split(".")) !== undefined);
  const part = html`<details class="advanced" open="${chosen}"><summary>${icon("chevron")}${words.more}<span class="muted">${fields.map(({ label, path }) => html`<span data-label-of="${path}">${label}</span> `)}</span></summary>
<div class="field-grid">${fields.map((field) => oneField(field, inside))}</div></details>`;
  return onlyWhen(common, part, scope);
}

/** Path of the outermost object between the base and the field; the base itself when there is none. */
function partOf(field: ParameterField, fields: readonly ParameterField[], base: string): string {
  if (field.groupPath === base) return base;
  const around = fields
    .map(({ groupPath }) => groupPath)
    .filter((path) => path !== base && `${field.groupPath}.`.startsWith(`${path}.`));
  return around.toSorted((a, b) => a.length - b.length)[0] ?? field.groupPath;
}

/**
 * Fields of one object; later ones are folded, since their defaults are mostly right. When the first field
 * is the switch of an optional object, app.js hides the rest while it is off.
 */
function foldable(
  path: string,
  fields: readonly ParameterField[],
  scope: Scope,
  open: boolean,
): Html {
  const [first, ...rest] = fields;
  const common = commonConditions(fields, scope);
  const inside: Scope = { ...scope, base: path, holding: [...scope.holding, ...common] };
  const title = fields.find(({ groupPath }) => groupPath === path)?.group ?? path;
  if (first !== undefined && isSwitch(first) && first.path === path && rest.length > 0) {
    const switched = html`<div class="group">${oneField({ ...first, label: title }, inside, "switch")}
<fieldset class="group-inside" data-switched aria-label="${title}" data-off="${shownValue(first, scope.filling) !== true}">${fieldsWithin(rest, inside)}</fieldset></div>`;
    return onlyWhen(common, switched, scope);
  }
  const filled = valueAt(scope.filling, path.split(".")) !== undefined;
  const part = html`<details class="group" open="${open || filled}"><summary>${icon("chevron")}${title}</summary>
<fieldset class="group-inside" aria-label="${title}">${fieldsWithin(fields, inside)}</fieldset></details>`;
  return onlyWhen(common, part, scope);
}

/** Conditions of all of the fields that do not hold here already. */
function commonConditions(fields: readonly ParameterField[], scope: Scope): FieldCondition[] {
  return (fields[0]?.when ?? []).filter(
    (condition) =>
      !scope.holding.some((held) => isSame(held, condition)) &&
      fields.every(({ when }) => when.some((each) => isSame(each, condition))),
  );
}

function isSame(a: FieldCondition, b: FieldCondition): boolean {
  return a.path === b.path && a.not === b.not && a.values.join("\n") === b.values.join("\n");
}

/** Fields that count only under conditions; forms.js hides them and takes them out while those do not hold. */
function onlyWhen(conditions: readonly FieldCondition[], content: Html, { hold }: Scope): Html {
  if (conditions.length === 0) return content;
  return html`<fieldset class="when" data-when="${JSON.stringify(conditions)}" data-off="${!hold(conditions)}">${content}</fieldset>`;
}

function oneField(field: ParameterField, scope: Scope, role: "plain" | "switch" = "plain"): Html {
  const open = field.when.filter((each) => !scope.holding.some((held) => isSame(each, held)));
  const value = shownValue(field, scope.filling);
  const drawn =
    field.kind === "list" ? listField(field, value, scope) : parameterField(field, value, role);
  return onlyWhen(open, drawn, scope);
}

/**
 * Rows that a person adds, moves and takes away, with an empty one in a template. Without scripts the list is
 * a field for JSON.
 */
function listField(field: ParameterField, value: unknown, scope: Scope): Html {
  const list: unknown[] = Array.isArray(value) ? value : [];
  const fewest = field.required ? Math.max(1, field.rows.min) : field.rows.min;
  const count = Math.max(list.length, field.required ? fewest : 0);
  // A choice between words and the list has the plain id.
  const id = `${fieldId(field)}-list`;
  const rows = Array.from({ length: count }, (_, index) =>
    listRow(field, `${field.path}.${index}`, scope),
  );
  const json = { ...field, kind: "json" as const };
  return html`<fieldset class="field list" id="${id}" data-field="${field.path}" data-list="${field.path}" data-min="${fewest}" data-max="${field.rows.max}">
<legend>${field.label}</legend>
<p class="hint">${field.description}</p>
<ol class="list-rows">${rows}</ol>
<template>${listRow(field, `${field.path}.+`, { ...scope, filling: null })}</template>
<div class="list-actions"><button type="button" class="button" data-add-row>${icon("plus")}${words.add}<span class="sr-only"> ${words.toList(field.label.toLowerCase())}</span></button></div>
<noscript>${inputField(`${id}-json`, json, list.length === 0 ? undefined : list, null)}</noscript>
</fieldset>`;
}

function listRow(field: ParameterField, path: string, { filling, hold }: Scope): Html {
  const fields = field.row.map((each) => movedTo(each, `${field.path}.+`, path));
  const label = words.rowOf(field.label);
  return html`<li class="list-row" data-row="${path}"><fieldset aria-label="${label}">
<input type="hidden" name="${path}" value="true">
${fieldsWithin(fields, { base: path, filling, holding: [], hold })}
</fieldset>${rowButtons()}</li>`;
}

/** Up, down and away: of rows of lists and of the files of a job. */
export function rowButtons(): Html {
  return html`<div class="row-buttons">
<button type="button" class="icon-button" data-move="-1" aria-label="${words.moveUp}">${icon("up")}</button>
<button type="button" class="icon-button" data-move="1" aria-label="${words.moveDown}">${icon("chevron")}</button>
<button type="button" class="icon-button" data-remove aria-label="${words.remove}">${icon("close")}</button>
</div>`;
}

/** The field as it is in a certain row: every path that begins with `from` begins with `to`. */
function movedTo(field: ParameterField, from: string, to: string): ParameterField {
  const moved = (path: string) =>
    path === from || path.startsWith(`${from}.`) ? to + path.slice(from.length) : path;
  return {
    ...field,
    path: moved(field.path),
    groupPath: moved(field.groupPath),
    when: field.when.map((each) => ({ ...each, path: moved(each.path) })),
    row: field.row.map((each) => movedTo(each, from, to)),
  };
}

function fieldId(field: ParameterField): string {
  return `p-${field.path.replaceAll(".", "-")}`;
}

function hintId(field: ParameterField): string | null {
  return field.description === "" ? null : `${fieldId(field)}-hint`;
}

function hintOf(field: ParameterField): Html | null {
  const id = hintId(field);
  if (id === null) return null;
  const commas = field.kind === "words" ? ` ${words.withCommas}` : "";
  return html`<p class="hint" id="${id}">${describedChoices(field)}${commas}</p>`;
}

/** Choices are written in the description by their words in the API, and read here as they are called on the page. */
function describedChoices({ description, options }: ParameterField): Html {
  const called = new Map(options.map((option) => [option.value, optionLabel(option)]));
  const plain = [...called.keys()].filter((value) => /^[a-z][a-z0-9-]+$/.test(value));
  if (plain.length === 0) return html`${description}`;
  // A choice that a sentence or its part begins with; elsewhere it may be a word like any other.
  const spoken = new RegExp(`(^|[.;:] | and | or )(${plain.join("|")})(?=[ ,;])`, "g");
  const parts: Html[] = [];
  let end = 0;
  for (const { 0: all, 1: before = "", 2: value = "", index } of description.matchAll(spoken)) {
    if (!/^(?:|[.;:] )$/.test(before) && end === 0) continue;
    parts.push(html`${description.slice(end, index)}${before}<b>${called.get(value)}</b>`);
    end = index + all.length;
  }
  return html`${parts}${description.slice(end)}`;
}

function parameterField(field: ParameterField, value: unknown, role: "plain" | "switch"): Html {
  const id = fieldId(field);
  const hint = hintId(field);
  if (field.kind === "boolean") {
    return html`<div class="field check" data-field="${field.path}">
<input type="hidden" name="${field.path}" value="false">
<label for="${id}"><input type="checkbox" id="${id}" name="${field.path}" value="true" checked="${value === true}" aria-describedby="${hint}" data-switch="${role === "switch"}"><span>${field.label}</span></label>
${hintOf(field)}</div>`;
  }
  const unit = field.unit === null ? null : html` <span class="unit">${field.unit}</span>`;
  const wide = field.kind === "longtext" || field.kind === "json" ? " wide" : "";
  return html`<div class="field${wide}" data-field="${field.path}">
<label for="${id}">${field.label}${unit}</label>
${field.kind === "select" ? selectField(id, field, value, hint) : inputField(id, field, value, hint)}
${hintOf(field)}</div>`;
}

function selectField(id: string, field: ParameterField, value: unknown, hint: string | null): Html {
  const own = new Set(field.options.map((option) => option.value));
  const chosen = chosenWord(value);
  const none =
    chosen === "" && !own.has("") && !field.required
      ? html`<option value="">${words.automatic}</option>`
      : null;
  return html`<span class="select"><select id="${id}" name="${field.path}" aria-describedby="${hint}">${none}${field.options.map(
    (option) =>
      html`<option value="${option.value}" selected="${option.value === chosen}">${optionLabel(option)}</option>`,
  )}</select>${icon("chevron")}</span>`;
}

/** A label that is only the word itself is written as the page writes such words: "mp4" as "MP4". */
function optionLabel({ value, label }: ParameterField["options"][number]): string {
  const isWord = label.toLowerCase() === value.replaceAll("-", " ").toLowerCase();
  return isWord ? choiceTitle(value) : label;
}

/** Units that a person writes in more than one way: "1:30" for 90 s, "5M" for 5,000,000 bit/s. */
const spokenUnits: Record<string, string> = words.spokenUnits;

function inputField(id: string, field: ParameterField, value: unknown, hint: string | null): Html {
  const text = textOf(value);
  const placeholder = placeholderOf(field);
  if (field.kind === "longtext" || field.kind === "json") {
    const code = field.kind === "json" ? "code" : null;
    return html`<textarea id="${id}" name="${field.path}" class="${code}" rows="4" placeholder="${placeholder}" spellcheck="${field.kind === "json" ? "false" : null}" aria-describedby="${hint}" aria-required="${field.required ? "true" : null}">${text}</textarea>`;
  }
  if (field.kind === "colour") {
    const picked = /^#[0-9a-f]{6}$/i.test(text) ? text : "#000000";
    return html`<span class="colour"><input type="color" value="${picked}" aria-label="${words.pickColour(field.label)}" data-colour><input id="${id}" name="${field.path}" type="text" value="${text}" placeholder="${placeholder}" maxlength="20" autocomplete="off" aria-describedby="${hint}" aria-required="${field.required ? "true" : null}"></span>`;
  }
  const spoken = field.unit === null ? undefined : spokenUnits[field.unit];
  if (field.kind === "number" && spoken === undefined) {
    return html`<input id="${id}" name="${field.path}" type="number" inputmode="decimal" min="${field.min}" max="${field.max}" step="${field.step ?? "any"}" value="${text}" placeholder="${placeholder}" autocomplete="off" aria-describedby="${hint}" aria-required="${field.required ? "true" : null}">`;
  }
  const choices = field.kind === "text" && field.options.length > 0 ? `${id}-words` : null;
  const list =
    choices === null
      ? null
      : html`<datalist id="${choices}">${field.options.map((option) => html`<option value="${option.value}">${option.label}</option>`)}</datalist>`;
  return html`<input id="${id}" name="${field.path}" type="text" value="${text}" placeholder="${placeholder}" maxlength="2000" autocomplete="off" list="${choices}" aria-describedby="${hint}" aria-required="${field.required ? "true" : null}">${list}`;
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value) && value.every((item) => typeof item !== "object")) {
    return spokenList(value);
  }
  return typeof value === "object" ? JSON.stringify(value, null, 2) : String(value);
}

/** Shows what may be typed, or that nothing needs to be. */
function placeholderOf(field: ParameterField): string {
  const choices = field.options.map(({ value }) => value);
  const spoken = field.unit === null ? undefined : spokenUnits[field.unit];
  if (field.kind === "json") return field.example ?? "JSON";
  if (field.kind === "colour") return "#4b56d2";
  if (spoken !== undefined) return [spoken, ...choices].join(", ");
  if (field.min !== null && field.max !== null) {
    const more = field.freeText ? [...choices, "…"] : choices;
    return [`${field.min} – ${field.max}`, ...more].join(", ");
  }
  if (choices.length > 0) return `${choices.join(", ")} …`;
  return field.required || field.kind !== "text" ? "" : words.automatic;
}

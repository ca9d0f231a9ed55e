/** The form of an operation, made from the flat list of its fields. */
import type { ParameterField } from "../src/operations/parameters.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { choiceTitle } from "./media-words.ts";

export interface OperationChoice {
  name: string;
  title: string;
  description: string;
}

export interface OperationFormView {
  assetId: string;
  operation: OperationChoice;
  fields: readonly ParameterField[];
}

/** `GET /ui/assets/ID/form?operation=NAME`: stands inside `#operation-form`. */
export function operationForm(view: OperationFormView): Html {
  const groups = Map.groupBy(view.fields, (field) => field.group ?? "");
  return html`<form class="operation-form" id="form-${view.operation.name}" method="post" action="/ui/jobs" hx-post="/ui/jobs" hx-target="#operation-errors" hx-swap="innerHTML" hx-status:422="target:#operation-errors swap:innerHTML" hx-disable="find [type=submit]" data-fault-form>
<p class="muted">${view.operation.description}</p>
<div id="operation-errors"></div>
<input type="hidden" name="operation" value="${view.operation.name}">
<input type="hidden" name="input" value="${view.assetId}">
${[...groups].map(([group, fields], position) => fieldGroup(group, fields, position))}
<div class="form-actions"><button type="submit" class="button primary">${icon("wand")}Start</button><span class="muted">The original stays as it is.</span></div>
</form>`;
}

/** How many of the form's parts stand open: the first, nameless one and the one after it. */
const OPEN_GROUPS = 2;

/**
 * Fields of one group; later groups are folded, since their defaults are mostly right. When the first
 * field is the switch of an optional part (its path is where the others begin), app.js hides the
 * rest while it is off.
 */
function fieldGroup(group: string, fields: readonly ParameterField[], position: number): Html {
  if (group === "")
    return html`<div class="field-grid">${fields.map((field) => parameterField(field))}</div>`;
  const [first, ...rest] = fields;
  const switched =
    first?.kind === "boolean" &&
    rest.length > 0 &&
    rest.every(({ path }) => path.startsWith(`${first.path}.`));
  const inside = switched
    ? html`${parameterField({ ...first, label: `With ${group.toLowerCase()}` }, "switch")}
<fieldset class="field-grid" data-switched aria-label="${group}">${rest.map((field) => parameterField(field))}</fieldset>`
    : html`<fieldset class="field-grid" aria-label="${group}">${fields.map((field) => parameterField(field))}</fieldset>`;
  return html`<details class="group" open="${position < OPEN_GROUPS || switched}"><summary>${icon("chevron")}${group}</summary>
${inside}</details>`;
}

function fieldId(field: ParameterField): string {
  return `p-${field.path.replaceAll(".", "-")}`;
}

function parameterField(field: ParameterField, role: "plain" | "switch" = "plain"): Html {
  const id = fieldId(field);
  const hint = field.description === "" ? null : `${id}-hint`;
  const note = hint === null ? null : html`<p class="hint" id="${hint}">${field.description}</p>`;
  if (field.kind === "boolean") {
    return html`<div class="field check" data-field="${field.path}">
<input type="hidden" name="${field.path}" value="false">
<label for="${id}"><input type="checkbox" id="${id}" name="${field.path}" value="true" checked="${field.default === true}" aria-describedby="${hint}" data-switch="${role === "switch"}"><span>${field.label}</span></label>
${note}</div>`;
  }
  const unit = field.unit === null ? null : html` <span class="unit">${field.unit}</span>`;
  return html`<div class="field" data-field="${field.path}">
<label for="${id}">${field.label}${unit}</label>
${field.kind === "select" ? selectField(id, field, hint) : inputField(id, field, hint)}
${note}</div>`;
}

function selectField(id: string, field: ParameterField, hint: string | null): Html {
  const chosen = field.default === null ? "" : String(field.default);
  const none = chosen === "" ? html`<option value="">Automatic</option>` : null;
  return html`<span class="select"><select id="${id}" name="${field.path}" aria-describedby="${hint}">${none}${field.options.map(
    ({ value, label }) =>
      html`<option value="${value}" selected="${value === chosen}">${label === value ? choiceTitle(value) : label}</option>`,
  )}</select>${icon("chevron")}</span>`;
}

/** Units that a person writes in more than one way: "1:30" for 90 s, "5M" for 5,000,000 bit/s. */
const spokenUnits: Record<string, string> = { s: "90 or 1:30", "bit/s": "5M or 800k" };

function inputField(id: string, field: ParameterField, hint: string | null): Html {
  const value = field.default === null ? "" : String(field.default);
  const spoken = field.unit === null ? undefined : spokenUnits[field.unit];
  if (field.kind === "number" && spoken === undefined) {
    return html`<input id="${id}" name="${field.path}" type="number" inputmode="decimal" min="${field.min}" max="${field.max}" step="${field.step ?? "any"}" value="${value}" placeholder="${rangeText(field)}" autocomplete="off" aria-describedby="${hint}">`;
  }
  return html`<input id="${id}" name="${field.path}" type="text" value="${value}" placeholder="${spoken ?? "Automatic"}" maxlength="2000" autocomplete="off" aria-describedby="${hint}">`;
}

/** Shows what may be typed, or that nothing needs to be. */
function rangeText(field: ParameterField): string {
  return field.min === null || field.max === null ? "Automatic" : `${field.min} – ${field.max}`;
}

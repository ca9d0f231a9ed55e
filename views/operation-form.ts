/** The form of an operation, made from the flat list of its fields. */
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";

/** One parameter as a form shows it; `parameterFields(operation)` gives the list. */
export interface ParameterField {
  /** Dotted path in the parameters: `video.codec`. */
  path: string;
  label: string;
  kind: "select" | "number" | "text" | "boolean";
  /** For a select: what may be chosen. */
  options?: readonly (string | { value: string; label: string })[] | null;
  min?: number | null;
  max?: number | null;
  /** Null or absent: whole numbers are not required. */
  step?: number | null;
  unit?: string | null;
  /** What the schema puts in; null or absent when the field is optional. */
  default?: string | number | boolean | null;
  description?: string | null;
  /** Fields of one group stand together: "Video"; "" or absent for the first, nameless one. */
  group?: string | null;
}

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
${[...groups].map(([group, fields]) => fieldGroup(group, fields))}
<div class="form-actions"><button type="submit" class="button primary">${icon("wand")}Start</button><span class="muted">The original stays as it is.</span></div>
</form>`;
}

function fieldGroup(group: string, fields: readonly ParameterField[]): Html {
  const inside = html`<div class="field-grid">${fields.map(parameterField)}</div>`;
  if (group === "") return inside;
  return html`<fieldset class="group"><legend>${group}</legend>${inside}</fieldset>`;
}

function parameterField(field: ParameterField): Html {
  const id = `p-${field.path.replaceAll(".", "-")}`;
  const hint = field.description ? `${id}-hint` : null;
  const unit = field.unit ? html` <span class="unit">${field.unit}</span>` : null;
  const note = hint === null ? null : html`<p class="hint" id="${hint}">${field.description}</p>`;
  if (field.kind === "boolean") {
    return html`<div class="field check" data-field="${field.path}">
<input type="hidden" name="${field.path}" value="false">
<label for="${id}"><input type="checkbox" id="${id}" name="${field.path}" value="true" checked="${field.default === true}" aria-describedby="${hint}"><span>${field.label}</span></label>
${note}</div>`;
  }
  return html`<div class="field" data-field="${field.path}">
<label for="${id}">${field.label}${unit}</label>
${field.kind === "select" ? selectField(id, field, hint) : inputField(id, field, hint)}
${note}</div>`;
}

function selectField(id: string, field: ParameterField, hint: string | null): Html {
  const options = (field.options ?? []).map((option) =>
    typeof option === "string" ? { value: option, label: option } : option,
  );
  const chosen = field.default === null || field.default === undefined ? "" : String(field.default);
  const none = chosen === "" ? html`<option value="">Automatic</option>` : null;
  return html`<span class="select"><select id="${id}" name="${field.path}" aria-describedby="${hint}">${none}${options.map(
    ({ value, label }) =>
      html`<option value="${value}" selected="${value === chosen}">${label}</option>`,
  )}</select>${icon("chevron")}</span>`;
}

function inputField(id: string, field: ParameterField, hint: string | null): Html {
  const number = field.kind === "number";
  return html`<input id="${id}" name="${field.path}" type="${number ? "number" : "text"}" inputmode="${number ? "decimal" : null}" min="${field.min}" max="${field.max}" step="${number ? (field.step ?? "any") : null}" value="${field.default === null || field.default === undefined ? "" : String(field.default)}" placeholder="${placeholder(field)}" maxlength="${number ? null : 1000}" autocomplete="off" aria-describedby="${hint}">`;
}

/** Shows the range of what may be typed, or that nothing needs to be. */
function placeholder(field: ParameterField): string {
  if (field.kind === "number" && typeof field.min === "number" && typeof field.max === "number") {
    return `${field.min} – ${field.max}`;
  }
  return "Automatic";
}

/** The form of an operation: its files, its parameters, and what starts it. */
import type { ParameterField } from "../src/operations/parameters.ts";
import { estimatePlace } from "./estimate.ts";
import type { Filling } from "./field-values.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { type JobInputsView, jobInputs } from "./job-inputs.ts";
import { parameterFieldset } from "./parameter-fields.ts";
import { type PresetChoice, presetBar } from "./presets.ts";
import { texts } from "./texts/texts.ts";
import { trialButton } from "./trial.ts";

const words = texts.make;

export interface OperationChoice {
  name: string;
  title: string;
  description: string;
}

export interface OperationFormView extends Omit<JobInputsView, "limits"> {
  operation: OperationChoice & { inputs: JobInputsView["limits"] };
  fields: readonly ParameterField[];
  /** Parameters that the fields are filled in with; null for the defaults. */
  filling: Filling;
  /** Presets of this operation, and the one that the fields are filled in with. */
  presets: readonly PresetChoice[];
  chosen: PresetChoice | null;
  /** Whether ten seconds can be tried. */
  triable: boolean;
  /** Says which sending of the form it is, so that one that is sent twice starts its jobs once. */
  key: string;
}

/** `POST /ui/make/form`: stands inside `#operation-form`. */
export function operationForm(view: OperationFormView): Html {
  const { operation, presets, chosen, ids } = view;
  const bar = { operation: operation.name, presets, chosen };
  const many = ids.length > 1 && view.ways.each && !view.ways.together;
  return html`<form class="operation-form" id="form-${operation.name}" method="post" action="/ui/jobs" novalidate hx-post="/ui/jobs" hx-target="#operation-errors" hx-swap="innerHTML" hx-status:422="target:#operation-errors swap:innerHTML" hx-disable="find .form-actions [type=submit]" data-fault-form data-operation="${operation.name}">
<div class="form-head"><h3 tabindex="-1">${operation.title}</h3><p class="muted">${operation.description}</p></div>
${presetBar(bar)}
<div id="operation-errors"></div>
<input type="hidden" name="operation" value="${operation.name}">
<input type="hidden" name="form-key" value="${view.key}">
${jobInputs({ ...view, limits: operation.inputs })}
${parameterFieldset(view.fields, view.filling)}
<div class="form-actions"><button type="submit" class="button primary">${icon("wand")}${many ? words.startMany(ids.length) : words.start}</button>${view.triable ? trialButton() : null}${estimatePlace()}<span class="muted">${ids.length === 1 ? words.sourceStays : words.sourcesStay}</span></div>
</form>`;
}

/** The form of an operation: its files, its parameters, and what starts it. */
import type { ParameterField } from "../src/operations/parameters.ts";
import { estimatePlace } from "./estimate.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { type InputAsset, jobInputs } from "./job-inputs.ts";
import { type Filling, parameterFieldset } from "./parameter-fields.ts";
import { type PresetChoice, presetBar } from "./presets.ts";

export interface OperationChoice {
  name: string;
  title: string;
  description: string;
}

export interface OperationFormView {
  /** The file whose page it is on. */
  asset: InputAsset;
  /** The files of the job so far, in order; that one alone at first. */
  inputs: readonly InputAsset[];
  operation: OperationChoice & { inputs: { min: number; max: number } };
  fields: readonly ParameterField[];
  /** Parameters that the fields are filled in with; null for the defaults. */
  filling: Filling;
  /** Presets of this operation, and the one that the fields are filled in with. */
  presets: readonly PresetChoice[];
  chosen: PresetChoice | null;
}

/** `GET /ui/assets/ID/form?operation=NAME`: stands inside `#operation-form`. */
export function operationForm(view: OperationFormView): Html {
  const { asset, inputs, operation, presets, chosen } = view;
  const bar = { assetId: asset.id, operation: operation.name, presets, chosen };
  return html`<form class="operation-form" id="form-${operation.name}" method="post" action="/ui/jobs" hx-post="/ui/jobs" hx-target="#operation-errors" hx-swap="innerHTML" hx-status:422="target:#operation-errors swap:innerHTML" hx-disable="find [type=submit]" data-fault-form>
<p class="muted">${operation.description}</p>
${presetBar(bar)}
<div id="operation-errors"></div>
<input type="hidden" name="operation" value="${operation.name}">
${jobInputs(inputs, operation.inputs)}
${parameterFieldset(view.fields, view.filling)}
<div class="form-actions"><button type="submit" class="button primary">${icon("wand")}Start</button>${estimatePlace()}<span class="muted">The original stays as it is.</span></div>
</form>`;
}

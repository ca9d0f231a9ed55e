/** The presets of a form: choosing one fills the form in, and what stands there can be saved as one. */
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";

export interface PresetChoice {
  id: string;
  name: string;
  builtIn: boolean;
  version: number;
}

export interface PresetBarView {
  assetId: string;
  operation: string;
  presets: readonly PresetChoice[];
  /** The one that the form was filled in with or saved as; null for none. */
  chosen: PresetChoice | null;
  /** What has just been done, for the person: "Saved." */
  said?: string;
}

/** Stands inside the form of an operation; the answer of every change is the bar anew. */
export function presetBar(view: PresetBarView): Html {
  const { assetId, operation, chosen, presets } = view;
  const own = presets.filter(({ builtIn }) => !builtIn);
  const builtIn = presets.filter((preset) => preset.builtIn);
  return html`<div class="preset-bar" id="preset-bar">
<div class="field"><label for="preset">Preset</label>
<span class="select"><select id="preset" name="preset" hx-get="/ui/assets/${assetId}/form?operation=${operation}" hx-trigger="change" hx-include="[data-input] [name=input]" hx-target="#operation-form" hx-swap="innerHTML" hx-indicator="#operation-form"><option value="">None</option>${choices("Your own", own, chosen)}${choices("Come with Kinomill", builtIn, chosen)}</select>${icon("chevron")}</span></div>
<details class="preset-save"><summary class="button quiet">Save as preset</summary>
<div class="preset-panel">
<div class="field" data-field="name"><label for="preset-name">Name</label><input id="preset-name" name="preset-name" type="text" maxlength="64" autocomplete="off" value="${chosen?.builtIn === false ? chosen.name : ""}"></div>
${chosen?.builtIn === false ? changeButtons(chosen) : null}
<button type="button" class="button" hx-post="/ui/presets" hx-include="closest form" hx-target="#preset-bar" hx-swap="outerHTML" hx-status:422="target:#operation-errors swap:innerHTML">Save as new</button>
</div></details>
<p class="muted" role="status">${view.said ?? ""}</p>
</div>`;
}

function choices(
  label: string,
  presets: readonly PresetChoice[],
  chosen: PresetChoice | null,
): Html | null {
  if (presets.length === 0) return null;
  return html`<optgroup label="${label}">${presets.map(({ id, name }) => html`<option value="${id}" selected="${id === chosen?.id}">${name}</option>`)}</optgroup>`;
}

/** The version says what the person saw: another page may have changed the preset meanwhile. */
function changeButtons({ id, name, version }: PresetChoice): Html {
  return html`<input type="hidden" name="preset-version" value="${version}">
<button type="button" class="button" hx-post="/ui/presets/${id}" hx-include="closest form" hx-target="#preset-bar" hx-swap="outerHTML" hx-status:422="target:#operation-errors swap:innerHTML">Save changes</button>
<button type="button" class="button quiet danger-text" hx-post="/ui/presets/${id}/delete" hx-include="closest form" hx-target="#preset-bar" hx-swap="outerHTML" hx-confirm="Delete this preset?" data-confirm-title="Delete this preset?" data-confirm-text="“${name}” will be gone. Jobs that were started with it are not touched." data-confirm-yes="Delete">Delete</button>`;
}

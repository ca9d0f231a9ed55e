/** The presets of a form: choosing one fills the form in, and what stands there can be saved as one. */
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { texts } from "./texts/texts.ts";

const words = texts.make;

export interface PresetChoice {
  id: string;
  name: string;
  builtIn: boolean;
  /** Name of its owner, where it is somebody else's. */
  sharedBy?: string | null;
  version: number;
}

export interface PresetBarView {
  operation: string;
  presets: readonly PresetChoice[];
  /** The one that the form was filled in with or saved as; null for none. */
  chosen: PresetChoice | null;
  /** What has just been done, for the person: "Saved." */
  said?: string;
}

/** Fields that say for which files the form is, and which of them stand in its list. */
const filesOfForm = "closest form";

/** Stands inside the form of an operation; the answer of every change is the bar anew. */
export function presetBar(view: PresetBarView): Html {
  const { chosen, presets } = view;
  const own = presets.filter(({ builtIn, sharedBy }) => !builtIn && !sharedBy);
  const shared = presets.filter(({ sharedBy }) => sharedBy);
  const builtIn = presets.filter((preset) => preset.builtIn);
  return html`<div class="preset-bar" id="preset-bar">
<div class="field"><label for="preset">${words.preset}</label>
<span class="select"><select id="preset" name="preset" hx-post="/ui/make/form" hx-trigger="change" hx-include="${filesOfForm}" hx-target="#operation-form" hx-swap="innerHTML" hx-indicator="#operation-form"><option value="">${words.none}</option>${choices(words.yourOwn, own, chosen)}${choices(words.shared, shared, chosen)}${choices(words.comeWith, builtIn, chosen)}</select>${icon("chevron")}</span></div>
<details class="preset-save"><summary class="button quiet">${words.saveAsPreset}</summary>
<div class="preset-panel">
<div class="field" data-field="name"><label for="preset-name">${words.name}</label><input id="preset-name" name="preset-name" type="text" maxlength="64" autocomplete="off" value="${isOwn(chosen) ? chosen.name : ""}"></div>
${isOwn(chosen) ? changeButtons(chosen) : null}
<button type="button" class="button" hx-post="/ui/presets" hx-include="closest form" hx-target="#preset-bar" hx-swap="outerHTML" hx-status:422="target:#operation-errors swap:innerHTML">${words.saveAsNew}</button>
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

function isOwn(chosen: PresetChoice | null): chosen is PresetChoice {
  return chosen !== null && !chosen.builtIn && !chosen.sharedBy;
}

/** The version says what the person saw: another page may have changed the preset meanwhile. */
function changeButtons({ id, name, version }: PresetChoice): Html {
  return html`<input type="hidden" name="preset-version" value="${version}">
<button type="button" class="button" hx-post="/ui/presets/${id}" hx-include="closest form" hx-target="#preset-bar" hx-swap="outerHTML" hx-status:422="target:#operation-errors swap:innerHTML">${words.saveChanges}</button>
<button type="button" class="button quiet danger-text" hx-post="/ui/presets/${id}/delete" hx-include="closest form" hx-target="#preset-bar" hx-swap="outerHTML" hx-confirm="?" data-confirm-title="${words.deleteTitle}" data-confirm-text="${words.deleteText(name)}" data-confirm-yes="${words.delete}">${words.delete}</button>`;
}

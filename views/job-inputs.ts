/** The files of a form: those that were chosen, an ordered list of one job's, and a search of the library to add to it. */
import type { Asset } from "../src/assets/asset.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { thumbnailPicture } from "./library.ts";
import { resolutionTitle } from "./media-words.ts";
import { rowButtons } from "./parameter-fields.ts";
import { durationText, sizeText } from "./quantities.ts";
import { texts } from "./texts/texts.ts";

const words = texts.make;

/** What a file in the list needs to be shown. */
export type InputAsset = Pick<Asset, "id" | "name" | "kind" | "thumbnail" | "media" | "sizeBytes">;

export interface JobInputsView {
  /** All that were chosen. */
  ids: readonly string[];
  /** Those of one job, in its order. */
  inputs: readonly InputAsset[];
  ways: { each: boolean; together: boolean };
  /** Of both ways the one that was chosen before; null for the first. */
  way: string | null;
  /** What every job of several gets besides, as it was chosen before. */
  further: readonly InputAsset[];
  limits: { min: number; max: number; texts?: number };
}

/** The part of the form for the files; one alone of which a job is made is not shown. */
export function jobInputs(view: JobInputsView): Html {
  const { ids, inputs, ways, way, limits } = view;
  const most = limits.max + (limits.texts ?? 0);
  if (ids.length === 1) {
    if (most === 1) return html`<input type="hidden" name="input" value="${ids[0] ?? ""}">`;
    return orderedFiles(inputs, limits);
  }
  const all = ids.map((id) => html`<input type="hidden" name="asset" value="${id}">`);
  if (!ways.each) return orderedFiles(inputs, limits);
  const further = most > 1 ? furtherFiles(view.further, most - 1) : null;
  if (!ways.together)
    return html`${all}<p class="form-note">${icon("info")}${words.oneForEach(ids.length)}</p>${further}`;
  const when = (value: string) => JSON.stringify([{ path: "way", values: [value] }]);
  return html`${all}<fieldset class="field ways"><legend>${words.way}</legend>
<label><input type="radio" name="way" value="each" checked="${way !== "together"}"><span>${words.wayEach(ids.length)}</span></label>
<label><input type="radio" name="way" value="together" checked="${way === "together"}"><span>${words.wayTogether}</span></label></fieldset>
${further === null ? null : html`<fieldset class="when" data-when="${when("each")}">${further}</fieldset>`}
<fieldset class="when" data-when="${when("together")}">${orderedFiles(inputs, limits)}</fieldset>`;
}

function orderedFiles(chosen: readonly InputAsset[], limits: JobInputsView["limits"]): Html {
  const { min, max, texts: captions = 0 } = limits;
  const most = max + captions;
  const wanted = min < most ? `${min} to ${most}` : `${most}`;
  const hint =
    captions > 0 ? `${words.worksOn(wanted)} ${words.withCaptions}` : words.worksOn(wanted);
  return fileList({ name: "input", title: words.inOrder, hint, chosen, most, least: 1 });
}

/** What every job of several gets besides its own file. */
function furtherFiles(chosen: readonly InputAsset[], most: number): Html {
  const hint = words.furtherHint(most);
  return fileList({ name: "further", title: words.further, hint, chosen, most, least: 0 });
}

interface FileList {
  name: "input" | "further";
  title: string;
  hint: string;
  chosen: readonly InputAsset[];
  most: number;
  least: number;
}

function fileList({ name, title, hint, chosen, most, least }: FileList): Html {
  const found = `${name}-found`;
  return html`<fieldset class="field list" data-inputs data-max="${most}" data-min="${least}">
<legend>${title}</legend>
<p class="hint">${hint}</p>
<ol class="list-rows">${chosen.map((asset) => inputRow(name, asset))}</ol>
<template>${inputRow(name, null)}</template>
<div class="input-search">
<label class="search-field">${icon("search")}<span class="sr-only">${words.addFile}</span><input type="search" name="input-search" placeholder="${words.addFile}" maxlength="200" autocomplete="off" hx-get="/ui/inputs" hx-trigger="focus once, input changed delay:200ms" hx-target="#${found}" hx-swap="innerHTML" hx-sync="this:replace"></label>
<div id="${found}" aria-live="polite"></div>
</div>
<noscript><label for="${name}-ids">${words.furtherIds}</label><textarea id="${name}-ids" name="${name}s" rows="3"></textarea></noscript>
</fieldset>`;
}

function inputRow(name: string, asset: InputAsset | null): Html {
  return html`<li class="list-row" data-input><input type="hidden" name="${name}" value="${asset?.id ?? ""}"><span class="input-file" data-file>${asset === null ? null : fileFace(asset)}</span>${rowButtons()}</li>`;
}

function fileFace(asset: InputAsset): Html {
  const video = asset.media?.video ?? null;
  const seconds = asset.media?.durationSeconds ?? null;
  const facts = [
    video === null ? null : resolutionTitle(video),
    seconds === null ? null : durationText(seconds),
    sizeText(asset.sizeBytes),
  ].filter((fact) => fact !== null);
  return html`<span class="input-thumbnail">${thumbnailPicture(asset)}</span><span class="input-name"><span hx-ignore>${asset.name}</span><span class="muted">${facts.join(" · ")}</span></span>`;
}

/** `GET /ui/inputs?input-search=`: what was found; forms.js puts the chosen one into the list. */
export function inputsFound(assets: readonly InputAsset[]): Html {
  if (assets.length === 0) return html`<p class="muted none">${words.noneNamed}</p>`;
  return html`<ul class="input-choices">${assets.map(
    (asset) =>
      html`<li><button type="button" class="input-file" data-add-input="${asset.id}" aria-label="${words.addNamed(asset.name)}">${fileFace(asset)}${icon("plus")}</button></li>`,
  )}</ul>`;
}

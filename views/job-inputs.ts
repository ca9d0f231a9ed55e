/** The files of a job that works on several: an ordered list, and a search of the library to add to it. */
import type { Asset } from "../src/assets/asset.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { thumbnailPicture } from "./library.ts";
import { resolutionTitle } from "./media-words.ts";
import { rowButtons } from "./parameter-fields.ts";
import { durationText, sizeText } from "./quantities.ts";

/** What a file in the list needs to be shown. */
export type InputAsset = Pick<Asset, "id" | "name" | "kind" | "thumbnail" | "media" | "sizeBytes">;

/** The part of the form for the files, with those that stand in it already; one alone is not shown. */
export function jobInputs(
  chosen: readonly InputAsset[],
  limits: { min: number; max: number },
): Html {
  if (limits.max === 1)
    return html`<input type="hidden" name="input" value="${chosen[0]?.id ?? ""}">`;
  const wanted = limits.min < limits.max ? `${limits.min} to ${limits.max}` : `${limits.max}`;
  return html`<fieldset class="field list" data-inputs data-max="${limits.max}" data-min="1">
<legend>Files, in this order</legend>
<p class="hint">It works on ${wanted} files.</p>
<ol class="list-rows">${chosen.map(inputRow)}</ol>
<template>${inputRow(null)}</template>
<div class="input-search">
<label class="search-field">${icon("search")}<span class="sr-only">Add a file from the library</span><input type="search" name="input-search" placeholder="Add a file from the library" maxlength="200" autocomplete="off" hx-get="/ui/inputs" hx-trigger="focus once, input changed delay:200ms" hx-target="#input-found" hx-swap="innerHTML" hx-sync="this:replace"></label>
<div id="input-found" aria-live="polite"></div>
</div>
<noscript><label for="further-inputs">Ids of further files, one per line</label><textarea id="further-inputs" name="inputs" rows="3"></textarea></noscript>
</fieldset>`;
}

function inputRow(asset: InputAsset | null): Html {
  return html`<li class="list-row" data-input><input type="hidden" name="input" value="${asset?.id ?? ""}"><span class="input-file" data-file>${asset === null ? null : fileFace(asset)}</span>${rowButtons()}</li>`;
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
  if (assets.length === 0) return html`<p class="muted none">No file has that in its name.</p>`;
  return html`<ul class="input-choices">${assets.map(
    (asset) =>
      html`<li><button type="button" class="input-file" data-add-input="${asset.id}" aria-label="Add ${asset.name}">${fileFace(asset)}${icon("plus")}</button></li>`,
  )}</ul>`;
}

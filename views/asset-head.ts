/** The head of a file's page: its name, which can be changed there, its labels, and what can be done with the file. */
import type { Asset } from "../src/assets/asset.ts";
import { button } from "./components/button.ts";
import { textField } from "./components/field.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { resolutionTitle } from "./media-words.ts";
import { durationText, sizeText } from "./quantities.ts";
import { texts } from "./texts/texts.ts";

const words = texts.asset;

export interface HeadView {
  asset: Asset;
  /** Days that deleted files stay in the bin; 0: they are gone at once. */
  binDays: number;
  /** Whether something can be made of it, below on the page. */
  makes: boolean;
  /** The name is being changed. */
  editing?: {
    /** What was typed. */
    name: string;
    /** The name was another when the form was opened. */
    conflict: boolean;
    fault?: string;
  };
}

/** `GET /ui/assets/ID/head`. Fetches itself when the file was changed on another page. */
export function assetHead(view: HeadView): Html {
  const { asset, editing } = view;
  const title =
    editing === undefined
      ? html`<div class="asset-name"><h1 hx-ignore>${asset.name}</h1>${button({ label: words.rename, icon: "pencil", small: true, request: { method: "get", address: `/ui/assets/${asset.id}/head?rename=yes`, target: "#asset-head", swap: "outerHTML" } })}</div><p class="muted">${summary(asset)}</p>`
      : renameForm(asset, editing);
  // While the name is typed nothing takes it away.
  const inside = html`<a class="icon-button" href="/" aria-label="${words.back}">${icon("back")}</a>
<div class="head-text">${title}</div>
<div class="head-actions">${actions(view)}</div>`;
  if (editing !== undefined) {
    return html`<div class="page-head asset-head" id="asset-head">${inside}</div>`;
  }
  return html`<div class="page-head asset-head" id="asset-head" hx-get="/ui/assets/${asset.id}/head" hx-trigger="asset-changed from:body" hx-swap="outerHTML" hx-sync="this:replace" hx-status:4xx="swap:none" hx-status:5xx="swap:none">${inside}</div>`;
}

function renameForm(asset: Asset, { name, conflict, fault }: NonNullable<HeadView["editing"]>) {
  const address = `/ui/assets/${asset.id}/name`;
  const field = { name: "name", label: words.name, id: "asset-name", value: name, maxLength: 255 };
  const said = conflict
    ? html`<p class="fault" role="alert">${words.renamedMeanwhile} <span hx-ignore>${asset.name}</span>. ${words.renamedAdvice}</p>`
    : null;
  return html`<form class="rename" method="post" action="${address}" hx-post="${address}" hx-target="#asset-head" hx-swap="outerHTML" hx-status:409="target:#asset-head swap:outerHTML" hx-status:422="target:#asset-head swap:outerHTML" data-rename><input type="hidden" name="before" value="${asset.name}">${textField({ ...field, required: true, first: true, fault: fault ?? null })}<span class="rename-actions">${button({ label: words.save, kind: "primary", submit: true })}${button({ label: words.cancel, kind: "quiet", id: "rename-cancel", request: { method: "get", address: `/ui/assets/${asset.id}/head`, target: "#asset-head", swap: "outerHTML" } })}</span>${said}</form>`;
}

function actions({ asset, binDays, makes }: HeadView): Html {
  const { id, name } = asset;
  const text = binDays === 0 ? words.deleteForGood(name) : words.deleteToBin(name, binDays);
  const question = { title: words.deleteTitle, text, yes: words.delete };
  return html`${makes ? button({ label: words.make, icon: "wand", kind: "primary", href: "#make-title" }) : null}${button({ label: words.download, icon: "download", href: `/api/v1/assets/${id}/content?download=1`, download: name })}
<button type="button" class="button" data-copy="" data-copy-address="/assets/${id}" data-copied="${words.copied}" data-failed="${words.notCopied}">${icon("link")}<span>${words.copyLink}</span></button>
${button({ label: words.delete, kind: "quiet danger-text", icon: "trash", request: { method: "delete", address: `/ui/assets/${id}`, question } })}`;
}

function summary(asset: Asset): string {
  const video = asset.media?.video ?? null;
  const seconds = asset.media?.durationSeconds ?? null;
  return [
    video === null ? null : resolutionTitle(video),
    seconds === null ? null : durationText(seconds),
    sizeText(asset.sizeBytes),
  ]
    .filter((fact) => fact !== null)
    .join(" · ");
}

/** `GET /ui/assets/ID/labels`, and what a change of them answers. */
export function assetLabels({ id, labels = [] }: Asset, offered: readonly string[]): Html {
  const address = `/ui/assets/${id}/labels`;
  const list =
    labels.length === 0
      ? html`<p class="muted">${words.noLabels}</p>`
      : html`<ul class="label-list">${labels.map((label) => labelChip(address, label))}</ul>`;
  return html`<section class="facts labels" id="asset-labels" aria-labelledby="labels-title" hx-get="${address}" hx-trigger="asset-changed from:body" hx-swap="outerHTML" hx-sync="this:replace" hx-status:4xx="swap:none" hx-status:5xx="swap:none"><h3 id="labels-title">${words.labels}</h3>${list}
<form class="label-add" method="post" action="${address}" hx-post="${address}" hx-target="#asset-labels" hx-swap="outerHTML" hx-sync="this:drop"><label class="sr-only" for="label-new">${words.addLabel}</label><input id="label-new" name="add" maxlength="60" required autocomplete="off" placeholder="${words.addLabel}" list="labels-known"><datalist id="labels-known" hx-ignore>${offered.map((label) => html`<option value="${label}"></option>`)}</datalist>${button({ label: words.add, submit: true })}</form></section>`;
}

function labelChip(address: string, label: string): Html {
  return html`<li class="chip"><bdi hx-ignore>${label}</bdi><form method="post" action="${address}" hx-post="${address}" hx-target="#asset-labels" hx-swap="outerHTML" hx-sync="this:drop"><input type="hidden" name="remove" value="${label}"><button type="submit" class="chip-remove" aria-label="${words.removeLabel(label)}">${icon("close")}</button></form></li>`;
}

/** `GET /ui/assets/ID/gone`: what stands above the page when the file was deleted on another one. */
export function assetGone(id: string, inBin: boolean): Html {
  const back = inBin
    ? html`<form method="post" action="/ui/assets/${id}/restore"><button type="submit" class="button">${words.bringBack}</button></form>`
    : null;
  return html`<section class="callout bad gone" role="alert" id="asset-gone">${icon("trash")}<div><p class="notice-title">${words.goneTitle}</p><p>${inBin ? words.goneToBin : words.goneForGood}</p><div class="gone-actions">${back}${button({ label: words.toLibrary, href: "/" })}</div></div></section>`;
}

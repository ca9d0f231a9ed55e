/** Making something: which preset or operation, and its form; on the page of a file and for several at once. */
import { type OperationFamily, operationFamilies } from "../src/operations/operation.ts";
import type { Unfit } from "../src/operations/suitability.ts";
import { button } from "./components/button.ts";
import { emptyState } from "./components/empty.ts";
import { callout } from "./components/notice.ts";
import { type Html, html } from "./html.ts";
import { type IconName, icon } from "./icons.ts";
import type { InputAsset } from "./job-inputs.ts";
import { page, type Viewer } from "./layout.ts";
import { thumbnailPicture } from "./library.ts";
import { type OperationFormView, operationForm } from "./operation-form.ts";
import { texts } from "./texts/texts.ts";
import { trialDialog } from "./trial.ts";

const words = texts.make;

/** Files that are shown one by one; of more the number is told. */
export const SHOWN_FILES_MAX = 12;

/** An operation, or a preset of one, as a card to choose. */
export interface MakeChoice {
  /** `operation:NAME` or `preset:ID`. */
  value: string;
  title: string;
  sentence: string;
  /** Why the files cannot be taken; null where they can. */
  unfit: Unfit | null;
}

export interface MakeView {
  /** Where it stands: the page of a file, or the page for several. */
  place: { page: "asset"; assetId: string } | { page: "make" };
  /** Ids of all files, in their order. */
  ids: readonly string[];
  /** The first of them. */
  shown: readonly InputAsset[];
  /** Files that were asked for and are not there any more. */
  gone: number;
  presets: { own: readonly MakeChoice[]; builtIn: readonly MakeChoice[] };
  operations: Readonly<Record<OperationFamily, readonly MakeChoice[]>>;
  /** What is chosen already: `MakeChoice.value`; null for nothing. */
  chosen: string | null;
  form: OperationFormView | null;
}

/** Scripts of a page on which this stands. */
export const makeScripts: readonly string[] = ["forms.js", "make.js", "trial.js"];

/** `GET /make?asset=ID&asset=ID` */
export function makePage(viewer: Viewer, view: MakeView): Html {
  const { ids, gone } = view;
  const head = html`<div class="page-head"><div class="head-text"><h1>${ids.length === 0 ? words.title : words.heading(ids.length)}</h1></div></div>`;
  const told = gone === 0 ? null : callout({ tone: "warn", text: words.gone(gone) });
  const body =
    ids.length === 0
      ? html`${head}${told}${emptyState({ icon: "wand", title: words.nothingTitle, text: words.nothingText, action: button({ label: words.toLibrary, href: "/", kind: "primary" }) })}`
      : html`${head}${told}${chosenFiles(view)}<section class="make" aria-labelledby="make-title"><h2 class="sr-only" id="make-title">${words.title}</h2>${makeInside(view)}</section>`;
  return page({ title: words.title, viewer, active: "library", body, scripts: makeScripts });
}

/** On the page of a file. */
export function makeSection(view: MakeView): Html {
  return html`<section class="block make" id="make" aria-labelledby="make-title"><h2 id="make-title">${words.headingHere}</h2>
${makeInside(view)}</section>`;
}

/** The files as a strip; each can be left out. */
function chosenFiles({ ids, shown }: MakeView): Html {
  const without = (id: string) => {
    const rest = ids.filter((each) => each !== id).map((each): [string, string] => ["asset", each]);
    return `/make?${new URLSearchParams(rest).toString()}`;
  };
  const more = ids.length - shown.length;
  // The address of a page holds some hundred ids; of more nothing can be left out here.
  const removable = ids.length > 1 && more === 0;
  return html`<ul class="chosen-files" aria-label="${words.chosenFiles}">${shown.map(
    (asset) =>
      html`<li><span class="input-thumbnail">${thumbnailPicture(asset)}</span><a href="/assets/${asset.id}" hx-ignore>${asset.name}</a>${removable ? html`<a class="icon-button" href="${without(asset.id)}" aria-label="${words.leaveOut(asset.name)}">${icon("close")}</a>` : null}</li>`,
  )}${more > 0 ? html`<li class="muted">${words.moreFiles(more)}</li>` : null}</ul>`;
}

function makeInside(view: MakeView): Html {
  const { form, place, chosen } = view;
  const action = place.page === "asset" ? `/assets/${place.assetId}` : "/make";
  return html`<details class="picker" open="${form === null}" data-picker><summary>${icon("chevron")}${words.choose}</summary>
<form class="choices" id="make-choices" action="${action}" method="get" hx-post="/ui/make/form" hx-trigger="change from:input[type=radio]" hx-target="#operation-form" hx-swap="innerHTML" hx-sync="this:replace" hx-indicator="#operation-form">
${place.page === "make" ? view.ids.map((id) => html`<input type="hidden" name="asset" value="${id}">`) : html`<input type="hidden" name="asset" value="${place.assetId}">`}
<label class="search-field">${icon("search")}<span class="sr-only">${words.search}</span><input type="search" placeholder="${words.search}" maxlength="100" autocomplete="off" data-choice-search></label>
${choicePart(words.yourOwn, view.presets.own, "key", chosen)}
${choicePart(words.presets, view.presets.builtIn, "wand", chosen)}
${operationFamilies.map((family) => choicePart(words.families[family], view.operations[family], familyIcons[family], chosen))}
<p class="muted none" data-none-found hidden>${words.noneFound}</p>
<noscript><button type="submit" class="button primary">${words.continue}</button></noscript>
</form></details>
<div id="operation-form" aria-live="polite">${form === null ? null : operationForm(form)}</div>
${trialDialog()}`;
}

const familyIcons: Record<OperationFamily, IconName> = {
  convert: "retry",
  cut: "video",
  picture: "image",
  sound: "audio",
  examine: "search",
};

function choicePart(
  title: string,
  choices: readonly MakeChoice[],
  drawing: IconName,
  chosen: string | null,
): Html | null {
  if (choices.length === 0) return null;
  return html`<fieldset class="choice-part"><legend>${icon(drawing)}${title}</legend><div class="choice-cards">${choices.map((choice) => choiceCard(choice, chosen))}</div></fieldset>`;
}

function choiceCard({ value, title, sentence, unfit }: MakeChoice, chosen: string | null): Html {
  const reason =
    unfit === null ? null : html`<span class="choice-reason">${unfitText(unfit)}</span>`;
  return html`<label class="choice-card"><input type="radio" name="choice" value="${value}" checked="${value === chosen}" disabled="${unfit !== null}"><span class="choice-face"><strong hx-ignore>${title}</strong><span class="muted">${sentence}</span>${reason}</span></label>`;
}

function unfitText(unfit: Unfit): string {
  switch (unfit.why) {
    case "kind":
      return words.unfit.kind(unfit.count, unfit.of, unfit.kinds);
    case "text":
      return words.unfit.text(unfit.count);
    case "unreadable":
      return words.unfit.unreadable;
    case "many":
      return words.unfit.many(unfit.max);
  }
}

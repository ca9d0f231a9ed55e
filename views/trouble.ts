/** What a person sees when something was refused or went wrong. */
import type { FieldFault } from "../src/trouble.ts";
import { type Html, html } from "./html.ts";
import { icon } from "./icons.ts";
import { page, type Viewer } from "./layout.ts";

/** A Refusal, or a crash without its details, as a view shows it. */
export interface Trouble {
  status: number;
  /** A sentence: what was wrong. */
  sentence: string;
  /** A few words above it; by default from the status. */
  title?: string;
  /** What to do next. */
  hint?: string;
  errors?: readonly FieldFault[];
}

const titles: Record<number, string> = {
  400: "That request cannot be read",
  401: "Please log in again",
  403: "That is not allowed",
  404: "Not found",
  409: "That does not fit the present state",
  413: "That file is too large",
  422: "Something needs another value",
  429: "Too many attempts",
  507: "The disk is full",
};

function titleOf(trouble: Trouble): string {
  return trouble.title ?? titles[trouble.status] ?? "Kinomill could not do that";
}

/** A whole page for a refusal or a crash. The status goes into the answer, too. */
export function errorPage(viewer: Viewer | null, trouble: Trouble): Html {
  const body = html`<section class="centered">
<p class="status-code">${trouble.status}</p>
<h1>${titleOf(trouble)}</h1>
<p class="lead" hx-ignore>${trouble.sentence}</p>
${trouble.hint === undefined ? null : html`<p class="muted" hx-ignore>${trouble.hint}</p>`}
<p><a class="button primary" href="/">${icon("back")}To the library</a></p>
</section>`;
  return page({ title: titleOf(trouble), viewer, active: null, body });
}

export function notFoundPage(viewer: Viewer | null): Html {
  return errorPage(viewer, {
    status: 404,
    title: "There is nothing here",
    sentence: "This page, file or job does not exist, was deleted, or belongs to somebody else.",
    hint: "Check the address, or look for it in the library.",
  });
}

/** A notice at the edge of the page. The server sends it for every refusal of a fragment. */
export function errorFragment(trouble: Trouble): Html {
  return html`<div class="notice bad" role="alert">
${icon("warning")}
<div><p class="notice-title">${titleOf(trouble)}</p>
<p hx-ignore>${trouble.sentence}</p>
${trouble.hint === undefined ? null : html`<p class="muted" hx-ignore>${trouble.hint}</p>`}
${faultList(trouble.errors ?? [])}</div>
<button type="button" class="icon-button" data-dismiss aria-label="Dismiss this notice">${icon("close")}</button>
</div>`;
}

/** The faults of a form, above its fields; app.js also marks each field by its path. */
export function formErrors(trouble: Trouble): Html {
  const errors = trouble.errors ?? [];
  return html`<div class="callout bad" role="alert" tabindex="-1" data-faults>
${icon("warning")}
<div><p class="notice-title">${titleOf(trouble)}</p>
<p hx-ignore>${trouble.sentence}</p>
${trouble.hint === undefined ? null : html`<p class="muted" hx-ignore>${trouble.hint}</p>`}
${faultList(errors)}</div>
</div>`;
}

function faultList(errors: readonly FieldFault[]): Html | null {
  if (errors.length === 0) return null;
  return html`<ul class="faults" hx-ignore>${errors.map(
    (fault) =>
      html`<li data-path="${fault.path}">${fault.path === "" ? null : html`<code>${fault.path}</code> `}<span>${fault.message}</span></li>`,
  )}</ul>`;
}

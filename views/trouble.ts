/** What a person sees when something was refused or went wrong. */
import type { FieldFault } from "../src/trouble.ts";
import { button } from "./components/button.ts";
import { callout, notice } from "./components/notice.ts";
import { type Html, html } from "./html.ts";
import { page, type Viewer } from "./layout.ts";
import { texts } from "./texts/texts.ts";

const words = texts.trouble;

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

function titleOf(trouble: Trouble): string {
  return trouble.title ?? words.titles[trouble.status] ?? words.other;
}

/** A whole page for a refusal or a crash. The status goes into the answer, too. */
export function errorPage(viewer: Viewer | null, trouble: Trouble): Html {
  const body = html`<section class="centered">
<p class="status-code">${trouble.status}</p>
<h1>${titleOf(trouble)}</h1>
<p class="lead" hx-ignore>${trouble.sentence}</p>
${trouble.hint === undefined ? null : html`<p class="muted" hx-ignore>${trouble.hint}</p>`}
<p>${button({ label: words.toLibrary, href: "/", icon: "back", kind: "primary" })}</p>
</section>`;
  return page({ title: titleOf(trouble), viewer, active: null, body });
}

export function notFoundPage(viewer: Viewer | null): Html {
  return errorPage(viewer, {
    status: 404,
    ...words.nothingHere,
  });
}

/** A notice at the edge of the page. The server sends it for every refusal of a fragment. */
export function errorFragment(trouble: Trouble): Html {
  return notice({ tone: "bad", ...inside(trouble) });
}

/** The faults of a form, above its fields; a script also marks each field by its path. */
export function formErrors(trouble: Trouble): Html {
  return html`<div tabindex="-1" data-faults>${callout({ tone: "bad", spoken: true, ...inside(trouble) })}</div>`;
}

function inside(trouble: Trouble) {
  const { sentence: text, hint = null, errors = [] } = trouble;
  return { title: titleOf(trouble), text, hint, more: faultList(errors) };
}

function faultList(errors: readonly FieldFault[]): Html | null {
  if (errors.length === 0) return null;
  return html`<ul class="faults" hx-ignore>${errors.map(
    (fault) =>
      html`<li data-path="${fault.path}">${fault.path === "" ? null : html`<code>${fault.path}</code> `}<span>${fault.message}</span></li>`,
  )}</ul>`;
}

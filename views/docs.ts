/** `/docs`: the API for people. */
import { type Html, html } from "./html.ts";
import { page, type Viewer } from "./layout.ts";
import { texts } from "./texts/texts.ts";

const words = texts.docs;

export interface CallText {
  method: string;
  /** With its parameters in braces: `/api/v1/jobs/{id}` */
  path: string;
  /** Markdown, of which `code` is shown as such; so are those below. */
  summary: string;
  description: string;
  /** What may be said in the query and in headers. */
  given: readonly (readonly [name: string, meaning: string])[];
  answers: readonly (readonly [status: string, meaning: string])[];
}

export interface OperationText {
  name: string;
  title: string;
  description: string;
  example: unknown;
  schema: unknown;
}

export interface DocsView {
  /** Calls by what they are about. */
  groups: readonly { tag: string; calls: readonly CallText[] }[];
  operations: readonly OperationText[];
}

export function docsPage(viewer: Viewer, { groups, operations }: DocsView): Html {
  const body = html`<div class="page-head"><h1>${words.title}</h1><a class="button" href="/api/v1/openapi.json">${words.document}</a></div>
<div class="docs">
<nav class="docs-contents" aria-label="${words.contents}"><ul>
${groups.map(({ tag }) => html`<li><a href="#tag-${tag}">${tag}</a></li>`)}
<li><a href="#parameters">${words.parameters}</a><ul>${operations.map(({ name }) => html`<li><a href="#operation-${name}">${name}</a></li>`)}</ul></li>
</ul></nav>
<div class="docs-text">
<p>${prose(words.login)} ${prose(words.errors)}</p>
${groups.map(({ tag, calls }) => html`<section class="panel" aria-labelledby="tag-${tag}"><h2 id="tag-${tag}">${tag}</h2>${calls.map(callText)}</section>`)}
<section class="panel" aria-labelledby="parameters"><h2 id="parameters">${words.parametersTitle}</h2>
${operations.map(operationText)}</section>
</div>
</div>`;
  return page({ title: words.title, viewer, active: null, body, styles: ["docs.css"] });
}

function callText({ method, path, summary, description, given, answers }: CallText): Html {
  return html`<article class="call">
<h3><span class="method" data-method="${method}">${method}</span> <code>${path}</code></h3>
<p>${prose(summary)} ${prose(description)}</p>
<dl class="pairs">${given.map(([name, meaning]) => html`<div><dt><code>${name}</code></dt><dd>${prose(meaning)}</dd></div>`)}${answers.map(
    ([status, meaning]) => html`<div><dt>${status}</dt><dd>${prose(meaning)}</dd></div>`,
  )}</dl>
</article>`;
}

function operationText({ name, title, description, example, schema }: OperationText): Html {
  return html`<article class="call" id="operation-${name}">
<h3><code>${name}</code></h3>
<p>${description}</p>
<p>${words.example}</p>
${data(example, `${title}: ${words.example}`)}
<details><summary>${words.schema}</summary>${data(schema, `${title}: ${words.schema}`)}</details>
</article>`;
}

/** What is wider or longer than its place is moved by keys too. */
function data(value: unknown, name: string): Html {
  return html`<pre tabindex="0" role="region" aria-label="${name}"><code>${JSON.stringify(value, null, 2)}</code></pre>`;
}

/** The descriptions are Markdown for the OpenAPI document; here their `code` is shown as such. */
function prose(text: string): Html {
  const parts = text.split("`");
  return html`${parts.map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

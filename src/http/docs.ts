/** `/docs`: the API for people, made from the same list as the routes. Loads nothing from the internet. */
import type { Elysia } from "elysia";
import { type Html, html } from "../../views/html.ts";
import { page } from "../../views/layout.ts";
import type { Operation } from "../operations/operation.ts";
import { operationJsonSchema } from "../operations/parameters.ts";
import { type Endpoint, route } from "./endpoint.ts";
import { htmlResponse } from "./headers.ts";
import { viewerOf } from "./pages.ts";
import type { Parts } from "./parts.ts";

export function mountDocs(
  app: Elysia,
  endpoints: readonly Endpoint[],
  operations: readonly Operation[],
  parts: Parts,
): void {
  route(app, "GET", "/docs", (request) => {
    const body = docsBody(endpoints, operations);
    const viewer = viewerOf(parts, request);
    return htmlResponse(page({ title: "API", viewer, active: null, body }));
  });
}

function docsBody(endpoints: readonly Endpoint[], operations: readonly Operation[]): Html {
  const groups = [...Map.groupBy(endpoints, ({ tag }) => tag)];
  return html`<div class="page-head"><h1>API</h1><a class="button" href="/api/v1/openapi.json">OpenAPI document</a></div>
<p>Programs log in with a token: <code>Authorization: Bearer kmt_…</code>, made by <code>kinomill tokens create --user NAME</code>. Errors are <code>application/problem+json</code> with <code>code</code>, <code>detail</code> and, for 422, every fault in <code>errors</code>.</p>
${groups.map(
  ([
    tag,
    members,
  ]) => html`<section class="panel" aria-labelledby="tag-${tag}"><h2 id="tag-${tag}">${tag}</h2>
${members.map(endpointText)}</section>`,
)}
<section class="panel" aria-labelledby="parameters-title"><h2 id="parameters-title">Parameters of the operations</h2>
${operations.map(operationText)}</section>`;
}

function endpointText(endpoint: Endpoint): Html {
  const query = Object.entries(endpoint.query?.shape ?? {}) as [string, { description?: string }][];
  const names = [
    ...query.map(([name, { description }]) => [`?${name}=`, description ?? ""] as const),
    ...(endpoint.headers ?? []).map(({ name, description }) => [`${name}:`, description] as const),
  ];
  const answers = Object.entries(endpoint.answers);
  return html`<article>
<h3><code>${endpoint.method} ${endpoint.path.replaceAll(/:(\w+)/g, "{$1}")}</code></h3>
<p>${prose(endpoint.summary)} ${prose(endpoint.description ?? "")}</p>
<dl class="pairs">${names.map(([name, text]) => html`<div><dt><code>${name}</code></dt><dd>${prose(text)}</dd></div>`)}${answers.map(
    ([status, answer]) => html`<div><dt>${status}</dt><dd>${prose(answer.description)}</dd></div>`,
  )}</dl>
</article>`;
}

/** The descriptions are Markdown for the OpenAPI document; here their `code` is shown as such. */
function prose(text: string): Html {
  const parts = text.split("`");
  return html`${parts.map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

function operationText(operation: Operation): Html {
  return html`<article>
<h3><code>${operation.name}</code></h3>
<p>${operation.description}</p>
<p>Example:</p>
<pre><code>${JSON.stringify(operation.example, null, 2)}</code></pre>
<details><summary>JSON Schema of the parameters</summary>
<pre><code>${JSON.stringify(operationJsonSchema(operation), null, 2)}</code></pre></details>
</article>`;
}

/** `/docs`: the API for people, made from the same list as the routes. Loads nothing from the internet. */
import type { Elysia } from "elysia";
import { type CallText, docsPage } from "../../views/docs.ts";
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
    const groups = [...Map.groupBy(endpoints, ({ tag }) => tag)].map(([tag, calls]) => ({
      tag,
      calls: calls.map(callText),
    }));
    const described = operations.map((operation) => ({
      name: operation.name,
      title: operation.title,
      description: operation.description,
      example: operation.example,
      schema: operationJsonSchema(operation),
    }));
    return htmlResponse(docsPage(viewerOf(parts, request), { groups, operations: described }));
  });
}

function callText(endpoint: Endpoint): CallText {
  const query = Object.entries(endpoint.query?.shape ?? {}) as [string, { description?: string }][];
  return {
    method: endpoint.method,
    path: endpoint.path.replaceAll(/:(\w+)/g, "{$1}"),
    summary: endpoint.summary,
    description: endpoint.description ?? "",
    given: [
      ...query.map(([name, { description }]) => [`?${name}=`, description ?? ""] as const),
      ...(endpoint.headers ?? []).map(
        ({ name, description }) => [`${name}:`, description] as const,
      ),
    ],
    answers: Object.entries(endpoint.answers).map(
      ([status, answer]) => [status, answer.description] as const,
    ),
  };
}

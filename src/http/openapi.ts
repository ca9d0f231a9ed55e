/** The OpenAPI 3.1 document, made from the same list of calls that the routes are made from. */
import { z } from "zod";
import type { Operation } from "../operations/operation.ts";
import { operationJsonSchema } from "../operations/parameters.ts";
import { product } from "../product.ts";
import type { Answer, Endpoint } from "./endpoint.ts";
import { isOpenPath } from "./guard.ts";
import { problemShape } from "./shapes.ts";

type Json = Record<string, unknown>;

/** Schemas with an id, gathered under `components` and referred to. */
class SchemaBook {
  readonly schemas: Json = {};

  /** @param io whether defaults count as given (answers) or as optional (requests) */
  use(schema: z.ZodType, io: "input" | "output"): Json {
    const { $schema: _, $defs, ...body } = z.toJSONSchema(schema, { io }) as Json;
    for (const [id, definition] of Object.entries(($defs ?? {}) as Record<string, Json>)) {
      const { $schema: _nested, id: _id, ...rest } = definition;
      this.schemas[id] ??= relocate(rest);
    }
    const id = schema.meta()?.id;
    if (id === undefined) return relocate(body) as Json;
    const { id: _id, ...rest } = body;
    this.schemas[id] = relocate(rest);
    return reference(id);
  }
}

function reference(id: string): Json {
  return { $ref: `#/components/schemas/${id}` };
}

/** Zod refers to `#/$defs/X`; in this document they are components. */
function relocate(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relocate);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) =>
      key === "$ref" && typeof child === "string"
        ? [key, child.replace("#/$defs/", "#/components/schemas/")]
        : [key, relocate(child)],
    ),
  );
}

export function openApiDocument(
  endpoints: readonly Endpoint[],
  operations: readonly Operation[],
): Json {
  const book = new SchemaBook();
  book.use(problemShape, "output");
  const paths: Record<string, Json> = {};
  for (const endpoint of endpoints) {
    const path = endpoint.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: describe(endpoint, book) };
  }
  for (const operation of operations) {
    const { $schema: _, ...schema } = operationJsonSchema(operation) as unknown as Json;
    book.schemas[parametersId(operation.name)] = {
      ...schema,
      title: `Parameters of ${operation.name}`,
      examples: [operation.example],
    };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Kinomill",
      version: product.version,
      description:
        "A video goes in, a verified video comes out. Times are ISO 8601 UTC, durations seconds, sizes bytes, ids opaque. The contract only grows.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }, { session: [] }],
    tags: [...new Set(endpoints.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: book.schemas,
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "kmt_… of `kinomill tokens create`" },
        session: { type: "apiKey", in: "cookie", name: "kinomill_session" },
      },
    },
  };
}

/** `transcode` → `TranscodeParameters`. */
function parametersId(operationName: string): string {
  const words = operationName
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join("")}Parameters`;
}

function describe(endpoint: Endpoint, book: SchemaBook): Json {
  const open = isOpenPath(endpoint.path);
  return {
    operationId: operationId(endpoint),
    tags: [endpoint.tag],
    summary: endpoint.summary,
    ...(endpoint.description === undefined ? {} : { description: endpoint.description }),
    ...(open ? { security: [] } : {}),
    parameters: parameters(endpoint, book),
    ...requestBody(endpoint, book),
    responses: responses(endpoint, open, book),
  };
}

/** `GET /api/v1/assets/:id/content` → `getAssetsIdContent`. */
function operationId({ method, path }: Endpoint): string {
  const words = path.replace("/api/v1", "").split(/[^a-zA-Z0-9]+/);
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  return method.toLowerCase() + name;
}

function parameters(endpoint: Endpoint, book: SchemaBook): Json[] {
  const inPath = [...endpoint.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const query = endpoint.query === null ? {} : book.use(endpoint.query, "input");
  const required = (query["required"] ?? []) as string[];
  const inQuery = Object.entries((query["properties"] ?? {}) as Record<string, Json>).map(
    ([name, { description, ...schema }]) => ({
      name,
      in: "query",
      required: required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema,
    }),
  );
  const inHeaders = (endpoint.headers ?? []).map(({ name, description }) => ({
    name,
    in: "header",
    required: false,
    description,
    schema: { type: "string" },
  }));
  return [...inPath, ...inQuery, ...inHeaders];
}

function requestBody(endpoint: Endpoint, book: SchemaBook): Json {
  if (endpoint.streamsBody === true) {
    return { requestBody: { required: true, content: { "application/octet-stream": {} } } };
  }
  if (endpoint.body === null) return {};
  const schema = book.use(endpoint.body, "input");
  const required = endpoint.bodyOptional !== true;
  return { requestBody: { required, content: { "application/json": { schema } } } };
}

function responses(endpoint: Endpoint, open: boolean, book: SchemaBook): Json {
  const all: Record<number, Answer> = { ...endpoint.answers };
  if (!open) all[401] ??= { description: "`unauthenticated`: no valid token or session." };
  if (endpoint.body !== null || endpoint.query !== null) {
    all[422] ??= { description: "`invalid`: `errors` names every fault." };
  }
  return Object.fromEntries(
    Object.entries(all).map(([status, answer]) => [status, response(Number(status), answer, book)]),
  );
}

function response(status: number, answer: Answer, book: SchemaBook): Json {
  const { description, schema, mediaType } = answer;
  if (schema !== undefined) {
    const content = { "application/json": { schema: book.use(schema, "output") } };
    return { description, content };
  }
  if (mediaType !== undefined) return { description, content: { [mediaType]: {} } };
  if (status < 400) return { description };
  return {
    description,
    content: { "application/problem+json": { schema: reference("Problem") } },
  };
}

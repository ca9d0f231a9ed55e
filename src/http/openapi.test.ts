import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { addFilm, openSite, type SiteRig } from "../../tests/http/site.ts";
import { assetShape, jobShape, problemShape } from "./shapes.ts";

let site: SiteRig;
let document: OpenApi;

interface Call {
  operationId: string;
  parameters: { name: string; in: string; schema: Record<string, unknown> }[];
  requestBody?: unknown;
  responses: Record<string, unknown>;
  security?: unknown[];
}

interface OpenApi {
  openapi: string;
  paths: Record<string, Record<string, Call>>;
  components: { schemas: Record<string, Record<string, unknown>> };
}

beforeAll(async () => {
  site = await openSite();
  const response = await site.ask("/api/v1/openapi.json", { as: "ann" });
  document = (await response.json()) as OpenApi;
});

afterAll(() => site.close());

const calls = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, call]) => ({ path, method, call })),
  );

test("routes of the API and the document are the same, both ways", () => {
  const routes = site.site.app.routes
    .filter(({ path }) => /^\/(api|health|metrics)/.test(path))
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
  const described = calls().map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  expect(described.toSorted()).toEqual(routes.toSorted());
  expect(described).toContain("POST /api/v1/assets");
});

test("every reference leads to a schema", () => {
  const text = JSON.stringify(document);
  const names = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, target]) => target ?? "");
  expect(names.length).toBeGreaterThan(20);
  for (const name of new Set(names)) {
    expect(name).toStartWith("#/components/schemas/");
    expect(document.components.schemas).toHaveProperty(name.replace("#/components/schemas/", ""));
  }
  expect(text).not.toContain("$defs");
  expect(Object.keys(document.components.schemas)).toEqual(
    expect.arrayContaining(["Asset", "Job", "Problem", "TranscodeParameters"]),
  );
});

test("every call has its own name, its path's parameters and an answer for strangers", () => {
  const ids = calls().map(({ call }) => call.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { path, call } of calls()) {
    const inPath = call.parameters.filter((parameter) => parameter.in === "path");
    expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
    // Who may scrape is for the call itself to say.
    const open = /^\/(health|metrics)/.test(path);
    expect("401" in call.responses).toBe(!open || path === "/metrics");
    expect(call.security ?? null).toEqual(open ? [] : null);
  }
});

test("a query parameter is told with its type, limits and default", () => {
  const limit = document.paths["/api/v1/assets"]?.["get"]?.parameters.find(
    ({ name }) => name === "limit",
  );
  expect(limit?.schema).toMatchObject({ type: "integer", minimum: 1, maximum: 200, default: 50 });
});

describe("what the calls answer has the form that the document promises", () => {
  test("an asset, a job, a list, a problem", async () => {
    const film = await addFilm(site, "ann");
    const json = { operation: "transcode", inputs: [film], params: {} };
    const asset = await site.ask(`/api/v1/assets/${film}`, { as: "ann" });
    assetShape.parse(await asset.json());
    const job = await site.ask("/api/v1/jobs", { as: "ann", json });
    jobShape.parse(await job.json());
    const list = (await (await site.ask("/api/v1/jobs", { as: "ann" })).json()) as {
      items: unknown[];
    };
    for (const item of list.items) jobShape.parse(item);
    const problem = await site.ask("/api/v1/jobs?limit=0", { as: "ann" });
    expect(problem.headers.get("content-type")).toBe("application/problem+json");
    expect(problemShape.parse(await problem.json()).errors).toHaveLength(1);
  });

  test("every GET without parameters answers with a status that it names", async () => {
    for (const { path, method, call } of calls()) {
      if (method !== "get" || path.includes("{") || path.endsWith("/events")) continue;
      const response = await site.ask(path, { as: "ann" });
      expect(Object.keys(call.responses)).toContain(String(response.status));
    }
  });
});
